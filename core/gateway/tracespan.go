package gateway

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/trace"
)

// describe names the span of an exchange and says how it went, by OpenTelemetry's conventions for HTTP servers. Queries are left out:
// they hold what must not be seen too often.
func describe(s *trace.Span, r *trace.Recording, x *exchange.Exchange) {
	pattern := s.Name
	describeMethod(s, r, x.Req.Method)
	if pattern != "" {
		s.Name += " " + pattern
		s.Set("http.route", pattern)
	}
	s.Set("url.scheme", x.Req.Scheme)
	s.Set("url.path", r.Keep(cut(x.Asked.Path)))
	host, port := splitHost(x.Req.Host)
	s.Set("server.address", r.Keep(host))
	if port > 0 {
		s.SetNumber("server.port", port)
	}
	s.Set("user_agent.original", r.Keep(cut(x.Req.Fields.Value("User-Agent"))))
	s.Set("network.protocol.version", versionOf(x.Req.Protocol))
	describeClient(s, x)
	s.Set("sallyport.request_id", r.Keep(x.ID))
	s.Set("sallyport.route", x.Route)
	s.Set("sallyport.upstream", x.Upstream)
	s.SetNumber("sallyport.generation", int64(x.Generation))
	if x.Tries > 0 {
		s.SetNumber("sallyport.tries", int64(x.Tries))
	}
	s.SetNumber("http.request.body.size", x.Received)
	s.SetNumber("http.response.body.size", x.Sent)
	describeEnd(s, x)
}

// describeMethod keeps what clients make up out of the names of spans.
func describeMethod(s *trace.Span, r *trace.Recording, method string) {
	known := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "QUERY"}
	if i := slices.Index(known, method); i >= 0 {
		s.Name = known[i]
		s.Set("http.request.method", known[i])
		return
	}
	s.Name = "HTTP"
	s.Set("http.request.method", "_OTHER")
	s.Set("http.request.method_original", r.Keep(cut(method)))
}

func describeClient(s *trace.Span, x *exchange.Exchange) {
	s.Set("client.address", addressText(x.Addr))
	s.Set("network.peer.address", addressText(x.Peer.Addr()))
	if port := x.Peer.Port(); port > 0 {
		s.SetNumber("network.peer.port", int64(port))
	}
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// describeEnd says how it ended. A client's mistake is no failure of the gateway's.
func describeEnd(s *trace.Span, x *exchange.Exchange) {
	status := x.Resp.Status
	if status > 0 {
		s.SetNumber("http.response.status_code", int64(status))
	}
	kind, why := "", ""
	if f := x.Fault; f != nil {
		kind, why = f.Kind.String(), f.Error()
	}
	failed := status >= 500 || x.Fault != nil && x.Fault.Kind == fault.Internal
	if code, err := strconv.ParseUint(x.GRPCStatus, 10, 16); err == nil {
		s.Set("rpc.system", "grpc")
		s.SetNumber("rpc.grpc.status_code", int64(code))
		failed = failed || isServersFault(code)
		if kind == "" && failed {
			kind = x.GRPCStatus
		}
	}
	switch {
	case failed && kind == "":
		s.Fail(strconv.Itoa(status), "")
	case failed:
		s.Fail(kind, why)
	default:
		s.Set("error.type", kind)
	}
}

// isServersFault tells the codes of gRPC that count as failures of a server.
func isServersFault(code uint64) bool {
	return slices.Contains([]uint64{2, 4, 12, 13, 14, 15}, code)
}

// maxSpanText is how much of what a client sends is recorded of one thing.
const maxSpanText = 512

func cut(s string) string { return s[:min(len(s), maxSpanText)] }

func versionOf(p exchange.Protocol) string {
	return [...]string{exchange.HTTP11: "1.1", exchange.HTTP10: "1.0", exchange.HTTP2: "2"}[p]
}

// splitHost takes a Host apart; 0 stands for no port.
func splitHost(host string) (name string, port int64) {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return strings.Trim(host, "[]"), 0
	}
	port, err := strconv.ParseInt(host[colon+1:], 10, 32)
	if err != nil {
		port = 0
	}
	return strings.Trim(host[:colon], "[]"), port
}
