package engine

import (
	"net/http"
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// http2Stream is one request over HTTP/2 and its answer. It belongs to the stream's goroutine, but for what others may ask of
// an exchange.Client.
type http2Stream struct {
	conn *http2Conn
	w    http.ResponseWriter
	r    *http.Request
	body *http2Body // nil without content
	// slow ends the stream when a write of its answer takes too long.
	slow      watch
	answering bool // the final answer has begun: no 1xx any more
}

// exchange has the request served, answers and ends it; it reports whether the answer is whole.
func (s *http2Stream) exchange() (whole bool) {
	x := s.begin()
	defer func() {
		if cause := recover(); cause != nil {
			x.Fail(s.conn.engine.recovered(cause))
			whole = false
		}
		s.end(x, whole)
	}()
	s.conn.engine.handler.Serve(x)
	return s.respond(x)
}

// begin makes an Exchange of the request.
func (s *http2Stream) begin() *exchange.Exchange {
	c, r := s.conn, s.r
	o := c.listener.options.Load()
	x := c.engine.exchanges.Get()
	x.Times.Start = time.Now()
	x.Client = s
	x.Peer = c.peer
	x.KeepAlive = !c.listener.draining.Load()
	x.Req.Protocol = exchange.HTTP2
	x.Req.Scheme = "http"
	if c.secured != nil {
		x.Req.Scheme = "https" // whatever :scheme says: it is not the client who knows
	}
	addSorted(&x.Req.Fields, r.Header, isAny)
	h, f := http1.CheckRequest(http1.Parts{Method: r.Method, Authority: r.Host, Target: r.RequestURI}, o.Limits, &x.Req.Fields)
	x.Req.Method, x.Req.Host, x.Req.Path, x.Req.Query = h.Method, h.Host, h.Path, h.Query
	x.HTTPSPort = o.RedirectHTTPS
	forward(x, o, hop{c.peer.Addr(), c.peerText}, c.trusts(o))
	if f == nil {
		f = s.openBody(x, h)
	}
	if f != nil {
		x.Asked = askedFor(r.RequestURI)
	}
	if f != nil && s.body == nil && r.ContentLength > 0 {
		s.body = newHTTP2Body(s, x) // for nobody, but it may be on its way
	}
	x.Fault = f
	if c.secured != nil {
		c.secured.apply(x)
	}
	return x
}

// openBody makes a Source of the content, if there is to be any.
func (s *http2Stream) openBody(x *exchange.Exchange, h http1.RequestHead) *fault.Fault {
	length := s.r.ContentLength // 0 as well when the stream ended with the head
	if h.Length > 0 && length != h.Length {
		return errOtherLength()
	}
	if length == 0 {
		return nil
	}
	s.body = newHTTP2Body(s, x)
	x.Req.Expects = h.Expect100
	x.Req.Body = exchange.Body{Length: length, Source: s.body}
	return nil
}

func errOtherLength() *fault.Fault {
	return fault.New(fault.BadRequest, fault.Client, "content and Content-Length differ")
}

// end ends x, whose answer is whole or not. Only when nobody reads the request's content any more is it lent again.
func (s *http2Stream) end(x *exchange.Exchange, whole bool) {
	s.slow.stop()
	takeRest := false
	if s.body != nil {
		x.Received = s.body.received.Load()
		takeRest = whole && x.Sent > 0 && s.body.isShort()
	}
	if takeRest {
		// The answer first: to read earlier would tell a client that asks (100-continue) to send. One without content is left as it is: to gRPC a
		// head that does not end the stream is something else.
		_ = http.NewResponseController(s.w).Flush() // who does not take the answer will not send the rest
	}
	x.Times.End = time.Now()
	ended := s.conn.engine.handEnd(x)
	if takeRest && ended {
		s.body.takeRest()
	}
	if s.body != nil {
		s.body.finish()
	}
	if ended {
		s.conn.engine.exchanges.Put(x)
		return
	}
	_ = x.Req.Body.Close() // who knows what still uses it: close what it holds, but do not lend it again
	x.Resp.Reset()
}

// Gone implements exchange.Client.
func (s *http2Stream) Gone() bool { return s.r.Context().Err() != nil }

// BodyTimeout is how long a body may make no progress; who reads the content of the answer asks for it.
func (s *http2Stream) BodyTimeout() time.Duration { return s.conn.listener.options.Load().BodyTimeout }

// Interim implements exchange.Client. 100 is sent by net/http when the content is first read, if the client waits for it.
func (s *http2Stream) Interim(status int, fields *header.Fields) error {
	switch {
	case status == 100 || status == 101:
		return nil
	case s.answering:
		return errNoInterim
	}
	h := s.w.Header()
	if fields != nil {
		fill(h, fields, "", http1.EndToEnd)
	}
	s.w.WriteHeader(status)
	clear(h)
	return s.r.Context().Err()
}

// addSorted adds what is in h, in the order of lower-case names: net/http has kept no other.
func addSorted(fields *header.Fields, h http.Header, keep func(name string) bool) {
	start := fields.Len()
	for name, values := range h {
		if !keep(name) {
			continue
		}
		for _, value := range values {
			fields.Add(name, value)
		}
	}
	slices.SortStableFunc(fields.All()[start:], byName)
}

func isAny(string) bool { return true }

// byName compares names without regard to ASCII case.
func byName(a, b header.Field) int {
	for i := range min(len(a.Name), len(b.Name)) {
		if d := int(lower(a.Name[i])) - int(lower(b.Name[i])); d != 0 {
			return d
		}
	}
	return len(a.Name) - len(b.Name)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
