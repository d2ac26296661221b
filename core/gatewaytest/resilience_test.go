package gatewaytest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/interop"
	"google.golang.org/grpc/status"

	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// mute is an address that takes connections and never says anything, as a stopped process's does.
func mute(t testing.TB) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { _, _ = io.Copy(io.Discard, c); c.Close() })
		}
	})
	t.Cleanup(func() { l.Close() }) // connections end with the gateway
	return l.Addr().String()
}

func quoted(addresses []string) string { return `["` + strings.Join(addresses, `", "`) + `"]` }

// TestOutageIsHidden: of ten endpoints two are gone, one says nothing, one answers 500 at random, and clients see next to nothing of it;
// nor are the servers that are left sent much more than the clients ask for.
func TestOutageIsHidden(t *testing.T) {
	var served atomic.Int64
	addresses := []string{mute(t)}
	for i := range 9 {
		s := backendOf(t, "http/1.1", nil, func(w http.ResponseWriter, _ *http.Request) {
			served.Add(1)
			if i == 0 && rand.N(2) == 0 {
				w.WriteHeader(500)
			}
		})
		addresses = append(addresses, s.Listener.Addr().String())
		if i > 6 {
			s.Close()
		}
	}
	g := Start(t, fmt.Sprintf(`[upstreams.b]
endpoints = %s
retries = 3
retry = { on = ["connect", "reset", "timeout", "500", "502", "503"], try_timeout = "1s", backoff = "5ms" }
breaker = { failures = 3, ratio = 30, min_requests = 10, window = "2s", open_for = "2s", statuses = [500, 502, 503] }
[[routes]]
name = "all"
path = "/*rest"
upstream = "b"
`, quoted(addresses)))
	const clients, rounds = 16, 250
	var failed atomic.Int64
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			for range rounds {
				if code, _, _ := g.Get("/"); code != 200 {
					failed.Add(1)
				}
			}
		})
	}
	wait.Wait()
	ratio := float64(served.Load()) / (clients * rounds)
	s := g.Status()
	t.Logf("%d of %d failed, %.3f requests to the servers for each, %+v", failed.Load(), clients*rounds, ratio, s.Totals["b"])
	if failed.Load()*1000 >= clients*rounds || ratio > 1.2 {
		t.Errorf("%d of %d failed, %.3f requests to the servers for each; want less than 0.1 %%, at most 1.2", failed.Load(), clients*rounds, ratio)
	}
	for i, e := range s.Upstreams["b"] {
		if bad := i == 0 || i > 7; bad && e.Opened == 0 {
			t.Errorf("the breaker of endpoint %d has never opened", i)
		}
	}
}

// TestRetryOfUpload: content that comes by HTTP/1.1 or HTTP/2, announced or not, is sent again.
func TestRetryOfUpload(t *testing.T) {
	var n atomic.Int64
	backend := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		if n.Add(1)%2 == 1 {
			w.WriteHeader(503)
			return
		}
		_, _ = w.Write(content)
	})
	g := Start(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nretry = { on = [\"503\"], methods = [\"POST\"] }\n[[routes]]\nname = \"all\"\npath = \"/*rest\"\nupstream = \"b\"\n", backend))
	for _, client := range []*http.Client{http.DefaultClient, http2Client(t)} {
		for _, body := range []io.Reader{strings.NewReader("announced"), io.MultiReader(strings.NewReader("not "), strings.NewReader("announced"))} {
			want := "announced"
			if _, announced := body.(*strings.Reader); !announced {
				want = "not announced"
			}
			resp, err := client.Post(g.URL+"/", "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 || string(got) != want {
				t.Errorf("got %d %q, want 200 %q", resp.StatusCode, got, want)
			}
		}
	}
	if got := g.Status().Totals["b"].Retries; got != 4 {
		t.Errorf("%d retries, want 4", got)
	}
}

// TestBreakerOpens: a client is told at once, with its own reason and when to come again.
func TestBreakerOpens(t *testing.T) {
	g := Start(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nretries = 0\nbreaker = { failures = 2, open_for = \"1m\" }\n[[routes]]\nname = \"all\"\npath = \"/*rest\"\nupstream = \"b\"\n",
		Backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })))
	for range 2 {
		_, _, _ = g.Get("/")
	}
	code, fields, text := g.Get("/")
	if code != 503 || !strings.Contains(text, "circuit open") || fields.Get("Retry-After") == "" {
		t.Errorf("got %d %v %s", code, fields, text)
	}
	if s := g.Status(); s.Totals["b"].Unserved != 1 || s.Upstreams["b"][0].Breaker != "open" || !strings.Contains(g.Logs(), `"to":"open"`) {
		t.Errorf("got %+v, %s", s.Totals, g.Logs())
	}
}

// TestOverload: what is past the bound is told so at once, gRPC calls in their own way, and room comes back.
func TestOverload(t *testing.T) {
	release, begun := make(chan bool), make(chan bool)
	backend := Backend(t, func(http.ResponseWriter, *http.Request) { begun <- true; <-release })
	toml := func(more string) string {
		return fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\n[[routes]]\nname = \"all\"\npath = \"/*rest\"\nupstream = \"b\"\nconcurrency = { limit = 1 }\n%s", backend, more)
	}
	g := Start(t, toml(""))
	var wait sync.WaitGroup
	wait.Go(func() { _, _, _ = g.Get("/") })
	<-begun
	if code, fields, text := g.Get("/"); code != 503 || fields.Get("Retry-After") != "1" || !strings.Contains(text, "too many requests are being served") {
		t.Errorf("got %d %v %s", code, fields, text)
	}
	if code, fields, _ := g.Do("POST", "/", "", "Content-Type: application/grpc"); code != 200 || fields.Get("Grpc-Status") != "14" {
		t.Errorf("a call: got %d %v", code, fields)
	}
	if err := g.ApplyText(toml("[[routes]]\nname = \"more\"\npath = \"/more\"\nrespond = {}\n")); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := g.Get("/"); code != 503 {
		t.Errorf("after a reload: got %d, want 503: the request of before still runs", code)
	}
	release <- true
	wait.Wait()
	Until(t, "room is back", func() bool { return g.Status().Traffic["all"].Concurrency.Active == 0 })
	if got := g.Status().Traffic["all"].Concurrency.Shed; got != 3 {
		t.Errorf("%d shed, want 3", got)
	}
}

// TestOverloadWhenClientGoes: a client that hangs up gives its room back, in the queue and out of it.
func TestOverloadWhenClientGoes(t *testing.T) {
	backend := mute(t)
	g := Start(t, fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:0\"]\ndrain_timeout = \"5s\"\nconcurrency = { limit = 1, queue = 1, wait = \"1m\" }\n[upstreams.b]\nendpoints = [%q]\n[[routes]]\nname = \"all\"\npath = \"/*rest\"\nupstream = \"b\"\n", backend))
	state := func() counts {
		c := g.Status().Traffic[""].Concurrency
		return counts{c.Active, c.Waiting}
	}
	first, second := must(net.Dial("tcp", g.Addr)), must(net.Dial("tcp", g.Addr))
	_, _ = io.WriteString(first, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	Until(t, "the first is in", func() bool { return state() == counts{1, 0} })
	_, _ = io.WriteString(second, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	Until(t, "the second waits", func() bool { return state() == counts{1, 1} })
	second.Close()
	Until(t, "the second has gone", func() bool { return state() == counts{1, 0} })
	first.Close()
	Until(t, "the first has gone", func() bool { return state() == counts{0, 0} })
}

// counts are what changes of a bound.
type counts struct{ active, waiting int }

// TestSplitRoute: shares, names and cookies, each to the upstream that they are for.
func TestSplitRoute(t *testing.T) {
	name := func(name string) string {
		return Backend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	g := Start(t, fmt.Sprintf(`[upstreams.a]
endpoints = [%q]
[upstreams.b]
endpoints = [%q]
[[routes]]
name = "shares"
path = "/shares"
split = [{ upstream = "a", weight = 90 }, { upstream = "b", weight = 10, name = "canary" }]
split_by = "header:X-Branch"
[[routes]]
name = "cookies"
path = "/cookies"
split = [{ upstream = "a", weight = 1 }, { upstream = "b", weight = 1, name = "canary" }]
split_sticky = { cookie = "branch" }
`, name("a"), name("b")))
	got := map[string]int{}
	for range 300 {
		_, _, text := g.Get("/shares")
		got[text]++
	}
	if got["b"] < 29 || got["b"] > 31 {
		t.Errorf("got %v, want a tenth at b", got)
	}
	if _, _, text := g.Get("/shares", "X-Branch: canary"); text != "b" {
		t.Errorf("by name: got %s", text)
	}
	for range 4 {
		_, fields, first := g.Get("/cookies")
		cookie, _, _ := strings.Cut(fields.Get("Set-Cookie"), ";")
		for range 5 {
			if _, fields, text := g.Get("/cookies", "Cookie: "+cookie); text != first || fields.Get("Set-Cookie") != "" {
				t.Errorf("%s: got %s after %s, %v", cookie, text, first, fields)
			}
		}
	}
	if s := g.Status().Traffic["shares"].Split; s["a"]+s["canary"] != 301 {
		t.Errorf("counted %v, want 301 together", s)
	}
}

// TestMirrorRoute: copies arrive as the request would, and an upstream of theirs that hangs holds nothing up.
func TestMirrorRoute(t *testing.T) {
	copies := make(chan string, 8)
	shadow := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		copies <- fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Host, " ", string(content))
	})
	main := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		_, _ = w.Write(content)
	})
	g := Start(t, fmt.Sprintf(`[upstreams.main]
endpoints = [%q]
[upstreams.shadow]
endpoints = [%q]
[upstreams.mute]
endpoints = [%q]
[[routes]]
name = "all"
path = "/api/*rest"
upstream = "main"
strip_prefix = "/api"
mirror = { upstream = "shadow" }
[[routes]]
name = "mute"
path = "/mute"
upstream = "main"
mirror = { upstream = "mute", concurrency = 1, timeout = "50ms" }
`, main, shadow, mute(t)))
	long := strings.Repeat("x", 20_000)
	for _, content := range []string{"", "short", long} {
		if _, _, text := g.Do("PUT", "/api/a?b=c", content, "Host: example.com"); text != content {
			t.Errorf("got %d bytes, want %d", len(text), len(content))
		}
		if got, want := <-copies, "PUT /a?b=c example.com "+content; got != want {
			t.Errorf("the copy: got %.60q, want %.60q", got, want)
		}
	}
	for range 5 {
		if code, _, _ := g.Get("/mute"); code != 200 {
			t.Errorf("got %d", code)
		}
	}
	Until(t, "copies that hang are given up", func() bool { m := g.Status().Traffic["mute"].Mirror; return m.Active == 0 && m.Failed == m.Sent })
	if m := g.Status().Traffic["mute"].Mirror; m.Sent+m.Dropped != 5 || m.Sent == 0 {
		t.Errorf("got %+v, want 5 in all", m)
	}
}

// TestTotalTimeout: an answer that goes on and on is cut off, and one that ends in time is not.
func TestTotalTimeout(t *testing.T) {
	backend := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		for r.URL.Path == "/long" && r.Context().Err() == nil {
			_, _ = io.WriteString(w, "more\n")
			w.(http.Flusher).Flush()
		}
	})
	g := Start(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\n[[routes]]\nname = \"short\"\npath = \"/short\"\nupstream = \"b\"\ntotal_timeout = \"20s\"\n"+
		"[[routes]]\nname = \"long\"\npath = \"/long\"\nupstream = \"b\"\ntimeout = \"10s\"\ntotal_timeout = \"2s\"\n", backend))
	if code, _, _ := g.Get("/short"); code != 200 {
		t.Errorf("got %d, want 200", code)
	}
	resp := must(http.Get(g.URL + "/long"))
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != 200 || n == 0 || err == nil {
		t.Errorf("got %d, %d bytes, %v; want an answer that is cut off", resp.StatusCode, n, err)
	}
}

// TestCallsWithCare runs gRPC's own cases with everything turned on: streams must not be held up, nor calls broken.
func TestCallsWithCare(t *testing.T) {
	_, backend := serveGRPC(t, nil)
	_, copies := serveGRPC(t, nil)
	g := Start(t, fmt.Sprintf(`[upstreams.b]
endpoints = [%q]
protocol = "h2c"
retries = 2
retry = { on = ["connect", "reset", "timeout", "503", "grpc-unavailable"], methods = ["POST"] }
limits = { max_connections = 4, max_requests = 100, max_pending = 10 }
breaker = {}
[upstreams.copies]
endpoints = [%q]
protocol = "h2c"
[[routes]]
name = "calls"
path = "/*rest"
split = [{ upstream = "b" }]
mirror = { upstream = "copies" }
concurrency = { limit = 100 }
timeout = "1m"
`, backend, copies))
	client := testgrpc.NewTestServiceClient(dialGRPC(t, g.Addr))
	cases := map[string]func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption){
		"empty_unary": interop.DoEmptyUnaryCall, "large_unary": interop.DoLargeUnaryCall, "client_streaming": interop.DoClientStreaming,
		"server_streaming": interop.DoServerStreaming, "ping_pong": interop.DoPingPong, "empty_stream": interop.DoEmptyStream,
		"timeout_on_sleeping_server": interop.DoTimeoutOnSleepingServer, "cancel_after_first_response": interop.DoCancelAfterFirstResponse,
		"status_code_and_message": interop.DoStatusCodeAndMessage,
	}
	for name, do := range cases {
		t.Run(name, func(t *testing.T) {
			defer survive(t)
			do(patient(t), client)
		})
	}
}

// TestRetryOfCalls: a call that a server is not there for goes to the next, and one that has an answer does not.
func TestRetryOfCalls(t *testing.T) {
	var n atomic.Int64
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	s := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if n.Add(1)%2 == 1 {
			return nil, status.Error(codes.Unavailable, "not now")
		}
		return handler(ctx, req)
	}))
	testgrpc.RegisterTestServiceServer(s, interop.NewTestServer())
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-served })
	g := Start(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nprotocol = \"h2c\"\nretry = { on = [\"grpc-unavailable\"] }\n[[routes]]\nname = \"calls\"\npath = \"/*rest\"\nupstream = \"b\"\n", l.Addr()))
	client := testgrpc.NewTestServiceClient(dialGRPC(t, g.Addr))
	for range 10 {
		_, err := client.UnaryCall(patient(t), &testgrpc.SimpleRequest{ResponseSize: 7, Payload: &testgrpc.Payload{Body: make([]byte, 1000)}})
		if err != nil {
			t.Error(err)
		}
	}
	if got := n.Load(); got != 20 {
		t.Errorf("the server had %d calls, want 20", got)
	}
}

// TestTryTimeoutThroughGateway: one endpoint that says nothing costs a try, not the request.
func TestTryTimeoutThroughGateway(t *testing.T) {
	g := Start(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q, %q]\nretry = { try_timeout = \"1s\", backoff = \"0s\", max_backoff = \"0s\" }\n[[routes]]\nname = \"all\"\npath = \"/*rest\"\nupstream = \"b\"\ntimeout = \"20s\"\n",
		mute(t), Backend(t, Echo)))
	for range 6 {
		if code, _, _ := g.Get("/"); code != 200 {
			t.Errorf("got %d, want 200", code)
		}
	}
}
