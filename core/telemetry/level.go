package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
)

// ParseLevel returns the level of that name: "debug", "info", "warn" or "error".
func ParseLevel(name string) (slog.Level, error) {
	var level slog.Level
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, name) {
		return level, fmt.Errorf("%q is no level", name)
	}
	err := level.UnmarshalText([]byte(name))
	return level, err
}

// NewLevelLogger returns a logger that writes JSON lines of the level that level has then, and above.
func NewLevelLogger(level slog.Leveler, w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
