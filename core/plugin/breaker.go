package plugin

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// A pool whose hooks fail so many times in a row is left alone for a while; then one hook tries whether it works again. The number is high and the
// first pause short, since those who can make a plugin fail by what they send would else shut it for everybody.
const (
	failuresToOpen = 16
	firstPause     = 100 * time.Millisecond
	lastPause      = 10 * time.Second
)

var errOpen = errors.New("the plugin keeps failing, and is left alone for a while")

// breaker keeps hooks away from a pool that keeps failing: making instances to see them fail costs more than hooks do.
type breaker struct {
	inRow atomic.Int64 // failures since the last success

	mu      sync.Mutex
	pause   time.Duration
	until   time.Time // no hook before
	probing bool      // a hook is trying
}

// pass reports whether a hook may run; succeeded, failed or abandoned must follow if so.
func (b *breaker) pass(now func() time.Time) bool {
	if b.inRow.Load() < failuresToOpen {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.probing || now().Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

// succeeded reports whether this closed an open breaker.
func (b *breaker) succeeded() (closed bool) {
	if b.inRow.Load() == 0 {
		return false
	}
	closed = b.inRow.Swap(0) >= failuresToOpen
	b.mu.Lock()
	b.pause, b.probing = 0, false
	b.mu.Unlock()
	return closed
}

// failed returns for how long this has opened the breaker, 0 if it has not.
func (b *breaker) failed(now time.Time) time.Duration {
	n := b.inRow.Add(1)
	if n < failuresToOpen {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > failuresToOpen && !b.probing { // it began before the breaker opened
		return 0
	}
	b.probing = false
	b.pause = min(max(2*b.pause, firstPause), lastPause)
	b.until = now.Add(b.pause)
	return b.pause
}

// abandoned is for a hook that never came to run.
func (b *breaker) abandoned() {
	b.mu.Lock()
	b.probing = false
	b.mu.Unlock()
}

// isOpen reports whether hooks are kept away.
func (b *breaker) isOpen() bool { return b.inRow.Load() >= failuresToOpen }

// noteSuccess tells the breaker of a hook that went well.
func (p *Pool) noteSuccess() {
	if p.breaker.succeeded() {
		p.plugin.log.Info("plugin works again")
	}
}

// noteOutage tells the breaker of a hook that failed for good. That there was no instance in time says that there is much to do, not that
// the plugin fails; that one was lost has been told by the hook that lost it.
func (p *Pool) noteOutage(err error) {
	if errors.Is(err, errBusy) || errors.Is(err, errClosed) || errors.Is(err, errLost) {
		p.breaker.abandoned()
		return
	}
	if pause := p.breaker.failed(time.Now()); pause > 0 {
		p.plugin.log.Warn("plugin keeps failing: it is left alone for a while", slog.String("pause", pause.String()), slog.Int64("failures", p.breaker.inRow.Load()))
	}
}
