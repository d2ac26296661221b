package upstream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Reasons for which an endpoint gets no exchanges; it may have several.
const (
	reasonFailed    uint32 = 1 << iota // its health checks fail
	reasonUnchecked                    // it has joined others that serve, and no check has been through yet
	reasonEjected                      // its exchanges went wrong
	reasonDrained                      // the operator wants it to have none
)

// standing is what is known of a server beyond one set of connections to it: it stays when the weight of its endpoint changes, and is
// taken over by the next Upstream of the same name.
type standing struct {
	home    *Upstream
	address string
	reasons atomic.Uint32 // none: it is usable; written with mu held
	tally   *tally        // nil without ejection
	check   *check        // nil without health checks

	mu      sync.Mutex
	started bool
	stopped bool
	joined  time.Time
	since   time.Time // of its being usable, or not
	checks  checkRecord
	ejected ejectRecord
	weighed weighed
}

// usable reports whether e may get exchanges. It takes no lock.
func (e *Endpoint) usable() bool { return e.standing.reasons.Load() == 0 }

// unchecked reports whether nothing speaks against e but that its first check is still to come.
func (e *Endpoint) unchecked() bool { return e.standing.reasons.Load() == reasonUnchecked }

// drained reports whether the operator wants e to have no exchanges, not even in a panic.
func (e *Endpoint) drained() bool { return e.standing.reasons.Load()&reasonDrained != 0 }

// newStanding returns what is known of an endpoint that joins: nothing, but maybe a reason to wait.
func newStanding(u *Upstream, one EndpointOptions, reasons uint32) (*standing, error) {
	now := time.Now()
	s := &standing{home: u, address: one.Address, joined: now, since: now}
	s.reasons.Store(reasons)
	if u.ejector != nil {
		s.tally = &tally{of: s}
	}
	if u.checker == nil {
		return s, nil
	}
	var err error
	s.check, err = newCheck(u.checker, s, one)
	return s, err
}

// inherit returns a copy for u, without what u has no means to ever change.
func (s *standing) inherit(u *Upstream) (*standing, error) {
	next, err := newStanding(u, EndpointOptions{Address: s.address}, 0)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	reasons := s.reasons.Load()
	next.joined, next.since, next.weighed = s.joined, s.since, s.weighed
	if u.checker != nil {
		next.checks = s.checks
	} else {
		reasons &^= reasonFailed | reasonUnchecked
	}
	if u.ejector != nil && s.tally != nil {
		next.ejected = s.ejected
		next.ejected.timer = nil
		next.tally.takeOver(s.tally)
	} else {
		reasons &^= reasonEjected
	}
	if reasons == 0 && s.reasons.Load() != 0 {
		next.since = time.Now()
	}
	next.reasons.Store(reasons)
	return next, nil
}

// start begins what goes on by itself: the checks, and the end of an ejection that is under way.
func (s *standing) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.stopped {
		return
	}
	s.started = true
	if s.reasons.Load()&reasonEjected != 0 {
		s.ejected.timer = time.AfterFunc(time.Until(s.ejected.until), s.comeBack)
	}
	if s.check != nil {
		s.check.arm(firstCheck(s.checks.total > 0, s.home.checker.options.Interval))
	}
}

// stop ends it for good.
func (s *standing) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.ejected.timer != nil {
		s.ejected.timer.Stop()
	}
	if s.check != nil {
		s.check.end()
	}
}

// mark changes the reasons and returns the old ones and the new; the caller holds the lock, and calls announce without it.
func (s *standing) mark(add, remove uint32) (before, after uint32) {
	before = s.reasons.Load()
	after = before&^remove | add
	if (before == 0) != (after == 0) {
		s.since = time.Now()
	}
	s.reasons.Store(after)
	return before, after
}

// announce tells of a change, if it is one: the log, and the Upstream that has to choose among others from now on.
func (s *standing) announce(before, after uint32, why string) {
	if before == after {
		return
	}
	level, message := slog.LevelInfo, "an endpoint's standing has changed"
	switch {
	case before == 0:
		level, message = slog.LevelWarn, "an endpoint gets no more exchanges"
	case after == 0:
		message = "an endpoint gets exchanges again"
	}
	u := s.home
	u.log(level, message, "endpoint", s.address, "why", why, "reasons", reasonNames(after))
	if (before == 0) == (after == 0) && (before^after)&reasonDrained == 0 && (before == reasonUnchecked) == (after == reasonUnchecked) {
		return
	}
	if err := u.refresh(); err != nil {
		u.log(slog.LevelError, "an upstream cannot choose anew", "error", err)
	}
}

func (u *Upstream) log(level slog.Level, message string, args ...any) {
	if u.options.Log != nil {
		u.options.Log.Log(context.Background(), level, message, args...)
	}
}

// Drain takes an endpoint out of service for the operator, or puts it back; what it is busy with is finished. It lasts until it is taken
// back, and as long as the endpoint is among those of the Upstream, reloads included. Any goroutine may call it.
func (u *Upstream) Drain(address string, drained bool) error {
	for _, e := range u.all() {
		if e.address == address {
			e.standing.drain(drained)
			return nil
		}
	}
	return fmt.Errorf("upstream %q has no endpoint %q", u.options.Name, address)
}

func (s *standing) drain(drained bool) {
	add, remove, why := reasonDrained, uint32(0), "the operator drains it"
	if !drained {
		add, remove, why = 0, reasonDrained, "the operator has put it back"
	}
	s.mu.Lock()
	before, after := s.mark(add, remove)
	s.mu.Unlock()
	s.announce(before, after, why)
}
