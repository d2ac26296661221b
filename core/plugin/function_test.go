package plugin

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// runRequest runs a script's request hook over x and returns what each step answered.
func runRequest(t *testing.T, s script, x *exchange.Exchange) []string {
	t.Helper()
	s.hooks |= abi.HookRequest
	pool, _ := newProbe(t, &s)
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	return s.outcomes(pool.idle[0])
}

// runResponse is runRequest for the response hook.
func runResponse(t *testing.T, s script, x *exchange.Exchange) []string {
	t.Helper()
	s.hooks = abi.HookResponse
	pool, _ := newProbe(t, &s)
	if err := pool.Filter("test", chain.Deny).Response(x, 0); err != nil {
		t.Fatal(err)
	}
	return s.outcomes(pool.idle[0])
}

func compare(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

func TestRequestReads(t *testing.T) {
	tests := []struct {
		name string
		step step
		want string
	}{
		{"method", do("get", 1, buf(32)), "3 GET"},
		{"scheme", do("get", 2, buf(32)), "5 https"},
		{"host", do("get", 3, buf(32)), "15 api.example.com"},
		{"path", do("get", 4, buf(32)), "13 /orders/a%2Fb"},
		{"query string", do("get", 5, buf(64)), "33 q=one+two&q=three&empty=&%6B=v%zz"},
		{"protocol", do("get", 6, buf(32)), "8 HTTP/1.1"},
		{"address", do("get", 7, buf(32)), "9 192.0.2.7"},
		{"route", do("get", 8, buf(32)), "6 orders"},
		{"request id", do("get", 9, buf(32)), "5 req-1"},
		{"no consumer", do("get", 10, buf(32)), "-1"},
		{"no upstream", do("get", 11, buf(32)), "-1"},
		{"no TLS name", do("get", 12, buf(32)), "-1"},
		{"no TLS subject", do("get", 13, buf(32)), "-1"},
		{"field 0", do("get", 0, buf(32)), "-2"},
		{"no trace id", do("get", 14, buf(32)), "-1"},
		{"field 15", do("get", 15, buf(32)), "-2"},
		{"field -1", do("get", -1, buf(32)), "-2"},
		{"too short a buffer", do("get", 3, buf(14)), "15"},
		{"exactly long enough", do("get", 3, buf(15)), "15 api.example.com"},
		{"no buffer at all", do("get", 3, buf(0)), "15"},
		{"parameter decoded", do("param", "id", buf(32)), "3 a/b"},
		{"parameter plain", do("param", "rest", buf(32)), "1 x"},
		{"no parameter", do("param", "other", buf(32)), "-1"},
		{"huge parameter name", do("param", strings.Repeat("n", 257), buf(32)), "-5"},
		{"query first value", do("query", "q", buf(32)), "7 one two"},
		{"query empty value", do("query", "empty", buf(32)), "0 "},
		{"query encoded name, invalid escape", do("query", "k", buf(32)), "4 v%zz"},
		{"no query", do("query", "x", buf(32)), "-1"},
		{"query without name", do("query", "", buf(32)), "-1"},
		{"huge query name", do("query", strings.Repeat("n", 257), buf(32)), "-5"},
		{"header", do("header_get", 0, "x-api-key", buf(32)), "6 secret"},
		{"header first value", do("header_get", 0, "ACCEPT", buf(32)), "10 text/plain"},
		{"header host", do("header_get", 0, "host", buf(32)), "15 api.example.com"},
		{"header framing", do("header_get", 0, "content-length", buf(32)), "-1"},
		{"no header", do("header_get", 0, "x-none", buf(32)), "-1"},
		{"header without name", do("header_get", 0, "", buf(32)), "-1"},
		{"huge header name", do("header_get", 0, strings.Repeat("n", 257), buf(32)), "-5"},
		{"trailers", do("header_get", 2, "x", buf(32)), "-4"},
		{"response trailers", do("header_all", 3, "x", buf(32)), "-4"},
		{"handle 4", do("header_get", 4, "x", buf(32)), "-2"},
		{"handle -1", do("header_get", -1, "x", buf(32)), "-1"},
		{"handle of no fetch", do("header_get", 16, "x", buf(32)), "-1"},
		{"status of the request", do("status", 0), "-2"},
		{"no status yet", do("status", 1), "-1"},
		{"status of trailers", do("status", 2), "-4"},
		{"set_status", do("set_status", 201), "-4"},
		{"fail", do("fail", "no"), "-4"},
		{"log level", do("log", 4, "text"), "-2"},
		{"state empty", do("state_get", buf(8)), "0 "},
		{"no attribute", do("attr_get", "a", buf(8)), "-1"},
		{"huge attribute name", do("attr_get", strings.Repeat("n", 257), buf(8)), "-5"},
		{"too much random", do("random", buf(4097)), "-5"},
		{"random", do("random", buf(4096)), "0"},
	}
	var s script
	var want, got []string
	for _, tt := range tests {
		s.request = append(s.request, tt.step)
	}
	for i, outcome := range runRequest(t, s, newExchange()) {
		got = append(got, tests[i].name+": "+outcome)
		want = append(want, tests[i].name+": "+tests[i].want)
	}
	compare(t, got, want)
}

func TestRequestReadsTLS(t *testing.T) {
	x := newExchange()
	x.Upstream = "backend"
	x.SetAttr("consumer", "jo")
	cert := &x509.Certificate{Subject: pkix.Name{CommonName: "client", Organization: []string{"Org"}}}
	x.TLS = &tls.ConnectionState{ServerName: "api.example.com", VerifiedChains: [][]*x509.Certificate{{cert}}}
	s := script{request: []step{do("get", 10, buf(32)), do("get", 11, buf(32)), do("get", 12, buf(32)), do("get", 13, buf(32))}}
	compare(t, runRequest(t, s, x), []string{"2 jo", "7 backend", "15 api.example.com", "15 CN=client,O=Org"})
}

func TestUnverifiedCertificateIsNoSubject(t *testing.T) {
	x := newExchange()
	x.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "mallory"}}}}
	s := script{request: []step{do("get", 13, buf(32)), do("get", 12, buf(32))}}
	compare(t, runRequest(t, s, x), []string{"-1", "-1"})
}

// fieldList is what header_all hands out.
func fieldList(fields ...header.Field) string {
	list := binary.LittleEndian.AppendUint32(nil, uint32(len(fields)))
	text := ""
	for _, f := range fields {
		list = binary.LittleEndian.AppendUint32(list, uint32(len(f.Name)))
		list = binary.LittleEndian.AppendUint32(list, uint32(len(f.Value)))
		text += f.Name + f.Value
	}
	return string(list) + text
}

func TestHeaderAll(t *testing.T) {
	x := newExchange()
	accept := fieldList(header.Field{Name: "Accept", Value: "text/plain"}, header.Field{Name: "accept", Value: "text/html"})
	all := fieldList(x.Req.Fields.All()...)
	tests := []struct {
		name, want string
	}{
		{"accept", accept},
		{"", all},
		{"x-none", fieldList()},
		{"host", fieldList(header.Field{Name: "Host", Value: "api.example.com"})},
		{"te", fieldList()},
	}
	var s script
	for _, tt := range tests {
		s.request = append(s.request, do("header_all", 0, tt.name, buf(256)), do("header_all", 0, tt.name, buf(len(tt.want)-1)))
	}
	s.hooks = abi.HookRequest
	pool, _ := newProbe(t, &s)
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	at := uint32(probeBuffers)
	for i, tt := range tests {
		got, _ := pool.idle[0].mod.Memory().Read(at, uint32(len(tt.want)))
		if string(got) != tt.want {
			t.Errorf("header_all(%q) = %q, want %q", tt.name, got, tt.want)
		}
		at += 256
		short, _ := pool.idle[0].mod.Memory().Read(at, uint32(len(tt.want)-1))
		if strings.Trim(string(short), "\x00") != "" {
			t.Errorf("header_all(%q) wrote %q into too short a buffer", tt.name, short)
		}
		at += uint32(len(tt.want) - 1)
		if n, _ := pool.idle[0].mod.Memory().ReadUint64Le(uint32(probeResults + 16*i + 8)); int(n) != len(tt.want) {
			t.Errorf("header_all(%q) = %d for a short buffer, want %d", tt.name, n, len(tt.want))
		}
	}
}

func TestRequestWrites(t *testing.T) {
	long := func(n int) string { return strings.Repeat("v", n) }
	tests := []struct {
		name string
		step step
		want string
	}{
		{"path", do("set", 4, "/a/../b//c/%7euser/%2f?"), "-2"},
		{"path normalised", do("set", 4, "/a/../b//c/%7euser/%2f"), "0"},
		{"path above root", do("set", 4, "/.."), "-2"},
		{"path too long", do("set", 4, "/"+long(8<<10)), "-5"},
		{"query", do("set", 5, "a=1&b=%20"), "0"},
		{"query with space", do("set", 5, "a b"), "-2"},
		{"query with number sign", do("set", 5, "a#b"), "-2"},
		{"query with line feed", do("set", 5, "a\nb"), "-2"},
		{"query too long", do("set", 5, long(16<<10+1)), "-5"},
		{"host", do("set", 3, "Other.Example:8080"), "0"},
		{"host too long", do("set", 3, long(262)), "-5"},
		{"method", do("set", 1, "POST"), "-2"},
		{"upstream", do("set", 11, "x"), "-2"},
		{"unknown field", do("set", 99, "x"), "-2"},
		{"consumer", do("set", 10, "jo"), "0"},
		{"consumer read", do("attr_get", "consumer", buf(8)), "2 jo"},
		{"header set", do("header_set", 0, "Accept", " */* \t"), "0"},
		{"header add", do("header_add", 0, "x-new", "1"), "0"},
		{"header remove", do("header_remove", 0, "x-api-key"), "1"},
		{"header remove again", do("header_remove", 0, "x-api-key"), "0"},
		{"header value with line break", do("header_set", 0, "x", "a\r\nb: c"), "-2"},
		{"header value with NUL", do("header_add", 0, "x", "a\x00"), "-2"},
		{"header value with tab", do("header_set", 0, "x-tab", "a\tb"), "0"},
		{"header name with space", do("header_set", 0, "x y", "a"), "-2"},
		{"header name empty", do("header_set", 0, "", "a"), "-2"},
		{"header name with colon", do("header_add", 0, ":path", "a"), "-2"},
		{"header name huge", do("header_set", 0, long(257), "a"), "-5"},
		{"header value huge", do("header_set", 0, "x", long(16<<10+1)), "-5"},
		{"framing set", do("header_set", 0, "Transfer-Encoding", "chunked"), "-2"},
		{"framing add", do("header_add", 0, "CONNECTION", "close"), "-2"},
		{"framing remove", do("header_remove", 0, "content-length"), "-2"},
		{"host add", do("header_add", 0, "host", "a"), "-2"},
		{"host remove", do("header_remove", 0, "host"), "-2"},
		{"host of the response", do("header_set", 1, "host", "a"), "-2"},
		{"host through its field", do("header_set", 0, "HOST", "last.example"), "0"},
		{"trailers", do("header_set", 2, "x", "a"), "-4"},
		{"answer of a fetch", do("header_set", 16, "x", "a"), "-2"},
		{"attribute", do("attr_set", "plan", "gold"), "0"},
		{"attribute read", do("attr_get", "plan", buf(8)), "4 gold"},
		{"attribute again", do("attr_set", "plan", ""), "0"},
		{"attribute name with space", do("attr_set", "a b", ""), "-2"},
		{"attribute name empty", do("attr_set", "", "a"), "-2"},
		{"attribute value with line feed", do("attr_set", "a", "b\nc"), "-2"},
		{"attribute value huge", do("attr_set", "a", long(4<<10+1)), "-5"},
		{"state", do("state_set", "remember"), "0"},
		{"state read", do("state_get", buf(16)), "8 remember"},
	}
	var s script
	for _, tt := range tests {
		s.request = append(s.request, tt.step)
	}
	x := newExchange()
	var want, got []string
	for i, outcome := range runRequest(t, s, x) {
		got = append(got, tests[i].name+": "+outcome)
		want = append(want, tests[i].name+": "+tests[i].want)
	}
	compare(t, got, want)
	compare(t, []string{x.Req.Path, x.Req.Query, x.Req.Host}, []string{"/b/c/~user/%2F", "a=1&b=%20", "last.example"})
	compare(t, x.Req.Fields.All(), []header.Field{{Name: "Accept", Value: "*/*"}, {Name: "x-new", Value: "1"}, {Name: "x-tab", Value: "a\tb"}})
	compare(t, x.Attrs(), []exchange.Attr{{Name: "consumer", Value: "jo"}, {Name: "plan", Value: ""}})
	compare(t, string(*x.State(0)), "remember")
}

func TestWriteLimits(t *testing.T) {
	x := newExchange()
	x.Req.Fields.Reset()
	for range abi.MaxFields - 1 {
		x.Req.Fields.Add("a", "b")
	}
	for i := range abi.MaxAttrs - 1 {
		x.SetAttr(strings.Repeat("a", i+2), "v")
	}
	x.Resp.Fields.Add("big", strings.Repeat("v", abi.MaxFieldBytes-10))
	s := script{request: []step{
		do("header_add", 0, "x", "1"),
		do("header_add", 0, "x", "2"),
		do("header_set", 0, "x", "3"),
		do("header_set", 0, "y", "4"),
		do("header_add", 1, "12345", "67"),
		do("header_add", 1, "x", "1"),
		do("attr_set", "last", "1"),
		do("attr_set", "toomany", "1"),
		do("attr_set", "last", "2"),
	}}
	compare(t, runRequest(t, s, x), []string{"0", "-5", "0", "-5", "0", "-5", "0", "-5", "0"})
}

func TestResponsePhase(t *testing.T) {
	x := newExchange()
	x.Resp.Status = 200
	x.Resp.Fields.Add("Content-Type", "text/html")
	x.Resp.Fields.Add("X-Powered-By", "php")
	s := script{response: []step{
		do("status", 1),
		do("set_status", 404),
		do("set_status", 199),
		do("set_status", 600),
		do("header_get", 1, "content-type", buf(16)),
		do("header_remove", 1, "x-powered-by"),
		do("header_add", 1, "set-cookie", "a=b"),
		do("header_set", 0, "x", "y"),
		do("header_remove", 0, "accept"),
		do("set", 4, "/"),
		do("set", 3, "a"),
		do("set", 5, "a"),
		do("header_set", 0, "host", "a"),
		do("set", 10, "jo"),
		do("header_get", 0, "accept", buf(16)),
		do("status", 1),
	}}
	compare(t, runResponse(t, s, x), []string{
		"200", "0", "-2", "-2", "9 text/html", "1", "0", "-4", "-4", "-4", "-4", "-4", "-4", "0", "10 text/plain", "404",
	})
	compare(t, x.Resp.Fields.All(), []header.Field{{Name: "Content-Type", Value: "text/html"}, {Name: "set-cookie", Value: "a=b"}})
}

func TestRespond(t *testing.T) {
	x := newExchange()
	s := script{hooks: abi.HookRequest, results: [3]int32{0, 1, 0}, request: []step{
		do("header_set", 1, "X-Before", "1"),
		do("respond", 199, ""),
		do("respond", 600, ""),
		do("respond", 204, "body"),
		do("respond", 403, "no"),
		do("header_set", 1, "X-After", "1"),
		do("status", 1),
	}}
	pool, _ := newProbe(t, &s)
	verdict, err := pool.Filter("test", chain.Deny).Request(x, 0)
	if verdict != chain.Respond || err != nil {
		t.Fatalf("got %v, %v", verdict, err)
	}
	compare(t, s.outcomes(pool.idle[0]), []string{"0", "-2", "-2", "-2", "0", "0", "403"})
	compare(t, string(x.Resp.Body.Held), "no")
	compare(t, x.Resp.Body.Length, int64(2))
	compare(t, x.Resp.Fields.All(), []header.Field{{Name: "X-Before", Value: "1"}, {Name: "X-After", Value: "1"}})
}

func TestAnswerOfAFilterThatContinuesIsDropped(t *testing.T) {
	x := newExchange()
	s := script{request: []step{do("respond", 403, "no"), do("header_set", 1, "x", "y"), do("header_set", 0, "kept", "1")}}
	compare(t, runRequest(t, s, x), []string{"0", "0", "0"})
	if x.Resp.Status != 0 || x.Resp.Fields.Len() != 0 || !x.Resp.Body.Empty() {
		t.Errorf("the response is %+v", x.Resp)
	}
	compare(t, x.Req.Fields.Value("kept"), "1")
}

// source is a body whose end can be seen.
type source struct{ closed int }

func (s *source) Read([]byte) (int, error) { return 0, nil }
func (s *source) Close() error             { s.closed++; return nil }

func TestRespondReplacesResponse(t *testing.T) {
	x := newExchange()
	old := &source{}
	x.Resp.Status = 200
	x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: old}
	for _, name := range []string{"Content-Type", "content-encoding", "ETag", "Content-Security-Policy", "Set-Cookie"} {
		x.Resp.Fields.Add(name, "v")
	}
	x.Resp.Trailers.Add("x-sum", "1")
	s := script{response: []step{do("respond", 502, "first"), do("respond", 502, "sorry"), do("header_set", 1, "content-type", "text/plain")}}
	compare(t, runResponse(t, s, x), []string{"0", "0", "0"})
	compare(t, x.Resp.Fields.All(), []header.Field{
		{Name: "Content-Security-Policy", Value: "v"}, {Name: "Set-Cookie", Value: "v"}, {Name: "content-type", Value: "text/plain"},
	})
	compare(t, string(x.Resp.Body.Held), "sorry")
	compare(t, old.closed, 1)
	compare(t, x.Resp.Trailers.Len(), 0)
}

func TestConfigurePhase(t *testing.T) {
	s := script{configure: []step{
		do("config", buf(0)),
		do("log", 0, "hello"),
		do("random", buf(4)),
		do("get", 1, buf(8)),
		do("set", 4, "/"),
		do("param", "a", buf(8)),
		do("query", "a", buf(8)),
		do("status", 1),
		do("set_status", 200),
		do("header_get", 0, "a", buf(8)),
		do("header_all", 0, "a", buf(8)),
		do("header_set", 0, "a", "b"),
		do("header_add", 0, "a", "b"),
		do("header_remove", 0, "a"),
		do("respond", 200, ""),
		do("state_get", buf(8)),
		do("state_set", "a"),
		do("attr_get", "a", buf(8)),
		do("attr_set", "a", "b"),
		do("exchange"),
	}}
	pool, _ := newProbe(t, &s)
	got := s.outcomes(pool.idle[0])
	for i, step := range s.configure[3:] {
		if got[i+3] != "-4" {
			t.Errorf("%s in on_configure = %s, want -4", step.function, got[i+3])
		}
	}
	compare(t, got[1:3], []string{"0", "0"})
}

func TestExchangeAndClock(t *testing.T) {
	x := newExchange()
	s := script{hooks: abi.HookRequest, request: []step{do("exchange"), do("now")}}
	pool, _ := newProbe(t, &s)
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	memory := pool.idle[0].mod.Memory()
	if number, _ := memory.ReadUint64Le(probeResults); number != x.Number || number == 0 {
		t.Errorf("exchange() = %d, want %d", number, x.Number)
	}
	if now, _ := memory.ReadUint64Le(probeResults + 8); int64(now) < 1_700_000_000_000_000_000 {
		t.Errorf("now() = %d", now)
	}
}
