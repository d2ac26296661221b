package gatewaytest

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// parentOf is a backend's handler that answers with the fields of traces that reached it.
func parentOf(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, strings.Join(r.Header.Values("Traceparent"), "&"), " ", strings.Join(r.Header.Values("Tracestate"), "&"), " ", strings.Join(r.Header.Values("Baggage"), "&"))
}

func sees(lines ...string) []string { return lines }

func checkTree(t *testing.T, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// placeOf is what a traceparent must be to lead to that span.
func placeOf(s *tracepb.Span) string {
	return "00-" + hex.EncodeToString(s.TraceId) + "-" + hex.EncodeToString(s.SpanId) + "-03"
}

func TestTracesOfAPlainRequest(t *testing.T) {
	c := startCollector(t, nil)
	for protocol, endpoint := range map[string]string{"grpc": c.grpc, "http": c.http} {
		t.Run(protocol, func(t *testing.T) {
			backend := Backend(t, parentOf)
			g := Start(t, tracingTOML(endpoint, "service_name = \"edge\"\n")+"protocol = \""+protocol+"\"\n"+routes(backend, `
[[routes]]
name = "orders"
path = "/orders/:id"
upstream = "b"
`))
			_, _, body := g.Get("/orders/7?secret=1", "X-Request-Id: id-7", "User-Agent: a\xff")
			spans, lines := c.tree(2)
			checkTree(t, lines, sees("GET (client) < GET /orders/:id", "GET /orders/:id (server) < -"))
			server, try := spanNamed(t, spans, "GET /orders/:id"), spanNamed(t, spans, "GET")
			if want := placeOf(try) + "  "; body != want {
				t.Errorf("the upstream has seen %q, want %q", body, want)
			}
			host, port, _ := strings.Cut(g.Addr, ":")
			checkAttrs(t, server, map[string]string{
				"http.request.method": "GET", "http.route": "/orders/:id", "url.path": "/orders/7", "url.scheme": "http", "url.query": "",
				"server.address": host, "server.port": port, "client.address": "127.0.0.1", "network.protocol.version": "1.1",
				"http.response.status_code": "200", "user_agent.original": "a\ufffd", "error.type": "",
				"sallyport.route": "orders", "sallyport.request_id": "id-7", "sallyport.generation": "1", "sallyport.upstream": "b", "sallyport.tries": "1",
			})
			host, port, _ = strings.Cut(backend, ":")
			checkAttrs(t, try, map[string]string{
				"http.request.method": "GET", "server.address": host, "server.port": port, "url.full": "http://" + backend + "/orders/7",
				"http.response.status_code": "200", "sallyport.upstream": "b", "http.request.resend_count": "",
			})
			if server.Status != nil || server.StartTimeUnixNano > try.StartTimeUnixNano || try.EndTimeUnixNano > server.EndTimeUnixNano || try.EndTimeUnixNano < try.StartTimeUnixNano {
				t.Errorf("got %v and %v", server, try)
			}
			c.checkSender(t, "edge", "k")
			Until(t, "the status tells of them", func() bool { return g.Status().Traces.Exported == 2 })
		})
	}
}

func TestTracesOfWhatGoesWrong(t *testing.T) {
	c := startCollector(t, nil)
	dead := refusedAddress(t)
	live := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fails" {
			w.WriteHeader(503)
		}
		parentOf(w, r)
	})
	g := Start(t, tracingTOML(c.grpc, "")+fmt.Sprintf(`
[upstreams.dead]
endpoints = [%q]
[upstreams.live]
endpoints = [%q]
[upstreams.both]
endpoints = [{ address = %q, priority = 0 }, { address = %q, priority = 1 }]
retries = 1
[[routes]]
name = "dead"
path = "/dead"
upstream = "dead"
[[routes]]
name = "fails"
path = "/fails"
upstream = "live"
[[routes]]
name = "both"
path = "/both"
upstream = "both"
`, dead, live, dead, live))

	_, _, body := g.Get("/both")
	spans, lines := c.tree(3)
	checkTree(t, lines, sees("GET (client) < GET /both", "GET (client) < GET /both", "GET /both (server) < -"))
	first, second := spans[1], spans[2]
	if body != placeOf(second)+"  " {
		t.Errorf("the upstream has seen %q, want %q", body, placeOf(second))
	}
	checkAttrs(t, first, map[string]string{"error.type": "connect", "http.response.status_code": "", "server.port": dead[strings.Index(dead, ":")+1:]})
	checkAttrs(t, second, map[string]string{"error.type": "", "http.response.status_code": "200", "http.request.resend_count": "1"})
	if first.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || second.Status != nil {
		t.Errorf("got %v and %v", first.Status, second.Status)
	}
	checkAttrs(t, spans[0], map[string]string{"sallyport.tries": "2"})

	g.Get("/dead")
	spans, _ = c.tree(2)
	checkAttrs(t, spanNamed(t, spans, "GET /dead"), map[string]string{"error.type": "bad_gateway", "http.response.status_code": "502"})
	if s := spanNamed(t, spans, "GET /dead").Status; s.GetCode() != tracepb.Status_STATUS_CODE_ERROR || !strings.Contains(s.Message, "refused") {
		t.Errorf("got %v", s)
	}

	g.Get("/fails")
	spans, _ = c.tree(2)
	for _, s := range spans {
		checkAttrs(t, s, map[string]string{"error.type": "503", "http.response.status_code": "503"})
	}

	g.Get("/nowhere")
	spans, lines = c.tree(1)
	checkTree(t, lines, sees("GET (server) < -"))
	checkAttrs(t, spans[0], map[string]string{"error.type": "not_found", "http.response.status_code": "404", "http.route": "", "url.path": "/nowhere"})
	if spans[0].Status != nil {
		t.Errorf("a client's mistake is a failure: %v", spans[0].Status)
	}

	// A head that is refused before anything is looked for.
	conn := dialRaw(t, g, "FOO /a HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n")
	if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || answer.StatusCode != 400 {
		t.Fatalf("got %v, %v", answer, err)
	}
	spans, _ = c.tree(1)
	checkAttrs(t, spans[0], map[string]string{"error.type": "bad_request", "http.response.status_code": "400"})
}

func TestTracesOfPlugins(t *testing.T) {
	c := startCollector(t, nil)
	dir := t.TempDir()
	install(t, dir, "asks", "asks")
	install(t, dir, "traceid", "traceid")
	install(t, dir, "flaky", "hostile")
	var asked string
	auth := Backend(t, func(_ http.ResponseWriter, r *http.Request) { asked = r.Header.Get("Traceparent") })
	g := StartIn(t, dir, tracingTOML(c.grpc, "")+upstreamsTOML("auth", auth)+`
[plugins.asks]
grants = ["fetch:auth"]
[[routes]]
name = "asks"
path = "/asks"
respond = {}
filters = ["asks"]
[[routes]]
name = "id"
path = "/id"
respond = {}
filters = ["traceid"]
[[routes]]
name = "never"
path = "/never"
respond = {}
filters = ["traceid"]
tracing = { sample = 0 }
`)
	status, _, id := g.Get("/id")
	spans, lines := c.tree(2)
	checkTree(t, lines, sees("GET /id (server) < -", "traceid on_request (internal) < GET /id"))
	if want := hex.EncodeToString(spans[0].TraceId); status != 401 || id != want {
		t.Errorf("got %d and the id %q, want %q", status, id, want)
	}
	hook := spanNamed(t, spans, "traceid on_request")
	checkAttrs(t, hook, map[string]string{
		"sallyport.plugin": "traceid", "sallyport.hook": "on_request", "sallyport.verdict": "respond", "http.response.status_code": "401",
		"sallyport.filter": "routes[1].filters[0]",
	})
	if fuel := attr(hook.Attributes, "sallyport.fuel"); len(fuel) < 3 {
		t.Errorf("got the fuel %q", fuel)
	}
	if status, _, id := g.Get("/never"); status != 401 || len(id) != 32 { // not sampled is not unknown
		t.Errorf("got %d %q", status, id)
	}

	if status, _, _ := g.Get("/asks"); status != 200 {
		t.Errorf("got %d", status)
	}
	spans, lines = c.tree(4)
	checkTree(t, lines, sees("GET (client) < fetch auth", "GET /asks (server) < -", "asks on_request (internal) < GET /asks", "fetch auth (internal) < asks on_request"))
	if want := placeOf(spanNamed(t, spans, "GET")); asked != want {
		t.Errorf("the fetch had the traceparent %q, want %q", asked, want)
	}
	for _, s := range spans {
		if string(s.TraceId) != string(spans[0].TraceId) {
			t.Error("the spans are of several traces")
		}
	}

	if err := g.ApplyText(upstreamsTOML("auth", auth) + "[[routes]]\nname = \"id\"\npath = \"/id\"\nrespond = {}\nfilters = [\"traceid\"]\n"); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := g.Get("/id"); status != 404 {
		t.Errorf("without tracing: got %d, want none", status)
	}
}

func TestTracesOfHTTP2AndGRPC(t *testing.T) {
	c := startCollector(t, nil)
	_, backend := serveGRPC(t, nil)
	g := Start(t, calls(backend, "")+tracingTOML(c.grpc, ""))
	if err := invoke(t, dialGRPC(t, g.Addr), "/grpc.testing.TestService/EmptyCall", ""); err != nil {
		t.Fatal(err)
	}
	spans, lines := c.tree(2)
	checkTree(t, lines, sees("POST (client) < POST /*rest", "POST /*rest (server) < -"))
	checkAttrs(t, spanNamed(t, spans, "POST /*rest"), map[string]string{"rpc.system": "grpc", "rpc.grpc.status_code": "0", "network.protocol.version": "2"})
	if err := invoke(t, dialGRPC(t, g.Addr), "/grpc.testing.TestService/UnimplementedCall", ""); err == nil {
		t.Fatal("no error")
	}
	spans, _ = c.tree(2)
	s := spanNamed(t, spans, "POST /*rest")
	checkAttrs(t, s, map[string]string{"rpc.grpc.status_code": "12", "error.type": "12"})
	if s.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR {
		t.Errorf("got %v", s.Status)
	}
}

// The span of a tunnel ends with the tunnel, which may be long after its generation.
func TestTracesOfATunnel(t *testing.T) {
	c := startCollector(t, nil)
	toml := tracingTOML(c.grpc, "") + "[[routes]]\nname = \"ws\"\npath = \"/ws\"\nupstream = \"b\"\n"
	g := Start(t, routes(Backend(t, echoSocket), toml))
	socket := openSocket(t, g, nil)
	if err := exchangeMessage(socket, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	other := startCollector(t, nil)
	if err := g.ApplyText(routes(free.Address(t), strings.Replace(toml, c.grpc, other.grpc, 1))); err != nil {
		t.Fatal(err)
	}
	if err := exchangeMessage(socket, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if n := len(c.spans()); n > 0 {
		t.Errorf("%d spans have come before the end", n)
	}
	socket.CloseNow()
	spans, lines := other.tree(2)
	checkTree(t, lines, sees("GET (client) < GET /ws", "GET /ws (server) < -"))
	checkAttrs(t, spanNamed(t, spans, "GET /ws"), map[string]string{"http.response.status_code": "101"})
}

// What waits for the former collector is sent there, and what waits at the end is sent, too.
func TestTracesAreFlushed(t *testing.T) {
	c, other := startCollector(t, nil), startCollector(t, nil)
	toml := tracingTOML(c.grpc, "") + "[[routes]]\nname = \"a\"\npath = \"/a\"\nrespond = {}\n"
	g := newIn(t, t.TempDir())
	if err := g.ApplyText(toml); err != nil {
		t.Fatal(err)
	}
	g.Addr = g.Addresses()[listen]
	g.URL = "http://" + g.Addr
	get := func(n int) {
		for range n {
			if status, _, _ := g.Get("/a"); status != 200 {
				t.Errorf("got %d", status)
			}
		}
	}
	get(20)
	if err := g.ApplyText(strings.Replace(toml, c.grpc, other.grpc, 1)); err != nil {
		t.Fatal(err)
	}
	get(10)
	Until(t, "all but the last, perhaps, have been handed in", func() bool {
		s := g.traceState()
		return s.Waiting+int(s.Exported) >= 29
	})
	g.stop()
	if state := g.traceState(); state.Exported != 30 || state.Dropped+state.Failed != 0 {
		t.Errorf("got %+v", state)
	}
	if n := len(c.spans()) + len(other.spans()); n != 30 || len(c.spans()) < 19 {
		t.Errorf("got %d and %d", len(c.spans()), len(other.spans()))
	}
}

// A collector that is dead, or takes nothing, costs spans and no request.
func TestTracesWithoutACollector(t *testing.T) {
	hang := make(chan struct{})
	c := startCollector(t, hang)
	for name, endpoint := range map[string]string{"dead": "http://" + refusedAddress(t), "hanging": c.grpc} {
		t.Run(name, func(t *testing.T) {
			g := Start(t, tracingTOML(endpoint, "")+"timeout = \"100ms\"\n[[routes]]\nname = \"a\"\npath = \"/a\"\nrespond = {}\n")
			for range 50 {
				if status, _, _ := g.Get("/a"); status != 200 {
					t.Fatalf("got %d", status)
				}
			}
			told := func() int { return strings.Count(g.Logs(), "spans cannot be sent") }
			Until(t, "the spans are given up", func() bool { return g.Status().Traces.Failed >= 50 })
			Until(t, "the log tells of it", func() bool { return told() > 0 }) // once they are counted
			g.Get("/a")
			Until(t, "one more is given up", func() bool { return g.Status().Traces.Failed >= 51 })
			if n := told(); n != 1 {
				t.Errorf("told %d times:\n%s", n, g.Logs())
			}
		})
	}
	close(hang)
}

// TestTraceFields has the fields of traces from clients who are trusted or not.
func TestTraceFields(t *testing.T) {
	const id, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	const parent = "00-" + id + "-" + caller + "-"
	const state, baggage = "Tracestate: foo=1, bar@x=2", "Baggage: a=b"
	tests := []struct {
		name, settings string
		fields         []string
		follows        bool
		flags          string
		rest           string // tracestate and baggage
	}{
		{"followed", "", []string{"traceparent: " + parent + "00", state, baggage}, true, "00", "foo=1, bar@x=2 a=b"},
		{"sampled by the caller", "sample = 0", []string{"traceparent: " + parent + "01", state}, true, "01", "foo=1, bar@x=2 "},
		{"random", "", []string{"traceparent: " + parent + "02"}, true, "02", " "},
		{"a later version", "", []string{"traceparent: cc" + parent[2:] + "01-more"}, true, "01", " "},
		{"flags unknown", "", []string{"traceparent: " + parent + "f1"}, true, "01", " "},
		{"baggage dropped", `baggage = "drop"`, []string{"traceparent: " + parent + "00", state, baggage}, true, "00", "foo=1, bar@x=2 "},
		{"states joined", "", []string{"traceparent: " + parent + "00", "Tracestate: foo=1", "Tracestate: ", "tracestate: bar=2"}, true, "00", "foo=1,bar=2 "},
		{"bad state", "", []string{"traceparent: " + parent + "00", "Tracestate: foo=1", "Tracestate: BAR=2"}, true, "00", " "},
		{"state of nothing", "", []string{"traceparent: " + parent + "00", "Tracestate: , ,"}, true, "00", " "},
		{"no parent", "", []string{state, baggage}, false, "03", " a=b"},
		{"bad parent", "", []string{"traceparent: " + parent + "0", state}, false, "03", " "},
		{"parent twice", "", []string{"traceparent: " + parent + "00", "Traceparent: " + parent + "00", state}, false, "03", " "},
		{"none", "sample = 0", nil, false, "02", " "},
		{"nobody is trusted", "trust_incoming = false", []string{"traceparent: " + parent + "01", state, baggage}, false, "03", " "},
		{"no trusted proxy", `trust_incoming = "trusted_proxies"`, []string{"traceparent: " + parent + "01", state, baggage}, false, "03", " "},
		{"a trusted proxy", "trust_incoming = \"trusted_proxies\"\n[server]\nlisten = [{ address = \"127.0.0.1:0\", trusted_proxies = [\"127.0.0.1\"] }]", []string{"traceparent: " + parent + "00", state, baggage}, true, "00", "foo=1, bar@x=2 a=b"},
	}
	backend := Backend(t, parentOf)
	c := startCollector(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings := tt.settings
			if !strings.Contains(settings, "trust_incoming") {
				settings += "\ntrust_incoming = true"
			}
			if !strings.Contains(settings, "sample") {
				settings = "sample = 1\n" + settings
			}
			g := Start(t, "[tracing]\notlp.endpoint = \""+c.grpc+"\"\n"+settings+"\n"+routes(backend, "[[routes]]\nname = \"a\"\npath = \"/a\"\nupstream = \"b\"\n"))
			_, _, body := g.Get("/a", tt.fields...)
			got, rest, _ := strings.Cut(body, " ")
			parts := strings.Split(got, "-")
			if len(parts) != 4 || parts[0] != "00" || len(got) != 55 {
				t.Fatalf("got %q", body)
			}
			if follows := parts[1] == id; follows != tt.follows || parts[2] == caller || parts[3] != tt.flags {
				t.Errorf("got %s, want it to follow: %v, and the flags %s", got, tt.follows, tt.flags)
			}
			if rest != tt.rest {
				t.Errorf("got %q, want %q", rest, tt.rest)
			}
			if strings.HasSuffix(tt.flags, "1") || strings.HasSuffix(tt.flags, "3") {
				spans, _ := c.tree(2)
				if s := spanNamed(t, spans, "GET /a"); tt.follows != (hex.EncodeToString(s.ParentSpanId) == caller) {
					t.Errorf("got the parent %x", s.ParentSpanId)
				}
			}
		})
	}
	t.Run("without tracing", func(t *testing.T) {
		g := Start(t, routes(backend, "[[routes]]\nname = \"a\"\npath = \"/a\"\nupstream = \"b\"\n"))
		if _, _, body := g.Get("/a", "traceparent: x", "Tracestate: A", "Tracestate: B", baggage); body != "x A&B a=b" {
			t.Errorf("got %q", body)
		}
	})
}

// A route's own share comes before that of all, but not before what a caller has decided.
func TestTraceShareOfARoute(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	c := startCollector(t, nil)
	backend := Backend(t, parentOf)
	for _, tt := range []struct {
		all, own string
		fields   []string
		want     string
	}{
		{"0", "1", nil, "03"}, {"1", "0", nil, "02"}, {"1", "1", nil, "03"}, {"0", "0", nil, "02"}, {"0", "0", []string{"traceparent: " + parent}, "01"},
	} {
		g := Start(t, "[tracing]\ntrust_incoming = true\notlp.endpoint = \""+c.grpc+"\"\nsample = "+tt.all+"\n"+
			routes(backend, "[[routes]]\nname = \"a\"\npath = \"/a\"\nupstream = \"b\"\ntracing = { sample = "+tt.own+" }\n"))
		_, _, body := g.Get("/a", tt.fields...)
		if got := strings.TrimSpace(body)[53:]; got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
		if tt.want != "02" {
			c.tree(2)
		}
	}
}

func TestTraceInTheAccessLog(t *testing.T) {
	c := startCollector(t, nil)
	g := Start(t, "[log]\naccess = \"./access.log\"\n"+tracingTOML(c.grpc, "")+"[[routes]]\nname = \"a\"\npath = \"/a\"\nrespond = {}\n")
	g.Get("/a")
	spans, _ := c.tree(1)
	want := fmt.Sprintf(`"trace_id":"%x","span_id":"%x"`, spans[0].TraceId, spans[0].SpanId)
	Until(t, "the log has the trace", func() bool {
		text, err := os.ReadFile(filepath.Join(g.Dir, "access.log"))
		return err == nil && strings.Contains(string(text), want)
	})
}

// Many at once, of all kinds, while the collector changes: every span arrives or is counted.
func TestTracesHammer(t *testing.T) {
	c := startCollector(t, nil)
	dir := t.TempDir()
	install(t, dir, "asks", "asks")
	toml := func(endpoint, protocol string) string {
		return tracingTOML(endpoint, "") + "protocol = \"" + protocol + "\"\n" + upstreamsTOML("auth", Backend(t, func(http.ResponseWriter, *http.Request) {}), "b", Backend(t, parentOf)) + `
[plugins.asks]
grants = ["fetch:auth"]
[[routes]]
name = "asks"
path = "/asks"
respond = {}
filters = ["asks"]
[[routes]]
name = "post"
path = "/post"
upstream = "b"
`
	}
	g := StartIn(t, dir, toml(c.grpc, "grpc"))
	done := make(chan struct{})
	for i := range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for n := range 40 {
				path, body := "/asks", ""
				if (i+n)%2 == 0 {
					path, body = "/post", strings.Repeat("x", 100_000)
				}
				r, _ := http.NewRequest("POST", g.URL+path, strings.NewReader(body))
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}()
	}
	for range 3 {
		for protocol, endpoint := range map[string]string{"grpc": c.grpc, "http": c.http} {
			if err := g.ApplyText(toml(endpoint, protocol)); err != nil {
				t.Error(err)
			}
		}
	}
	for range 8 {
		<-done
	}
	Until(t, "every span has come or is counted", func() bool {
		s := g.traceState()
		return s.Waiting == 0 && s.Exported+s.Dropped+s.Failed >= 160*4+160*2
	})
	if s := g.traceState(); s.Exported != uint64(len(c.spans())) {
		t.Errorf("got %+v, and %d spans", s, len(c.spans()))
	}
}
