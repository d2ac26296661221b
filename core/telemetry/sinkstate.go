package telemetry

import (
	"log/slog"
	"time"
)

// tellInterval is the least time between two log lines about dropped lines.
const tellInterval = 10 * time.Second

// sinkState is what the gateway's own log knows of how the access log is doing: it hears of changes only.
type sinkState struct {
	failing string // the error that it knows of; "": lines are written
	dropped uint64 // lines that it knows of
	told    time.Time
}

// tellError logs an error unless it is the last one still, and that it is over.
func (s *sinkState) tellError(log *slog.Logger, err error) {
	switch {
	case err == nil && s.failing != "":
		s.failing = ""
		log.Info("the access log can be written again")
	case err != nil && err.Error() != s.failing:
		s.failing = err.Error()
		log.Error("cannot write the access log, lines are dropped", "error", err)
	}
}

// tellDropped logs how many lines were dropped since it last did.
func (s *sinkState) tellDropped(log *slog.Logger, dropped uint64, now time.Time) {
	if dropped == s.dropped || now.Sub(s.told) < tellInterval {
		return
	}
	log.Warn("access log lines were dropped", "lines", dropped-s.dropped)
	s.dropped, s.told = dropped, now
}
