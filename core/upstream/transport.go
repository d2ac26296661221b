package upstream

import (
	"errors"
	"net"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/nonblock"
)

// http1Transport speaks HTTP/1.1 over connections that it keeps.
type http1Transport struct {
	connectTimeout  time.Duration
	responseTimeout time.Duration
	limits          http1.Limits
	buffers         bufferPool
	copies          bufferPool
	pipes           nonblock.Pipes
}

func newHTTP1(o Options) *http1Transport {
	t := &http1Transport{connectTimeout: o.ConnectTimeout, responseTimeout: o.ResponseTimeout, limits: o.HeadLimits}
	if t.limits.Head <= 0 {
		t.limits.Head = defaultHead
	}
	if t.limits.Fields <= 0 {
		t.limits.Fields = defaultFields
	}
	t.buffers.size, t.copies.size = bufferSize, copySize
	return t
}

// RoundTrip tries kept connections first. One that turns out to be dead is replaced, without counting as a retry:
// by the next when nothing was written, by a fresh one when the request can be sent again.
func (t *http1Transport) RoundTrip(x *exchange.Exchange, e *Endpoint, send Send) *fault.Fault {
	now := time.Now()
	for c := e.idle.take(now); c != nil; c = e.idle.take(now) {
		c.reused = true
		f := c.roundTrip(x, send, now)
		if f == nil || !f.Retry || isPast(send.Deadline) {
			return f
		}
		x.Resp.Reset()
		if !errors.Is(f.Err, errStale) {
			break
		}
	}
	c, f := t.dial(e, send)
	if f != nil {
		return f
	}
	return c.roundTrip(x, send, time.Now())
}

// dial connects. Nothing has been sent when it fails, so another endpoint may be tried.
func (t *http1Transport) dial(e *Endpoint, send Send) (*conn, *fault.Fault) {
	d := net.Dialer{Timeout: t.connectTimeout, Deadline: send.Deadline}
	raw, err := d.Dial("tcp", e.address)
	if err == nil {
		return newConn(raw, t, e), nil
	}
	f := &fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Retry: true, Reason: "upstream cannot be reached", Err: err}
	if isTimeout(err) {
		f.Kind = fault.GatewayTimeout
	}
	return nil, f
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// isReplayable reports whether the request may be sent twice (RFC 9110, section 9.2.2) and still can be.
func isReplayable(r *exchange.Request) bool {
	switch r.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return r.Body.Whole()
	}
	return false
}
