package discover

import (
	"log/slog"
	"slices"
	"time"
)

// How often a feed logs at most that its endpoints have changed, and that it fails or works again.
const (
	changePause  = 10 * time.Second
	failurePause = time.Minute
)

// most is how many addresses a line in the log names.
const most = 20

// feedLog tells of a Feed, not too often.
type feedLog struct {
	log                           *slog.Logger
	changes, failures, recoveries quiet
}

// failed tells that the source could not, and that n endpoints stay.
func (l *feedLog) failed(err error, n int) {
	if skipped, ok := l.failures.ask(failurePause); ok {
		l.log.Warn("discovery failed, the endpoints stay as they are", "error", err, "endpoints", n, "unsaid", skipped)
	}
}

func (l *feedLog) recovered() {
	if skipped, ok := l.recoveries.ask(failurePause); ok {
		l.log.Info("discovery works again", "unsaid", skipped)
	}
}

// changed tells what is new in after and what was only in before. Both are sorted.
func (l *feedLog) changed(before, after []Endpoint) {
	if skipped, ok := l.changes.ask(changePause); ok {
		l.log.Info("endpoints have changed", "endpoints", len(after), "added", missing(after, before), "removed", missing(before, after), "unsaid", skipped)
	}
}

// quiet keeps lines of one kind apart.
type quiet struct {
	last   time.Time
	unsaid uint64 // since then
}

// ask reports whether a line may be written now, and how many were not since the last.
func (q *quiet) ask(pause time.Duration) (unsaid uint64, ok bool) {
	now := time.Now()
	if !q.last.IsZero() && now.Sub(q.last) < pause {
		q.unsaid++
		return 0, false
	}
	unsaid, q.unsaid, q.last = q.unsaid, 0, now
	return unsaid, true
}

// missing returns addresses of list that are not in other, some of them if there are many.
func missing(list, other []Endpoint) []string {
	addresses := []string{}
	for _, e := range list {
		if _, found := slices.BinarySearchFunc(other, e, byAddress); found {
			continue
		}
		if len(addresses) == most {
			return append(addresses, "…")
		}
		addresses = append(addresses, e.Address)
	}
	return addresses
}
