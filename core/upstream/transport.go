package upstream

import (
	"errors"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/nonblock"
)

// http1Transport speaks HTTP/1.1 over connections that it keeps.
type http1Transport struct {
	dialer          dialer
	responseTimeout time.Duration
	limits          http1.Limits
	buffers         bufferPool
	copies          bufferPool
	pipes           nonblock.Pipes
}

func newHTTP1(o Options) *http1Transport {
	t := &http1Transport{dialer: dialer{o.ConnectTimeout}, responseTimeout: o.ResponseTimeout, limits: headLimits(o)}
	t.buffers.size, t.copies.size = bufferSize, copySize
	return t
}

// RoundTrip tries kept connections first. One that turns out to be dead is replaced, without counting as a retry:
// by the next when nothing was written, by a fresh one when the request can be sent again.
func (t *http1Transport) RoundTrip(x *exchange.Exchange, e *Endpoint, send Send) *fault.Fault {
	now := x.Times.Chain // shortly before: another look at the clock would cost more than it tells
	if x.Tries > 1 || now.IsZero() {
		now = x.Times.Now()
	}
	for c := e.idle.take(now); c != nil; c = e.idle.take(now) {
		c.reused = true
		f := c.roundTrip(x, send, now)
		if f == nil || !f.Retry || isPast(send.until()) {
			return f
		}
		send.renew(x)
		if !errors.Is(f.Err, errStale) {
			break
		}
	}
	began := x.Times.Now()
	c, f := t.dial(e, send)
	now = x.Times.Now()
	x.Connect += now.Sub(began)
	if f != nil {
		return f
	}
	return c.roundTrip(x, send, now)
}

// dial connects.
func (t *http1Transport) dial(e *Endpoint, send Send) (*conn, *fault.Fault) {
	raw, err := t.dialer.dial(e, t.dialer.limit(send.until()))
	if err != nil {
		return nil, cannotConnect(err)
	}
	return newConn(raw, t, e), nil
}

// headLimits returns what a response head may have.
func headLimits(o Options) http1.Limits {
	limits := o.HeadLimits
	if limits.Head <= 0 {
		limits.Head = defaultHead
	}
	if limits.Fields <= 0 {
		limits.Fields = defaultFields
	}
	return limits
}

// isIdempotent reports whether a request with that method may be sent twice (RFC 9110, section 9.2.2).
func isIdempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}
