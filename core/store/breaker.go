package store

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	tolerated  = 5                      // failures in a row that open a breaker
	probeAfter = 500 * time.Millisecond // since the last failure
)

// breaker keeps operations from a store that keeps failing, but for one now and then that tries it. The zero value is closed.
type breaker struct {
	open  atomic.Bool
	clean atomic.Bool // nothing has failed since the last success: what is usual takes no lock

	mu       sync.Mutex
	failures int
	probe    time.Time // when the next one may go
}

// isOpen reports whether operations are kept away.
func (b *breaker) isOpen() bool { return b.open.Load() }

// enter reports whether an operation may be made. leave must follow then.
func (b *breaker) enter(now time.Time) bool {
	if !b.open.Load() {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.probe) {
		return false
	}
	b.probe = now.Add(probeAfter)
	return true
}

// leave tells how an operation went, and reports whether that opened or closed the breaker.
func (b *breaker) leave(now time.Time, err error) (changed bool) {
	if err == nil && b.clean.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.failures = 0
		b.clean.Store(true)
		return b.open.Swap(false)
	}
	b.clean.Store(false)
	if b.failures++; b.failures < tolerated {
		return false
	}
	b.probe = now.Add(probeAfter)
	return !b.open.Swap(true)
}
