package discover

import (
	"log/slog"
	"slices"
	"time"
)

// How often a feed logs at most, within a span, that its endpoints have changed, that it fails for another reason than before, and that it
// fails for the same. That it works again is told of the failures that were told.
const (
	span        = time.Minute
	mostChanges = 10
	mostReasons = 10
	mostSame    = 1
)

// mostNamed is how many addresses a line in the log names.
const mostNamed = 20

// feedLog tells of a Feed, not too often.
type feedLog struct {
	log                           *slog.Logger
	changes, failures, recoveries quiet
	reason                        string // of the failure that was logged last
	logged                        bool   // a failure was, since it last worked
}

// failed tells that the source could not, and that n endpoints stay.
func (l *feedLog) failed(err error, n int) {
	most := mostReasons
	if err.Error() == l.reason {
		most = mostSame
	}
	if skipped, ok := l.failures.ask(most); ok {
		l.reason, l.logged = err.Error(), true
		l.log.Warn("discovery failed, what it has not told stays as it was", "error", err, "endpoints", n, "unsaid", skipped)
	}
}

func (l *feedLog) recovered() {
	most := 0
	if l.logged {
		most, l.logged = mostReasons, false
	}
	if skipped, ok := l.recoveries.ask(most); ok {
		l.log.Info("discovery works again", "unsaid", skipped)
	}
}

// changed tells what is new in after and what was only in before. Both are sorted.
func (l *feedLog) changed(before, after []Endpoint) {
	if skipped, ok := l.changes.ask(mostChanges); ok {
		l.log.Info("endpoints have changed", "endpoints", len(after), "added", missing(after, before), "removed", missing(before, after), "unsaid", skipped)
	}
}

// quiet bounds the lines of one kind.
type quiet struct {
	begin  time.Time // of the span that counts
	lines  int       // written in it
	unsaid uint64    // since the last that was written
}

// ask reports whether a line may be written now, being one of the most in its span, and how many were not since the last.
func (q *quiet) ask(most int) (unsaid uint64, ok bool) {
	if now := time.Now(); now.Sub(q.begin) >= span {
		q.begin, q.lines = now, 0
	}
	if q.lines >= most {
		q.unsaid++
		return 0, false
	}
	q.lines++
	unsaid, q.unsaid = q.unsaid, 0
	return unsaid, true
}

// missing returns addresses of list that are not in other, some of them if there are many.
func missing(list, other []Endpoint) []string {
	addresses := []string{}
	for _, e := range list {
		if _, found := slices.BinarySearchFunc(other, e, byAddress); found {
			continue
		}
		if len(addresses) == mostNamed {
			return append(addresses, "…")
		}
		addresses = append(addresses, e.Address)
	}
	return addresses
}
