package upstream

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// mux keeps the HTTP/2 connections to one endpoint: one as long as the server lets it have enough streams. The oldest is used
// first, so that those that load does not need grow old and are closed.
type mux struct {
	mu      sync.Mutex
	conns   []*muxConn
	dialing *dialing // nil when nobody connects
	closed  bool
	gate    *gate // bounds how many connections there may be; nil: nothing does
}

// muxConn is a connection that many exchanges use at once.
type muxConn struct {
	*http.ClientConn
	wire    *muxWire
	users   int  // exchanges; guarded by the mux, as is
	retired bool // it is closed when nobody uses it any more
}

// dialing is somebody's attempt to connect, which others wait for.
type dialing struct {
	done  chan struct{}
	fault *fault.Fault // valid once done is closed; nil also when the attempt says nothing about the endpoint
}

// take returns a connection with room for a stream, which the caller must use for one and then give back.
func (m *mux) take(t *http2Transport, e *Endpoint, x *exchange.Exchange, deadline time.Time) (*muxConn, *fault.Fault) {
	var late time.Time
	for {
		m.mu.Lock()
		if c := m.reserve(); c != nil {
			m.mu.Unlock()
			return c, nil
		}
		d := m.dialing
		if d == nil && m.isFull() {
			m.mu.Unlock()
			if f := m.gate.waitForStream(x, deadline, &late); f != nil {
				return nil, f
			}
			continue
		}
		if d == nil {
			m.dialing = &dialing{done: make(chan struct{})}
			m.mu.Unlock()
			began := time.Now()
			defer func() { x.Connect += time.Since(began) }()
			return m.dial(t, e, deadline)
		}
		m.mu.Unlock()
		if f := d.wait(deadline); f != nil {
			return nil, f
		}
	}
}

// reserve finds room on a connection that is there; the caller holds the lock.
func (m *mux) reserve() *muxConn {
	kept := m.conns[:0]
	var found *muxConn
	for _, c := range m.conns {
		switch {
		case found == nil && c.Reserve() == nil:
			c.users++
			found = c
		case c.Err() != nil:
			continue // closed: whoever still uses it will see
		}
		kept = append(kept, c)
	}
	clear(m.conns[len(kept):])
	m.conns = kept
	return found
}

// dial connects for the caller and for those who wait.
func (m *mux) dial(t *http2Transport, e *Endpoint, deadline time.Time) (*muxConn, *fault.Fault) {
	c, f := t.connect(e, deadline)
	if f == nil && c.Reserve() != nil {
		_ = c.Close() // unused: how it ends is of no interest
		c, f = nil, fault.New(fault.BadGateway, fault.Upstream, "upstream takes no requests")
		f.Code, f.Retry = fault.ConnectFailed, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.dialing
	m.dialing = nil
	if f == nil {
		c.users++
		m.conns = append(m.conns, c)
	} else if !isPast(deadline) {
		d.fault = f
	}
	close(d.done)
	return c, f
}

// wait returns why there is no new connection, nil when it is worth looking again.
func (d *dialing) wait(deadline time.Time) *fault.Fault {
	if deadline.IsZero() {
		<-d.done
		return d.copyFault()
	}
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	select {
	case <-d.done:
		return d.copyFault()
	case <-late.C:
		return &fault.Fault{Kind: fault.GatewayTimeout, Side: fault.Upstream, Code: fault.ConnectFailed, Reason: "upstream cannot be reached", Err: errLate}
	}
}

// copyFault returns a fault of the caller's own: exchanges may add to theirs.
func (d *dialing) copyFault() *fault.Fault {
	if d.fault == nil {
		return nil
	}
	f := *d.fault
	return &f
}

// release ends an exchange's use of a connection.
func (m *mux) release(c *muxConn) {
	m.mu.Lock()
	c.users--
	last := (m.closed || c.retired) && c.users == 0
	m.mu.Unlock()
	if last {
		_ = c.Close() // unused: how it ends is of no interest
	}
}

// retire gives no more exchanges to a connection whose user is still to give it back.
func (m *mux) retire(c *muxConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.retired = true
	m.conns = slices.DeleteFunc(m.conns, func(one *muxConn) bool { return one == c })
}

// close closes the connections that nobody uses now, and each other one when nobody does any more.
func (m *mux) close() {
	m.mu.Lock()
	m.closed = true
	var closing []*muxConn
	for _, c := range m.conns {
		if c.users == 0 {
			closing = append(closing, c)
		}
	}
	m.mu.Unlock()
	for _, c := range closing {
		_ = c.Close() // unused: how it ends is of no interest
	}
}

// unused returns how many connections are open that no exchange uses.
func (m *mux) unused() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, c := range m.conns {
		if c.users == 0 && c.Err() == nil {
			n++
		}
	}
	return n
}
