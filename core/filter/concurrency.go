package filter

import (
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// ConcurrencyOptions say how many exchanges are served at once.
type ConcurrencyOptions struct {
	Limit int
	Queue int           // how many may wait for room
	Wait  time.Duration // how long each may
}

// Concurrency is the native filter that sheds load: past a bound on the exchanges under way some wait, and the rest is answered 503 with
// Retry-After. The newest of those that wait is the next: under overload the oldest would be late anyway, and all would be if they were
// served in turn. An exchange keeps its room to its end, whatever that is.
type Concurrency struct {
	o ConcurrencyOptions

	mu     sync.Mutex
	active int
	queue  []*waiter // the newest last
	shed   uint64
}

// waiter is an exchange that waits for room.
type waiter struct {
	called chan struct{} // closed when it has room, or has been shed
	shed   bool          // valid then
}

// ConcurrencyState is how a Concurrency is doing at one moment.
type ConcurrencyState struct {
	Limit, Active, Waiting int
	Shed                   uint64 // exchanges that were refused so far
}

// pollInterval is how often it is asked whether a client that waits is still there.
const pollInterval = 100 * time.Millisecond

// NewConcurrency returns a filter with room for o.Limit exchanges of all routes that it is given to.
func NewConcurrency(o ConcurrencyOptions) *Concurrency { return &Concurrency{o: o} }

// Hooks asks for the request, to take room, and for the end, to give it back.
func (c *Concurrency) Hooks() chain.Hooks { return chain.OnRequest | chain.OnEnd }

// Request takes room for the exchange, and waits for it if need be. Its error is a Fault.
func (c *Concurrency) Request(x *exchange.Exchange, _ int) (chain.Verdict, error) {
	w, ok := c.enter()
	if w != nil {
		f := c.wait(x, w)
		if f != nil {
			return chain.Continue, f
		}
		ok = !w.shed
	}
	if !ok {
		return chain.Continue, &fault.Fault{
			Kind: fault.Unavailable, Side: fault.Gateway, Reason: "too many requests are being served at once", RetryAfter: max(c.o.Wait, time.Second),
		}
	}
	return chain.Continue, nil
}

// Response is never called.
func (c *Concurrency) Response(*exchange.Exchange, int) error { return nil }

// End gives the exchange's room back.
func (c *Concurrency) End(*exchange.Exchange, int) { c.leave() }

// enter takes room if there is some, else a place among those that wait, from which the oldest goes when there are too many.
func (c *Concurrency) enter() (w *waiter, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active < c.o.Limit {
		c.active++
		return nil, true
	}
	if c.o.Queue == 0 {
		c.shed++
		return nil, false
	}
	if len(c.queue) >= c.o.Queue {
		oldest := c.queue[0]
		c.queue = slices.Delete(c.queue, 0, 1)
		oldest.shed = true
		c.shed++
		close(oldest.called)
	}
	w = &waiter{called: make(chan struct{})}
	c.queue = append(c.queue, w)
	return w, false
}

// leave hands room to the newest of those that wait.
func (c *Concurrency) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.queue) - 1
	if last < 0 {
		c.active--
		return
	}
	close(c.queue[last].called)
	c.queue[last] = nil
	c.queue = c.queue[:last]
}

// wait returns when the waiter has been called. A fault says that the client has gone.
func (c *Concurrency) wait(x *exchange.Exchange, w *waiter) *fault.Fault {
	late := time.NewTimer(c.o.Wait)
	defer late.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-w.called:
			return nil
		case <-late.C:
			c.giveUp(w, 1)
			return nil
		case <-tick.C:
			if x.Client != nil && x.Client.Gone() {
				if !c.giveUp(w, 0) {
					c.leave() // it had room already
				}
				return fault.New(fault.ClientGone, fault.Client, "")
			}
		}
	}
}

// giveUp takes the waiter out of the queue and counts it as shed or not; it reports false when it has been given room meanwhile.
func (c *Concurrency) giveUp(w *waiter, shed uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.queue, w)
	if at < 0 {
		return w.shed
	}
	c.queue = slices.Delete(c.queue, at, at+1)
	w.shed = true
	c.shed += shed
	return true
}

// State returns how it is doing.
func (c *Concurrency) State() ConcurrencyState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ConcurrencyState{Limit: c.o.Limit, Active: c.active, Waiting: len(c.queue), Shed: c.shed}
}
