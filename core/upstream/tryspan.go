package upstream

import (
	"net"
	"strconv"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/trace"
)

// beginTrySpan begins the span of a try, and sends it along. It returns the span's place, 0 when nothing is recorded.
func (u *Upstream) beginTrySpan(x *exchange.Exchange) (place int) {
	r := x.Trace.Recording
	if r == nil {
		return 0
	}
	place = r.Open(trace.Client, x.Times.Now())
	x.SetTraceParent(r.At(place))
	return place
}

// endTrySpan ends it: the response's head is there, or never will be. The names are those of OpenTelemetry's conventions for HTTP clients.
func (u *Upstream) endTrySpan(x *exchange.Exchange, e *Endpoint, place int, o outcome, f *fault.Fault) {
	r := x.Trace.Recording
	s := r.Close(place, x.Times.Now())
	s.Name = r.Keep(x.Req.Method)
	s.Set("http.request.method", s.Name)
	s.Set("server.address", e.address)
	if host, port, err := net.SplitHostPort(e.address); err == nil {
		s.Attrs[len(s.Attrs)-1].Text = host
		if n, err := strconv.Atoi(port); err == nil {
			s.SetNumber("server.port", int64(n))
		}
	}
	s.Set("url.full", r.Keep(u.scheme()+"://"+e.address+x.Req.Path))
	s.Set("sallyport.upstream", u.options.Name)
	if x.Tries > 1 {
		s.SetNumber("http.request.resend_count", int64(x.Tries-1))
	}
	describeOutcome(s, x.Resp.Status, o, f)
}

func (u *Upstream) scheme() string {
	if u.options.TLS != nil {
		return "https"
	}
	return "http"
}

func describeOutcome(s *trace.Span, status int, o outcome, f *fault.Fault) {
	switch {
	case f == nil:
		s.SetNumber("http.response.status_code", int64(status))
		if status >= 400 {
			s.Fail(strconv.Itoa(status), "")
		}
	case o > outcomeAnswered:
		s.Fail(o.String(), f.Error())
	default:
		s.Fail(f.Kind.String(), f.Error())
	}
}
