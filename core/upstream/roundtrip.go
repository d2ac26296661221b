package upstream

import (
	"errors"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

// maxInterim is how many 1xx answers may come ahead of the final one.
const maxInterim = 64

var (
	errTooManyInterim = errors.New("too many 1xx answers")
	errHeadTooLarge   = errors.New("response head too large")
	errFarewell       = errors.New("a kept connection was closed with a 408")
)

// roundTrip sends the exchange's request and reads the response's head. After a fault the connection is closed.
func (c *conn) roundTrip(x *exchange.Exchange, send Send, now time.Time) *fault.Fault {
	c.begin(x, send, now)
	err := c.ask()
	x.Times.Sent = c.call.sent
	if err != nil {
		return c.fail(err)
	}
	for heads := range maxInterim {
		head, err := c.hear()
		if err != nil {
			return c.fail(err)
		}
		if heads == 0 && c.isFarewell(&head) {
			return c.fail(errFarewell)
		}
		if head.Status >= 200 || head.Status == 101 {
			return c.deliver(&head)
		}
		if err := c.passInterim(&head); err != nil {
			return c.fail(err)
		}
	}
	return c.fail(invalid(errTooManyInterim))
}

// isFarewell reports whether the answer may have been on its way before the request: servers end connections that were unused for too
// long with a 408. A request that can be sent again then is (RFC 9110, section 15.5.9).
func (c *conn) isFarewell(head *http1.ResponseHead) bool {
	return head.Status == 408 && !head.KeepAlive && c.reused && c.send.isReplayable(&c.x.Req)
}

// ask writes the request and, when that is all there is to write, waits for the first bytes of the response. What
// did not go out at once is left to a copier.
func (c *conn) ask() error {
	rest := c.appendRequest()
	c.call.pauses = rest != nil
	if !c.reused {
		c.call.state = writing
	}
	if err := c.run(); err != nil {
		return err
	}
	unwritten := c.call.out[c.call.wrote:]
	if rest == nil && len(unwritten) == 0 {
		return nil
	}
	if rest == nil {
		rest = newCopier(c, len(c.x.Req.Body.Held), false) // the end is among what is unwritten
	}
	// The buffer that holds these bytes is about to be read into.
	rest.unwritten = append([]byte(nil), unwritten...)
	if c.asks() && len(unwritten) == 0 {
		c.asking = rest
		return nil
	}
	c.copier = rest
	go rest.run()
	return nil
}

// appendRequest puts the head and as much of the held content as fits into the call. It returns a copier for the rest,
// nil if there is none.
func (c *conn) appendRequest() *copier {
	req := &c.x.Req
	host := c.send.Host
	if host == "" {
		host = c.endpoint.host
	}
	framing := requestFraming(req)
	out := http1.AppendRequestHead(c.buf.b[:0], req.Method, req.Path, req.Query, host, &req.Fields, framing, req.Upgrade)
	if c.asks() {
		out = append(out[:len(out)-len("\r\n")], "Expect: 100-continue\r\n\r\n"...)
	}
	held := req.Body.Held
	if room := maxKeptBuffer - len(out) - chunkRoom; len(held) > room {
		held = held[:max(room, 0)]
	}
	if framing.Chunked {
		out = http1.AppendChunk(out, held)
	} else {
		out = append(out, held...)
	}
	all := req.Body.Whole() && len(held) == len(req.Body.Held)
	if all && framing.Chunked {
		out = http1.AppendLastChunk(out, &req.Trailers)
	}
	c.buf.b = out[:cap(out)]
	c.call.out = out
	if all {
		return nil
	}
	return newCopier(c, len(held), framing.Chunked)
}

// requestFraming chooses how the upstream is told the content's end. Only chunks leave room for trailers.
func requestFraming(req *exchange.Request) http1.Framing {
	switch body := &req.Body; {
	case body.Whole() && req.Trailers.Len() > 0:
		return http1.Framing{Length: -1, Chunked: true}
	case body.Whole():
		return http1.Framing{Length: int64(len(body.Held))}
	case body.Length < 0:
		return http1.Framing{Length: -1, Chunked: true}
	default:
		return http1.Framing{Length: body.Length}
	}
}

// readHead waits for a whole head and parses it.
func (c *conn) readHead() (http1.ResponseHead, error) {
	seen := 0
	for {
		unread := c.unread()
		if n := http1.FindHead(unread, seen); n >= 0 {
			c.start += n
			c.x.Times.Answered = c.x.Times.Now()
			head, err := http1.ParseResponse(c.x.Text.Copy(unread[:n]), c.x.Req.Method, c.home.limits, &c.x.Resp.Fields)
			if err != nil {
				return head, invalid(err)
			}
			return head, nil
		}
		if seen = len(unread); seen > c.home.limits.Head {
			return http1.ResponseHead{}, invalid(errHeadTooLarge)
		}
		if err := c.run(); err != nil {
			return http1.ResponseHead{}, err
		}
	}
}

// unread returns what has been read and not yet parsed.
func (c *conn) unread() []byte {
	if c.buf == nil {
		return nil
	}
	return c.buf.b[c.start:c.end]
}

// passInterim hands a 1xx answer to the client; the engine has sent its own 100 when the body was first wanted.
func (c *conn) passInterim(head *http1.ResponseHead) error {
	if !head.KeepAlive {
		c.answer.ends = true
	}
	var err error
	if head.Status != 100 && c.x.Client != nil {
		c.x.Begun = true
		err = c.x.Client.Interim(head.Status, &c.x.Resp.Fields)
	}
	c.x.Resp.Fields.Reset()
	if err != nil {
		return errGone
	}
	return nil
}

// invalidAnswer is an answer that cannot be understood: no other endpoint is asked, the request may have been acted on.
type invalidAnswer struct{ why error }

func (e invalidAnswer) Error() string { return "invalid response: " + e.why.Error() }
func (e invalidAnswer) Unwrap() error { return e.why }

func invalid(why error) error { return invalidAnswer{why} }

// fail gives the connection up and says why.
func (c *conn) fail(err error) *fault.Fault {
	f := c.explain(err)
	copier := c.copier
	c.giveUp()
	if copier != nil && copier.fault != nil {
		f = copier.fault // what went wrong first: the rest follows from it
	}
	c.leave()
	return f
}

// giveUp closes the connection and joins the copier.
func (c *conn) giveUp() {
	c.cut()
	if c.copier != nil {
		c.copier.stop()
	}
}

// explain makes a fault of what ended the exchange before the response's head was there.
func (c *conn) explain(err error) *fault.Fault {
	switch {
	case errors.Is(err, errGone):
		return fault.Wrap(fault.ClientGone, fault.Client, err)
	case errors.Is(err, errLate):
		return &fault.Fault{Kind: fault.GatewayTimeout, Side: fault.Upstream, Reason: "upstream did not answer in time", Err: err}
	case errors.As(err, new(invalidAnswer)):
		return &fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Code: fault.UpstreamProtocol, Reason: "invalid response from upstream", Err: err}
	}
	untouched := c.call.wrote == 0 && c.copier == nil
	retry := errors.Is(err, errFarewell) || c.end == 0 && (untouched || c.send.isReplayable(&c.x.Req))
	if untouched {
		err = unconnected{err}
	}
	return &fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Reason: "upstream closed the connection", Err: err, Retry: retry}
}
