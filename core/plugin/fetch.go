package plugin

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// Fetcher sends requests to one upstream, through its pool, health and breaker. It may be used by many goroutines.
type Fetcher interface {
	// Fetch sends x.Req and fills x.Resp, whose last byte must be there by the deadline.
	Fetch(x *exchange.Exchange, deadline time.Time) *fault.Fault
}

// fetch is a request of a plugin's own, under way in a goroutine of its own or answered.
type fetch struct {
	x        *exchange.Exchange
	plugin   string // that has started it
	deadline time.Time
	done     chan struct{}
	fault    *fault.Fault // when done

	mu        sync.Mutex
	finished  bool
	abandoned bool // nobody wants the answer
}

var errFetchLate = errors.New("the deadline of a fetch has passed")

// run sends the request and holds the answer whole.
func (f *fetch) run(to Fetcher, pool *exchange.Pool) {
	f.fault = to.Fetch(f.x, f.deadline)
	if f.fault == nil {
		body := &f.x.Resp.Body
		if body.Source != nil {
			body.Source = &timed{body.Source, f.deadline}
		}
		if err := body.Hold(abi.MaxBody); err != nil {
			f.fault = fault.From(err)
		}
	}
	f.endSpan()
	close(f.done)
	f.settle(pool, func() { f.finished = true })
}

// settle gives the exchange back when the request has ended and nobody wants its answer any more.
func (f *fetch) settle(pool *exchange.Pool, change func()) {
	f.mu.Lock()
	change()
	over := f.finished && f.abandoned
	f.mu.Unlock()
	if over {
		pool.Put(f.x)
	}
}

// timed is a Source that has to be read by a deadline.
type timed struct {
	exchange.Source
	deadline time.Time
}

// Read fails when the deadline has passed.
func (t *timed) Read(p []byte) (int, error) {
	if !time.Now().Before(t.deadline) {
		return 0, fault.Wrap(fault.GatewayTimeout, fault.Upstream, errFetchLate)
	}
	return t.Source.Read(p)
}

// fetches are those of one filter in one exchange, and whatever else it waits for: the exchange keeps them in its slot until it ends.
type fetches struct {
	pool   *exchange.Pool
	client fetchClient
	list   []*fetch
	checks []*passwordCheck

	parked    savepoint // what the hook that waits has written
	responded bool
}

// answer returns the exchange of an answered fetch.
func (f *fetches) answer(p part) *exchange.Exchange { return f.list[p-firstFetch].x }

// wait waits until all fetches are in, and all passwords checked. Each has an end.
func (f *fetches) wait() {
	for _, one := range f.list {
		<-one.done
	}
	for _, one := range f.checks {
		<-one.done
	}
}

// pending reports whether one is under way.
func (f *fetches) pending() bool {
	for _, one := range f.list {
		select {
		case <-one.done:
		default:
			return true
		}
	}
	return slices.ContainsFunc(f.checks, (*passwordCheck).pending)
}

// abandon lets go of what is under way.
func (f *fetches) abandon() {
	f.client.leave()
	for _, one := range f.list {
		one.settle(f.pool, func() { one.abandoned = true })
	}
}

// fetchClient stands for the client of the exchange that fetches belong to: when it is gone, they are of no use.
type fetchClient struct {
	mu     sync.Mutex
	left   bool // the exchange has ended
	parent exchange.Client
}

// Gone implements exchange.Client.
func (c *fetchClient) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left || c.parent != nil && c.parent.Gone()
}

// Interim implements exchange.Client: nobody waits for 1xx answers.
func (c *fetchClient) Interim(int, *header.Fields) error { return nil }

func (c *fetchClient) leave() {
	c.mu.Lock()
	c.left, c.parent = true, nil
	c.mu.Unlock()
}
