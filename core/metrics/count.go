package metrics

import (
	"sync/atomic"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// Route counts the exchanges of one route. One that gets none has next to no memory.
type Route struct {
	book     *Book
	name     string
	counters atomic.Pointer[routeCounters] // nil: none yet
	latest   atomic.Pointer[Upstream]      // that an exchange went to: mostly the next one's, too

	// guarded by book.mu
	path  string
	users int
	gone  bool // no generation has it any more
}

type routeCounters struct {
	durations series
	overhead  histogram
	content   []content
	faults    atomic.Pointer[faults] // nil: none yet
}

// content is one shard of what was read and written.
type content struct {
	received, sent atomic.Uint64
	_              [48]byte
}

// faults are counted by kind and side.
type faults [fault.Kinds][fault.Sides]atomic.Uint64

func (b *Book) newRouteCounters() *routeCounters {
	return &routeCounters{overhead: newHistogram(b.overheads, b.shards), content: make([]content, b.shards)}
}

// Upstream counts the exchanges that went to one upstream.
type Upstream struct {
	book    *Book
	name    string
	answers series
	retries atomic.Uint64

	users int // guarded by book.mu
}

// Count takes in an exchange that has ended, of that route; nil: of none.
func (b *Book) Count(r *Route, x *exchange.Exchange) {
	if r == nil {
		r = b.none
	}
	c := r.counters.Load()
	if c == nil {
		c = b.admit(r)
	}
	method := methodIndex(x.Req.Method)
	secure := x.Req.Scheme == "https"
	c.durations.observe(b, newLabel(method, statusIndex(x.Resp.Status), secure), x.Shard, x.Times.End.Sub(x.Times.Start))
	c.countContent(x)
	if x.Fault != nil {
		c.countFault(x.Fault)
	}
	if x.Upstream == "" {
		return
	}
	if isTimed(x) {
		c.overhead.observe(x.Shard, x.Times.End.Sub(x.Times.Start)-x.Times.Answered.Sub(x.Times.Sent))
	}
	if u := r.upstream(x.Upstream); u != nil {
		u.count(method, x)
	}
}

// isTimed reports whether it is known how long the gateway has waited for the upstream: it was asked once, and its answer came in one piece.
func isTimed(x *exchange.Exchange) bool {
	body := &x.Resp.Body
	return x.Tries == 1 && x.Answer != 0 && !x.Times.Sent.IsZero() && x.Resp.Tunnel == nil &&
		body.Length >= 0 && int64(len(body.Held)) >= body.Length
}

func (c *routeCounters) countContent(x *exchange.Exchange) {
	shard := &c.content[x.Shard&uint32(len(c.content)-1)]
	if x.Received > 0 {
		shard.received.Add(uint64(x.Received))
	}
	if x.Sent > 0 {
		shard.sent.Add(uint64(x.Sent))
	}
}

func (c *routeCounters) countFault(f *fault.Fault) {
	all := c.faults.Load()
	if all == nil {
		c.faults.CompareAndSwap(nil, &faults{})
		all = c.faults.Load()
	}
	all[f.Kind][f.Side].Add(1)
}

// upstream returns nil for one that no generation has any more.
func (r *Route) upstream(name string) *Upstream {
	if u := r.latest.Load(); u != nil && u.name == name {
		return u
	}
	u := (*r.book.upstreams.Load())[name]
	if u != nil {
		r.latest.Store(u)
	}
	return u
}

// count takes in how long the answer's head was waited for, or the fault that came instead.
func (u *Upstream) count(method uint8, x *exchange.Exchange) {
	if x.Tries > 1 {
		u.retries.Add(uint64(x.Tries - 1))
	}
	t := &x.Times
	switch {
	case x.Answer != 0 && !t.Sent.IsZero():
		u.answers.observe(u.book, newLabel(method, statusIndex(x.Answer), false), x.Shard, t.Answered.Sub(t.Sent))
	case x.Fault != nil:
		u.answers.observe(u.book, newLabel(method, failed(x.Fault.Kind), false), x.Shard, t.End.Sub(t.Chain))
	}
}
