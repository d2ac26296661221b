package upstream

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// LimitOptions bound what an Upstream takes at once. Of each, 0 is no bound, but for MaxPending, of which it is none.
type LimitOptions struct {
	MaxConnections int           // to one endpoint, used or not
	MaxRequests    int           // to all together, to the end of their answers
	MaxPending     int           // exchanges that wait for one of the two
	PendingTimeout time.Duration // how long each may wait
	MaxRetries     int           // retries under way
}

// gate lets exchanges in as long as there is room, and has others wait in turn. Those who hold room give it back by leave, once. A nil
// gate has room for all.
type gate struct {
	o      LimitOptions
	shared bool // connections carry many exchanges: they are counted where they are made

	mu       sync.Mutex
	requests int
	queue    []*ticket // the longest waiting first
	turn     bool      // one was woken, and has not yet gone in or back
	leaves   uint64    // so far, and changes of the endpoints: who looks before it waits must not miss one

	pending  atomic.Int64
	overflew atomic.Uint64
}

// enter takes room at the endpoint; only who was woken may overtake those that wait.
func (g *gate) enter(e *Endpoint, woken bool) bool {
	if g == nil {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !woken && g.waited() || !g.fits(e) {
		return false
	}
	g.requests++
	e.entered++
	return true
}

// waited reports whether somebody is to be let in before newcomers are.
func (g *gate) waited() bool { return g.turn || len(g.queue) > 0 }

func (g *gate) fits(e *Endpoint) bool {
	if g.o.MaxRequests > 0 && g.requests >= g.o.MaxRequests {
		return false
	}
	return g.shared || g.o.MaxConnections == 0 || e.entered < g.o.MaxConnections
}

// hasRoom reports whether enter would succeed now.
func (g *gate) hasRoom(e *Endpoint) bool {
	if g == nil {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.waited() && g.fits(e)
}

// leave gives room back, and lets the next one look for it.
func (g *gate) leave(e *Endpoint) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests--
	e.entered--
	g.leaves++
	g.wake()
}

// look has those who wait look again, since there are other endpoints: the first, and if there is room for it the next, and so on.
func (g *gate) look() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaves++
	g.wake()
}

// wake wakes who has waited longest, unless another is about to look: that one wakes the next, and would be overtaken. The caller holds
// the lock.
func (g *gate) wake() {
	if !g.turn && len(g.queue) > 0 {
		g.turn = true
		close(g.queue[0].called)
		g.queue = slices.Delete(g.queue, 0, 1)
	}
}

// version changes whenever room has been given back.
func (g *gate) version() uint64 {
	if g == nil {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.leaves
}

// overflow makes a fault of there being no room.
func (g *gate) overflow() *fault.Fault {
	g.overflew.Add(1)
	f := fault.New(fault.Unavailable, fault.Gateway, "upstream overflow: its limit of requests or connections is reached")
	f.Code, f.RetryAfter = fault.Overflow, time.Second
	return f
}

// ticket is an exchange's place in a gate's queue.
type ticket struct {
	g      *gate
	called chan struct{} // closed when it is its turn; nil before it waits
	until  time.Time     // it waits no longer
	woken  bool          // it is its turn, until leave
}

// wait waits for its turn to look for room, unless room was given back after seen. Who was woken in vain is the next again.
func (q *ticket) wait(x *exchange.Exchange, deadline time.Time, seen uint64) *fault.Fault {
	now := time.Now()
	if q.until.IsZero() {
		q.until = earlier(deadline, now.Add(q.g.o.PendingTimeout))
	}
	joined, f := q.join(seen)
	if f != nil || !joined {
		return f
	}
	q.g.pending.Add(1)
	defer q.g.pending.Add(-1)
	for ; now.Before(q.until); now = time.Now() {
		timer := time.NewTimer(min(q.until.Sub(now), firstSlice))
		select {
		case <-q.called:
			timer.Stop()
			q.woken = true
			return nil
		case <-timer.C:
		}
		if isGone(x) {
			q.quit()
			return fault.Wrap(fault.ClientGone, fault.Client, errGone)
		}
	}
	if q.quit(); q.woken {
		return nil // at the last moment
	}
	return q.g.overflow()
}

// join queues up; it reports false when it is better to look again.
func (q *ticket) join(seen uint64) (bool, *fault.Fault) {
	g := q.g
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.leaves != seen && (q.woken || !g.waited()):
		return false, nil
	case len(g.queue) >= g.o.MaxPending || !time.Now().Before(q.until):
		return false, g.overflow()
	}
	q.called = make(chan struct{})
	if q.woken {
		g.turn = false
		g.queue = slices.Insert(g.queue, 0, q)
	} else {
		g.queue = append(g.queue, q)
	}
	q.woken = false
	return true, nil
}

// quit takes it out of the queue; if it has just been woken, it is its turn.
func (q *ticket) quit() {
	q.g.mu.Lock()
	defer q.g.mu.Unlock()
	at := slices.Index(q.g.queue, q)
	if at < 0 {
		q.woken = true
		return
	}
	q.g.queue = slices.Delete(q.g.queue, at, at+1)
}

// leave ends its turn: there may be room for the next one, too.
func (q *ticket) leave() {
	if !q.woken {
		return
	}
	q.woken = false
	q.g.mu.Lock()
	defer q.g.mu.Unlock()
	q.g.turn = false
	q.g.wake()
}
