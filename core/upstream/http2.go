package upstream

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

const (
	// streamBuffer is how much of an answer may wait here for a client that is slow.
	streamBuffer = 256 << 10
	// readFrame is the largest frame that servers may send.
	readFrame = 64 << 10
	// maxRefusals is how often an exchange is sent to the same endpoint again after it has refused the stream: the room on the
	// connection may have shrunk, or the connection is being closed.
	maxRefusals = 2
)

// http2Transport speaks HTTP/2 by way of net/http, over connections that many exchanges share. Which connection to use, when to
// connect and when to try again is decided here.
type http2Transport struct {
	dialer          dialer
	responseTimeout time.Duration
	limits          http1.Limits
	scheme          string
	net             *http.Transport
}

func newHTTP2(o Options) *http2Transport {
	t := &http2Transport{dialer: dialer{o.ConnectTimeout}, responseTimeout: o.ResponseTimeout, limits: headLimits(o), scheme: "http"}
	if o.TLS != nil {
		t.scheme = "https"
	}
	t.net = newNet(o, t.limits.Head)
	return t
}

// RoundTrip sends the exchange's request as a stream of its own. A stream that the server refuses is tried once more on another one, or
// on another connection, without counting as a retry.
func (t *http2Transport) RoundTrip(x *exchange.Exchange, e *Endpoint, send Send) *fault.Fault {
	for refusals := 0; ; {
		c, f := e.mux.take(t, e, x, send.until())
		if f != nil {
			return f
		}
		s := newStream(t, x, e, c, send)
		f = s.roundTrip()
		if f == nil || !f.Retry || !errors.As(f.Err, new(unprocessed)) || isPast(send.until()) {
			return f
		}
		if refusals++; refusals == maxRefusals {
			return f
		}
		send.renew(x)
	}
}

// unprocessed is a failure after which the server has not acted on the request, nor will.
type unprocessed struct{ why error }

func (e unprocessed) Error() string { return "not processed: " + e.why.Error() }
func (e unprocessed) Unwrap() error { return e.why }

// streamError has the form of net/http's own, which it can be had as.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "stream error" }

const (
	codeRefused = 7 // REFUSED_STREAM: RFC 9113, section 8.7
	// goneAway begins net/http's error for a stream beyond the last one that a GOAWAY says is served.
	goneAway = "http2: Transport received "
)

// isRefused reports whether the server has said that it has not acted on the stream.
func isRefused(err error) bool {
	var reset streamError
	if errors.As(err, &reset) {
		return reset.Code == codeRefused
	}
	return strings.HasPrefix(err.Error(), goneAway)
}

// isInvalid reports whether the server's answer was not understood, as against cut short by the server.
func isInvalid(err error) bool {
	var reset streamError
	return errors.As(err, &reset) && reset.Cause != nil && reset.Cause.Error() != "received from peer"
}
