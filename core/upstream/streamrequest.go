package upstream

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// request writes the exchange's request in net/http's form.
func (s *stream) request() *http.Request {
	in := &s.x.Req
	out := &http.Request{
		Method: in.Method, Host: s.send.Host, Header: httpHeader(&in.Fields),
		URL: &url.URL{Scheme: s.home.scheme, Host: s.endpoint.host, Opaque: http1.Target(in.Path), RawQuery: http1.Target(in.Query)},
	}
	if out.Host == "" {
		out.Host = s.endpoint.host
	}
	if isGRPC(&in.Fields) {
		out.Header["Te"] = []string{"trailers"} // its servers refuse a request that a proxy may have taken the trailers from
	}
	s.addBody(out)
	return out.WithContext(s.ctx)
}

// httpHeader makes a map of the fields that pass. Without a User-Agent net/http would send its own.
func httpHeader(fields *header.Fields) http.Header {
	all := fields.All()
	h := make(http.Header, len(all)+2)
	h["User-Agent"] = nil
	values := make([]string, len(all)) // in one piece, of which each name gets a share
	for i, field := range all {
		if !http1.Passes(field) {
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(field.Name)
		if before := h[name]; before != nil {
			h[name] = append(before, field.Value)
			continue
		}
		values[i] = field.Value
		h[name] = values[i : i+1 : i+1]
	}
	return h
}

func isGRPC(fields *header.Fields) bool {
	const kind = "application/grpc"
	value := fields.Value("Content-Type")
	return len(value) >= len(kind) && strings.EqualFold(value[:len(kind)], kind)
}

// addBody gives the request its content. Trailers that are still to come get a place.
func (s *stream) addBody(out *http.Request) {
	in := &s.x.Req
	whole := in.Body.Whole()
	if whole && len(in.Body.Held) == 0 && in.Trailers.Len() == 0 {
		return
	}
	out.ContentLength = in.Body.Length
	switch {
	case whole:
		out.ContentLength = int64(len(in.Body.Held))
		if in.Trailers.Len() > 0 {
			out.Trailer = http.Header{}
			addTrailers(out.Trailer, &in.Trailers)
		}
	case in.Body.Length < 0 || in.Protocol == exchange.HTTP2: // HTTP/1.1 has trailers behind chunks only
		out.Trailer = http.Header{}
	}
	s.upload = newFeeder(s.x, s.send.MaxBody, out.Trailer)
	out.Body = s.upload
}

func addTrailers(to http.Header, trailers *header.Fields) {
	for _, field := range trailers.All() {
		if http1.PassesBehind(field) {
			name := textproto.CanonicalMIMEHeaderKey(field.Name)
			to[name] = append(to[name], field.Value)
		}
	}
}
