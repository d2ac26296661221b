// Package telemetry tells what the gateway does: the access log and the logger.
package telemetry

import (
	"io"
	"log/slog"
)

// NewLogger returns a logger that writes JSON lines of that level ("debug", "info", "warn", "error") and above.
func NewLogger(level string, w io.Writer) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l}))
}
