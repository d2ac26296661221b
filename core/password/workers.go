package password

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// Bounds of the work under way and of the queue before it.
const (
	maxWaiting = 64
	patience   = 5 * time.Second
	maxMemory  = 256 << 20 // of all hashes that are computed at once
)

// cost is what a hash takes while it is computed.
type cost struct {
	cores  int
	memory int // bytes
}

// Workers bound how many hashes are computed at once: by cores, of which one is left to others, and by memory. Who comes when all are
// taken waits in turn; when too many wait, or one has waited too long, it is refused. A Workers may be used by many goroutines.
type Workers struct {
	cores    int
	patience time.Duration

	mu      sync.Mutex
	busy    cost
	waiting []*waiter
}

type waiter struct {
	cost
	ready chan struct{}
}

// NewWorkers returns Workers on all cores but one.
func NewWorkers() *Workers {
	return &Workers{cores: max(1, runtime.GOMAXPROCS(0)-1), patience: patience}
}

// enter waits until there is room for c.
func (w *Workers) enter(c cost) error {
	c = w.bounded(c)
	w.mu.Lock()
	if len(w.waiting) == 0 && w.fits(c) {
		w.take(c)
		w.mu.Unlock()
		return nil
	}
	if len(w.waiting) >= maxWaiting {
		w.mu.Unlock()
		return ErrBusy
	}
	mine := &waiter{c, make(chan struct{})}
	w.waiting = append(w.waiting, mine)
	w.mu.Unlock()
	return w.await(mine)
}

func (w *Workers) await(mine *waiter) error {
	late := time.NewTimer(w.patience)
	defer late.Stop()
	select {
	case <-mine.ready:
		return nil
	case <-late.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.waiting, mine)
	if i < 0 {
		return nil // it was its turn in this very moment
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
	w.admit() // those behind may be smaller
	return ErrLate
}

// leave gives the room back.
func (w *Workers) leave(c cost) {
	c = w.bounded(c)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy.cores -= c.cores
	w.busy.memory -= c.memory
	w.admit()
}

// admit lets in those who are first and have room now.
func (w *Workers) admit() {
	for len(w.waiting) > 0 && w.fits(w.waiting[0].cost) {
		first := w.waiting[0]
		w.waiting = slices.Delete(w.waiting, 0, 1)
		w.take(first.cost)
		close(first.ready)
	}
}

// bounded makes c one that fits when nothing else runs.
func (w *Workers) bounded(c cost) cost {
	return cost{min(max(c.cores, 1), w.cores), min(c.memory, maxMemory)}
}

func (w *Workers) fits(c cost) bool {
	return w.busy.cores+c.cores <= w.cores && w.busy.memory+c.memory <= maxMemory
}

func (w *Workers) take(c cost) {
	w.busy.cores += c.cores
	w.busy.memory += c.memory
}
