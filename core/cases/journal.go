package cases

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// journal is a slog.Handler that keeps lines as expect tables write them. It may be used by many goroutines.
type journal struct {
	mu      sync.Mutex
	lines   []string
	details []string // of failures: the guest's stack
}

// Enabled is part of slog.Handler.
func (*journal) Enabled(context.Context, slog.Level) bool { return true }

// Handle is part of slog.Handler. What a plugin says is a line by itself; of the host's own lines the error stands behind the text.
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	detail := ""
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "text" && r.Message == "plugin says":
			text = a.Value.String()
		case a.Key == "error":
			text += ": " + a.Value.String()
		case a.Key == "detail":
			detail = a.Value.String()
		}
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, strings.ToLower(r.Level.String())+": "+text)
	if detail != "" {
		j.details = append(j.details, detail)
	}
	return nil
}

// WithAttrs is part of slog.Handler: what every line has is of no interest.
func (j *journal) WithAttrs([]slog.Attr) slog.Handler { return j }

// WithGroup is part of slog.Handler.
func (j *journal) WithGroup(string) slog.Handler { return j }

// take returns what was written since the last time.
func (j *journal) take() (lines, details []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines, details = slices.Clone(j.lines), slices.Clone(j.details)
	j.lines, j.details = j.lines[:0], j.details[:0]
	return lines, details
}
