package backend

import (
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/upstream"
)

// maxAnswer is how much of a copy's answer is read so that its connection can be used again.
const maxAnswer = 64 << 10

// MirrorOptions say what of a route's exchanges is sent to another upstream, too.
type MirrorOptions struct {
	Share       int   // of the exchanges, in percent
	MaxBody     int64 // bytes of content; exchanges with more are not copied
	Concurrency int   // copies under way at once; others are dropped
	// To is where the copies go, like the exchanges themselves go to Next.
	To *Proxy
}

// Mirror sends copies of exchanges to an upstream whose answers nobody sees. The exchanges do not wait for them, nor fail with them: a
// copy is sent once the exchange's own answer is there, and only if nothing stands in the way.
type Mirror struct {
	next   Answerer
	o      MirrorOptions
	turn   turn
	active atomic.Int64

	sent, failed, dropped atomic.Uint64
}

// MirrorState is how a Mirror is doing at one moment.
type MirrorState struct {
	Active                int64
	Sent, Failed, Dropped uint64 // copies: on their way or answered; not answered; not sent, since there was no room or too much content
}

// NewMirror returns a Mirror for what next answers.
func NewMirror(next Answerer, o MirrorOptions) *Mirror { return &Mirror{next: next, o: o} }

// Answer has next answer, and sends the copy.
func (m *Mirror) Answer(x *exchange.Exchange) *fault.Fault {
	if !m.wants(x) {
		return m.next.Answer(x)
	}
	c := m.copy(x)
	f := m.next.Answer(x)
	m.send(c)
	return f
}

// wants reports whether the exchange is one of the share. A conversation in another protocol cannot be copied.
func (m *Mirror) wants(x *exchange.Exchange) bool {
	if x.Req.Upgrade != "" || int(m.turn.next(100)) >= m.o.Share {
		return false
	}
	if x.Req.Body.Length > m.o.MaxBody {
		m.dropped.Add(1)
		return false
	}
	return true
}

// copied is the copy of an exchange, as it came to the backend.
type copied struct {
	x         *exchange.Exchange
	recording *upstream.Recording // of content that is still to come; nil: all is there
}

func (m *Mirror) copy(x *exchange.Exchange) copied {
	c := copied{x: &exchange.Exchange{ID: x.ID, Addr: x.Addr, Params: slices.Clone(x.Params), Route: x.Route}}
	from, to := &x.Req, &c.x.Req
	to.Method, to.Scheme, to.Host, to.Path, to.Query, to.Protocol = from.Method, from.Scheme, from.Host, from.Path, from.Query, from.Protocol
	for _, f := range from.Fields.All() {
		to.Fields.Add(f.Name, f.Value)
	}
	to.Fields.Set("X-Sallyport-Mirror", "1")
	if from.Body.Whole() {
		to.Body.Set(slices.Clone(from.Body.Held))
	} else {
		c.recording = upstream.Record(&from.Body, m.o.MaxBody)
	}
	return c
}

// send sends the copy from a goroutine of its own, if there is room and all of its content is there.
func (m *Mirror) send(c copied) {
	if c.recording != nil {
		content, ok := c.recording.Content()
		if !ok {
			m.dropped.Add(1)
			return
		}
		c.x.Req.Body.Set(content)
	}
	if m.active.Add(1) > int64(m.o.Concurrency) {
		m.active.Add(-1)
		m.dropped.Add(1)
		return
	}
	m.sent.Add(1)
	go m.carry(c.x)
}

// carry sends the copy and drops its answer. Whatever goes wrong with a copy must not end more than that.
func (m *Mirror) carry(x *exchange.Exchange) {
	defer m.active.Add(-1)
	defer func() {
		if recover() != nil {
			m.failed.Add(1)
		}
	}()
	defer x.Resp.Reset()
	x.Times.Start = time.Now()
	if f := m.o.To.Answer(x); f != nil {
		m.failed.Add(1)
		return
	}
	_, _ = io.CopyN(io.Discard, &x.Resp.Body, maxAnswer) // nobody is interested in how it ends
}

// State returns how it is doing.
func (m *Mirror) State() MirrorState {
	return MirrorState{Active: m.active.Load(), Sent: m.sent.Load(), Failed: m.failed.Load(), Dropped: m.dropped.Load()}
}
