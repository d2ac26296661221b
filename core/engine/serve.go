package engine

import (
	"crypto/tls"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

// begin makes an Exchange of the head in hand; nil when its end is still to come.
func (c *conn) begin() *exchange.Exchange {
	head := c.in.bytes()
	if string(head) == "\r\n" { // some clients send it behind content; it does not begin a head
		c.in.take(len(head))
		return nil
	}
	if len(head) == 0 {
		return nil
	}
	o := c.options()
	if !c.served && o.HTTP2 && c.beginsHTTP2(head) {
		return nil
	}
	end := http1.FindHead(head, c.in.scanned)
	if end < 0 && len(head) <= o.Limits.Head {
		c.in.scanned = len(head)
		return nil
	}
	if end < 0 {
		end = len(head) // the parser knows what is too large in it
	}
	x, h, f := c.parse(end, o)
	if f == nil {
		f = c.openBody(x, h)
	}
	if f != nil {
		c.fail(x, f)
	}
	return x
}

// beginsHTTP2 reports whether head is the beginning of an HTTP/2 connection, and notes when that is whole. With TLS it is the
// handshake that chooses the protocol.
func (c *conn) beginsHTTP2(head []byte) bool {
	n := min(len(head), len(http2Preface))
	if string(head[:n]) != http2Preface[:n] {
		return false
	}
	if _, secure := c.nc.(*tls.Conn); secure {
		return false
	}
	c.isHTTP2 = n == len(http2Preface)
	return true
}

// parse makes an Exchange of the first end bytes in hand.
func (c *conn) parse(end int, o *Options) (*exchange.Exchange, http1.RequestHead, *fault.Fault) {
	x := c.engine.exchanges.Get()
	x.Times.Start = c.started
	h, f := http1.ParseRequest(x.Text.Copy(c.in.take(end)), o.Limits, &x.Req.Fields)
	c.in.scanned, c.in.floor = 0, c.in.r
	x.Client = c
	x.Peer = c.peer
	x.ReceivedHead = int64(end)
	x.HTTPSPort = o.RedirectHTTPS
	c.keeps = h.KeepAlive
	x.KeepAlive = h.KeepAlive && !c.isLeaving()
	x.Req.Method, x.Req.Host, x.Req.Path, x.Req.Query, x.Req.Upgrade = h.Method, h.Host, h.Path, h.Query, h.Upgrade
	x.Req.Scheme = "http"
	if c.secured != nil {
		x.Req.Scheme = "https"
	}
	if c.http10 = h.HTTP10; c.http10 {
		x.Req.Protocol = exchange.HTTP10
	}
	forward(x, o, hop{c.peer.Addr(), c.peerText}, c.trusts(o))
	if f != nil {
		x.Asked = askedFor(h.Target)
	}
	if c.secured != nil {
		c.secured.apply(x)
	}
	return x, h, f
}

// maxAsked is how much of a refused target the log shows.
const maxAsked = 1 << 10

// askedFor takes apart the target of a head that is refused: its path has no canonical form, or none was looked for.
func askedFor(target string) exchange.Asked {
	path, query, _ := strings.Cut(target[:min(len(target), maxAsked)], "?")
	return exchange.Asked{Path: path, Query: query}
}

// fail lets x be answered with f, as the connection's last.
func (c *conn) fail(x *exchange.Exchange, f *fault.Fault) {
	x.Fault = f
	x.KeepAlive = false
	x.Req.Upgrade = ""
	c.lingers = true
}

// refuse answers the incomplete head in hand with f.
func (c *conn) refuse(f *fault.Fault) {
	x, _, _ := c.parse(len(c.in.bytes()), c.options())
	c.fail(x, f)
	c.exchange(x)
}

// exchange has x served, answers and ends it; it reports whether another may follow on the connection.
func (c *conn) exchange(x *exchange.Exchange) (again bool) {
	defer func() {
		if cause := recover(); cause != nil {
			x.Fail(c.engine.recovered(cause))
			x.KeepAlive = false
			c.abort()
			again = false
		}
		again = c.end(x) && again
		c.lingers = c.lingers || (c.keeps && !again)
	}()
	c.engine.handler.Serve(x)
	return c.respond(x) && !c.outdated.Load() // even if the answer had begun before, and promised more
}

// recovered logs a panic.
func (e *Engine) recovered(cause any) *fault.Fault {
	e.log.Error("panic in an exchange", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	return fault.Wrap(fault.Internal, fault.Gateway, fmt.Errorf("panic: %v", cause))
}

// end ends x; it reports whether the connection stands at the beginning of another request.
func (c *conn) end(x *exchange.Exchange) (clean bool) {
	x.Received = c.received
	if c.body != nil {
		x.Received += c.body.received.Load()
	}
	x.Times.End = x.Times.Now()
	c.lastUse, c.started = x.Times.End, x.Times.End
	ended := c.engine.handEnd(x)
	clean = ended
	if c.body != nil {
		// Only now may the rest be read here: until End, another goroutine may have been at it.
		if !c.body.finish(clean && x.KeepAlive) {
			clean, c.lingers = false, true
		}
		c.body = nil
		c.lastUse = x.Times.Now()
	}
	if ended {
		c.engine.exchanges.Put(x)
	} else { // who knows what still uses it: close what it holds, but do not lend it again
		_ = x.Req.Body.Close()
		x.Resp.Reset()
	}
	c.received, c.answering, c.served = 0, false, true
	c.in.rewind(&c.engine.pages)
	return clean
}

// handEnd calls the Handler's End; it reports false when that panicked.
func (e *Engine) handEnd(x *exchange.Exchange) (ok bool) {
	defer func() {
		if cause := recover(); cause != nil {
			e.recovered(cause)
		}
	}()
	e.handler.End(x)
	return true
}
