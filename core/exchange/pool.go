package exchange

import (
	"sync"
	"sync/atomic"
)

// maxStateRoom is the most memory of a filter's state that an idle Exchange keeps.
const maxStateRoom = 4 << 10

// Pool lends Exchanges. The zero value is ready; it may be used by many goroutines.
type Pool struct {
	free   sync.Pool
	made   atomic.Uint32
	number atomic.Uint64
}

// Get returns an empty Exchange. What it numbers are blocks of 1 024, so that Get touches no shared cache line.
func (p *Pool) Get() *Exchange {
	l, _ := p.free.Get().(*lent)
	if l == nil {
		l = &lent{}
		l.x.Shard = p.made.Add(1)
		l.x.lent = l
	}
	if l.next&1023 == 0 {
		l.next = p.number.Add(1) << 10
	}
	l.next++
	l.x.Number = l.next
	return &l.x
}

// Put takes an Exchange back; its bodies are closed, nothing of it may be used afterwards.
func (p *Pool) Put(x *Exchange) {
	x.reset()
	p.free.Put(x.lent)
}

// lent is an Exchange with what the pool remembers of it.
type lent struct {
	x    Exchange
	next uint64
}

func (x *Exchange) reset() {
	x.Req.Body.Reset()
	x.Resp.Reset()
	x.Req.Fields.Reset()
	x.Req.Trailers.Reset()
	clear(x.attrs)
	for i := range x.states {
		if cap(x.states[i]) > maxStateRoom {
			x.states[i] = nil
		}
		x.states[i] = x.states[i][:0]
	}
	x.CloseSlots()
	clear(x.Params)
	clear(x.Took)
	*x = Exchange{
		Req:    Request{Fields: x.Req.Fields, Trailers: x.Req.Trailers},
		Resp:   Response{Fields: x.Resp.Fields, Trailers: x.Resp.Trailers},
		Shard:  x.Shard,
		Text:   x.Text,
		Params: x.Params[:0],
		Took:   x.Took[:0],
		attrs:  x.attrs[:0],
		states: x.states[:0],
		slots:  x.slots[:0],
		lent:   x.lent,
	}
}
