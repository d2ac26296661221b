package engine

import (
	"sync"
	"sync/atomic"
	"time"
)

// watch acts when an operation takes longer than it may. Operations follow each other; begin and end are called by who does
// them. Beginning and ending one costs no more than the time of day, once the first has.
type watch struct {
	act   func()       // called once at most, by another goroutine; set before the first operation
	since atomic.Int64 // when the operation began, in Unix nanoseconds; 0: none is under way

	mu    sync.Mutex // guards what follows
	limit time.Duration
	timer *time.Timer
	over  bool
}

// begin notes the beginning of an operation that may take limit. The first one's limit is that of all.
func (w *watch) begin(limit time.Duration) {
	w.since.Store(time.Now().UnixNano())
	if w.limit != 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = limit
	if !w.over {
		w.timer = time.AfterFunc(limit, w.look)
	}
}

// end notes that the operation has ended.
func (w *watch) end() { w.since.Store(0) }

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	since := w.since.Load()
	if since == 0 {
		w.timer.Reset(w.limit)
		return
	}
	if left := w.limit - time.Since(time.Unix(0, since)); left > 0 {
		w.timer.Reset(left)
		return
	}
	w.over = true
	w.act()
}

// stop ends the watch; when it returns, act has either returned or is not called any more.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
}
