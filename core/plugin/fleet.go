package plugin

import (
	"errors"
	"slices"
	"sync"
)

var (
	errClosed = errors.New("the plugin is closed")
	errBusy   = errors.New("no instance became idle in time")
)

// fleet is all instances of one plugin, over its pools: they share one bound. Its lock guards the pools' lists too.
type fleet struct {
	mu      sync.Mutex
	max     int
	total   int // instances there are or are being made
	pools   []*Pool
	waiting []*waiter // first come, first served
	blocked int       // instances that wait for a fetch
	closed  bool
	left    sync.Cond // a pool that is being closed has lost an instance
}

// waiter waits for an instance of its pool, or for room to make one.
type waiter struct {
	pool *Pool
	got  chan handover // holds one
}

// handover is what a waiter gets: an idle instance, or neither for the room to make one.
type handover struct {
	idle *instance
	err  error
}

func (f *fleet) init(most int) {
	f.max = most
	f.left.L = &f.mu
}

// mayWait counts an instance that is about to wait for a fetch, unless there are as many as may.
func (f *fleet) mayWait(most int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blocked >= most {
		return false
	}
	f.blocked++
	return true
}

func (f *fleet) waited() {
	f.mu.Lock()
	f.blocked--
	f.mu.Unlock()
}

// enter adds a pool, with room for its canary.
func (f *fleet) enter(p *Pool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.pools = append(f.pools, p)
	f.total++
	p.live++
	return true
}

// list closes the door and returns the pools that there are.
func (f *fleet) list() []*Pool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return slices.Clone(f.pools)
}

// release gives up the room of an instance of pool p that is no more.
func (f *fleet) release(p *Pool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.releaseLocked(p)
}

func (f *fleet) releaseLocked(p *Pool) {
	f.total--
	p.live--
	if p.closed {
		f.left.Broadcast()
	}
	f.passRoom()
}

// passRoom lets the first waiter make an instance if there is room for one.
func (f *fleet) passRoom() {
	if f.total < f.max && len(f.waiting) > 0 {
		w := f.waiting[0]
		f.waiting = slices.Delete(f.waiting, 0, 1)
		f.take(w.pool)
		w.got <- handover{}
	}
}

// take counts an instance of p that is about to be made.
func (f *fleet) take(p *Pool) {
	f.total++
	p.live++
}

// evict takes an idle instance from the pool that has most of them, with its room, for the caller to close.
func (f *fleet) evict() *instance {
	var from *Pool
	for _, p := range f.pools {
		if len(p.idle) > 0 && (from == nil || len(p.idle) > len(from.idle)) {
			from = p
		}
	}
	if from == nil {
		return nil
	}
	oldest := from.idle[0]
	from.idle = slices.Delete(from.idle, 0, 1)
	from.spare = min(from.spare, len(from.idle))
	from.live--
	f.total--
	from.stats.Evicted++
	return oldest
}

// leave takes a waiter that gives up out of the queue; it reports false when it has been served already.
func (f *fleet) leave(w *waiter) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.waiting, w)
	if i < 0 {
		return false
	}
	f.waiting = slices.Delete(f.waiting, i, i+1)
	w.pool.stats.TimedOut++
	return true
}

// dismiss turns away all who wait for pool p.
func (f *fleet) dismiss(p *Pool) {
	f.waiting = slices.DeleteFunc(f.waiting, func(w *waiter) bool {
		if w.pool == p {
			w.got <- handover{err: errClosed}
		}
		return w.pool == p
	})
}
