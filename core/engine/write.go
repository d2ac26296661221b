package engine

import (
	"errors"
	"net"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

// respond writes the answer in x.Resp; it reports whether the connection may go on.
func (c *conn) respond(x *exchange.Exchange) (again bool) {
	c.startAnswer(x)
	r := &x.Resp
	if r.Status == 101 && r.Tunnel != nil && x.Req.Upgrade != "" {
		c.runTunnel(x)
		return false
	}
	if r.Status < 200 || r.Status > 999 {
		x.Fail(fault.Wrap(fault.Internal, fault.Gateway, errNoAnswer))
		x.KeepAlive = false
		r.Reset()
		r.Status = fault.Internal.Status()
	}
	if x.Unanswered() {
		x.KeepAlive = false
		_ = r.Body.Close() // nobody gets it
		return false
	}
	framing, content := c.frame(x)
	p := c.engine.pages.get()
	defer c.engine.pages.put(p)
	now := x.Times.Now()
	head := http1.AppendResponseHead(p[:0], r.Status, &r.Fields, framing, x.KeepAlive, c.http10, "", c.engine.date(now))
	x.SentHead = int64(len(head))
	a := answer{c: c, x: x, page: p, buf: head, framing: framing, now: now}
	if err := a.write(content); err != nil {
		x.Fail(err)
		x.KeepAlive = false
		c.abort()
		return false
	}
	_ = r.Body.Close() // all of it is written: how its source ends is of no interest to the client
	return x.KeepAlive
}

var (
	errNoAnswer  = errors.New("the handler left no valid status")
	errTooMuch   = errors.New("more content than its length says")
	errTooLittle = errors.New("less content than its length says")
)

// startAnswer rules out 1xx from here on, and settles whether the connection is to go on after the answer.
func (c *conn) startAnswer(x *exchange.Exchange) {
	c.sending.Lock()
	c.answering = true
	c.sending.Unlock()
	if c.isLeaving() || c.body != nil && !c.body.drainable() {
		x.KeepAlive = false
	}
}

// frame chooses how the answer's content is delimited, and whether there is any.
func (c *conn) frame(x *exchange.Exchange) (f http1.Framing, content bool) {
	r := &x.Resp
	switch {
	case x.Req.Method == "HEAD":
		if r.Body.Length < 0 {
			return http1.Framing{Length: -1, UntilClose: true}, false // no framing line; none is needed
		}
		return http1.Framing{Length: r.Body.Length}, false
	case r.Status == 204 || r.Status == 304:
		return http1.Framing{}, false
	case r.Trailers.Len() > 0 && !c.http10:
		return http1.Framing{Length: -1, Chunked: true}, true
	case r.Body.Source == nil:
		return http1.Framing{Length: int64(len(r.Body.Held))}, true
	case r.Body.Length >= 0:
		return http1.Framing{Length: r.Body.Length}, true
	case c.http10:
		x.KeepAlive = false
		return http1.Framing{Length: -1, UntilClose: true}, true
	}
	return http1.Framing{Length: -1, Chunked: true}, true
}

// abort lets the client see that the answer is cut short: with a reset, where the connection's end could be taken for
// the content's.
func (c *conn) abort() {
	if tcp, ok := c.sock.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.aborted = true
}
