package upstream

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// careful returns options for endpoints at one peer, retried for those reasons without waiting.
func careful(p *peer, n int, on ...string) Options {
	o := group(p.address)
	for range n - 1 {
		o.Endpoints = append(o.Endpoints, EndpointOptions{Address: strings.Replace(p.address, "127.0.0.1", fmt.Sprintf("127.0.0.%d", len(o.Endpoints)+1), 1)})
	}
	o.Retries = 2
	o.Retry = &RetryOptions{On: on, MaxBody: 64 << 10}
	return o
}

// listenAll is listen on all of loopback, so that one peer can be several endpoints.
func listenAll(t testing.TB, serve func(*wire)) *peer {
	t.Helper()
	p := listenOn(t, "0.0.0.0:0", serve)
	p.address = strings.Replace(p.address, "[::]", "127.0.0.1", 1)
	p.address = strings.Replace(p.address, "0.0.0.0", "127.0.0.1", 1)
	return p
}

// content reads the content that a head announces.
func (w *wire) content(head string) string {
	var out strings.Builder
	if _, length, ok := strings.Cut(head, "Content-Length: "); ok {
		var n int64
		_, _ = fmt.Sscan(length, &n)
		_, _ = io.CopyN(&out, w.in, n)
		return out.String()
	}
	for strings.Contains(head, "chunked") {
		var n int64
		line, err := w.in.ReadString('\n')
		if _, bad := fmt.Sscanf(line, "%x", &n); bad != nil || err != nil {
			break
		}
		_, _ = io.CopyN(&out, w.in, n)
		_, _ = w.in.ReadString('\n')
		if n == 0 {
			break
		}
	}
	return out.String()
}

// turns serves requests by what is said for the first of all, the second and so on; the last is said for all that follow. "reset" breaks
// the connection, "stall" says nothing. Behind each answer comes what was received.
type turns struct {
	mu    sync.Mutex
	n     int
	heard []string
	say   []string
}

func (s *turns) next(content string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, content)
	s.n++
	return s.say[min(s.n, len(s.say))-1]
}

// all returns the contents of all requests so far.
func (s *turns) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

func (s *turns) serve(w *wire) {
	for {
		head, err := w.request()
		if err != nil {
			return
		}
		switch said := s.next(w.content(head)); said {
		case "reset":
			w.reset()
			return
		case "stall":
			silent(w)
			return
		default:
			w.say(said)
		}
	}
}

func status(code int, fields string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\n%sContent-Length: 2\r\n\r\nno", code, fields)
}

func TestRetryReasons(t *testing.T) {
	const hint = "HTTP/1.1 103 X\r\nLink: </a>\r\n\r\n"
	tests := []struct {
		name, method string
		body         exchange.Body
		on           []string
		say          []string
		tries        int
		want         string // the status, or a kind of fault
	}{
		{"reset", "GET", exchange.Body{}, []string{"reset"}, []string{"reset", okAnswer}, 2, "200"},
		{"reset not asked for", "GET", exchange.Body{}, []string{"connect"}, []string{"reset", okAnswer}, 1, "bad_gateway"},
		{"reset of a POST", "POST", exchange.Body{}, []string{"reset"}, []string{"reset", okAnswer}, 1, "bad_gateway"},
		{"503", "GET", exchange.Body{}, []string{"503"}, []string{status(503, ""), okAnswer}, 2, "200"},
		{"503 twice", "GET", exchange.Body{}, []string{"503"}, []string{status(503, ""), status(503, ""), okAnswer}, 3, "200"},
		{"503 for ever", "GET", exchange.Body{}, []string{"503"}, []string{status(503, "")}, 3, "503"},
		{"503 not asked for", "GET", exchange.Body{}, []string{"502"}, []string{status(503, ""), okAnswer}, 1, "503"},
		{"503 to a POST", "POST", exchange.Body{}, []string{"503"}, []string{status(503, ""), okAnswer}, 1, "503"},
		{"404 is an answer", "GET", exchange.Body{}, []string{"503"}, []string{status(404, ""), okAnswer}, 1, "404"},
		{"reset, then 502", "GET", exchange.Body{}, []string{"502", "reset"}, []string{"reset", status(502, ""), okAnswer}, 3, "200"},
		{"after an early hint", "GET", exchange.Body{}, []string{"503"}, []string{hint + status(503, ""), okAnswer}, 1, "503"},
		{"Retry-After", "GET", exchange.Body{}, []string{"429"}, []string{status(429, "Retry-After: 0\r\n"), okAnswer}, 2, "200"},
		{"Retry-After too long", "GET", exchange.Body{}, []string{"429"}, []string{status(429, "Retry-After: 5\r\n"), okAnswer}, 1, "429"},
		{"content", "PUT", exchange.Body{Length: 4, Held: []byte("body")}, []string{"503"}, []string{status(503, ""), okAnswer}, 2, "200"},
		{"grpc", "POST", exchange.Body{}, []string{"grpc-unavailable"}, []string{status(200, "Grpc-Status: 14\r\n"), okAnswer}, 2, "200"},
		{"grpc, another status", "POST", exchange.Body{}, []string{"grpc-unavailable"}, []string{status(200, "Grpc-Status: 5\r\n"), okAnswer}, 1, "200"},
		{"invalid answer", "GET", exchange.Body{}, []string{"reset", "502"}, []string{"HTTP/1.1 banana\r\n\r\n", okAnswer}, 1, "bad_gateway"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &turns{say: test.say}
			u := open(t, careful(listenAll(t, s.serve), 3, test.on...))
			x := request(test.method, "/")
			x.Client, x.Req.Body = &client{}, test.body
			got := "200"
			if f := u.Do(x, Send{}); f != nil {
				got = f.Kind.String()
			} else {
				got = fmt.Sprint(x.Resp.Status)
			}
			x.Resp.Reset()
			if got != test.want || x.Tries != test.tries {
				t.Errorf("got %s after %d tries, want %s after %d", got, x.Tries, test.want, test.tries)
			}
			for _, heard := range s.all() {
				if heard != string(test.body.Held) {
					t.Errorf("the server heard %q, want %q each time", s.all(), test.body.Held)
				}
			}
			if got := u.State().Retries; got != uint64(test.tries-1) {
				t.Errorf("%d retries counted, want %d", got, test.tries-1)
			}
		})
	}
}

// TestRetryPrefersOthers: each try goes to an endpoint that has not been tried, as long as there is one.
func TestRetryPrefersOthers(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	p := listenAll(t, func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			mu.Lock()
			asked[w.LocalAddr().String()]++
			mu.Unlock()
			w.say(status(503, ""))
		}
	})
	o := careful(p, 4, "503")
	o.Retries = 3
	u := open(t, o)
	for range 20 {
		x := request("GET", "/")
		if f := u.Do(x, Send{}); f != nil || x.Tries != 4 {
			t.Fatalf("got %v after %d tries, want an answer after 4", f, x.Tries)
		}
		x.Resp.Reset()
	}
	for address, n := range asked {
		if n != 20 {
			t.Errorf("%s was asked %d times, want 20: %v", address, n, asked)
		}
	}
}

// TestRetriedAnswerKeepsItsConnection: a short answer that is not wanted costs no connection; a long one does.
func TestRetriedAnswerKeepsItsConnection(t *testing.T) {
	tests := []struct {
		name, first string
		conns       int64
	}{
		{"at hand", status(503, ""), 1},
		{"to come", "HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\n" /* the content follows */, 1},
		{"long", "HTTP/1.1 503 X\r\nContent-Length: 1000000\r\n\r\n", 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var later atomic.Bool
			p := listen(t, func(w *wire) {
				for {
					if _, err := w.request(); err != nil {
						return
					}
					if later.Swap(true) {
						w.say(okAnswer)
						continue
					}
					w.say(test.first)
					if strings.HasSuffix(test.first, "\r\n\r\n") {
						w.say("no")
					}
				}
			})
			u := open(t, careful(p, 1, "503"))
			if got := ask(t, u, request("GET", "/")); got != "ok" || p.conns.Load() != test.conns {
				t.Errorf("got %q over %d connections, want ok over %d", got, p.conns.Load(), test.conns)
			}
		})
	}
}

// TestRetryOfContent: content is sent again wholly or not at all.
func TestRetryOfContent(t *testing.T) {
	long := strings.Repeat("long ", 20_000) // more than is held
	tests := []struct {
		name, held string
		length     int64
		pieces     []string
		expects    bool
		tries      int
	}{
		{"announced", "one ", 7, []string{"two"}, false, 2},
		{"not announced", "one ", exchange.Unknown, []string{"two", " three"}, false, 2},
		{"too long", "", int64(len(long)), []string{long}, false, 1},
		{"too long, not announced", "", exchange.Unknown, []string{long}, false, 1},
		{"announced, and asked for", "", 7, []string{"one two"}, true, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &turns{say: []string{"HTTP/1.1 100 Continue\r\n\r\n" + status(503, ""), okAnswer}}
			if !test.expects {
				s.say[0] = status(503, "")
			}
			u := open(t, careful(listenAll(t, s.serve), 2, "503"))
			x := request("PUT", "/")
			feed := newFeed(test.pieces...)
			close(feed.pieces)
			x.Req.Expects = test.expects
			x.Req.Body = exchange.Body{Length: test.length, Held: []byte(test.held), Source: feed}
			if f := u.Do(x, Send{}); f != nil {
				t.Fatal(f)
			}
			x.Resp.Reset()
			x.Req.Body.Reset()
			if x.Tries != test.tries {
				t.Errorf("got %d tries, want %d", x.Tries, test.tries)
			}
			all := test.held + strings.Join(test.pieces, "")
			for i, heard := range s.all() {
				if heard != all && !test.expects {
					t.Errorf("try %d: the server heard %d bytes %.20q, want %d", i+1, len(heard), heard, len(all))
				}
			}
			if x.Received != int64(len(all)) && !test.expects {
				t.Errorf("%d bytes received, want %d", x.Received, len(all))
			}
		})
	}
}

// TestRetryOnKeptConnection: content that was recorded is sent again wholly, too, when a kept connection turns out to be dead.
func TestRetryOnKeptConnection(t *testing.T) {
	s := &turns{say: []string{okAnswer, "reset", okAnswer}}
	u := open(t, careful(listen(t, s.serve), 1, "reset"))
	ask(t, u, request("GET", "/"))
	feed := newFeed("two")
	close(feed.pieces)
	x := request("PUT", "/")
	x.Req.Body = exchange.Body{Length: exchange.Unknown, Held: []byte("one "), Source: feed}
	if got := ask(t, u, x); got != "ok" || s.all()[len(s.all())-1] != "one two" {
		t.Errorf("got %q, the server heard %q", got, s.all())
	}
}

// TestUnsafeRetry: methods that are named are sent again, others are not, whatever is said of them elsewhere.
func TestUnsafeRetry(t *testing.T) {
	tests := []struct {
		method, first string
		methods       []string
		tries         int
	}{
		{"POST", "reset", []string{"GET", "POST"}, 2}, {"POST", status(503, ""), []string{"GET", "POST"}, 2}, {"PUT", "reset", []string{"GET"}, 1},
		{"PUT", status(503, ""), []string{"GET"}, 1},
	}
	for _, test := range tests {
		s := &turns{say: []string{test.first, okAnswer}}
		o := careful(listenAll(t, s.serve), 2, "reset", "503")
		o.Retry.Methods = test.methods
		x := request(test.method, "/")
		x.Req.Body.Set([]byte("content"))
		_ = open(t, o).Do(x, Send{})
		x.Resp.Reset()
		if x.Tries != test.tries {
			t.Errorf("%s, %q, of %v: %d tries, want %d", test.method, test.first, test.methods, x.Tries, test.tries)
		}
	}
}

// TestUnreachedIsRetried: whatever the method, what has reached nobody may be sent to somebody.
func TestUnreachedIsRetried(t *testing.T) {
	p := listen(t, always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"))
	o := group(deadAddress(t), p.address)
	o.Retries, o.Retry = 1, &RetryOptions{On: []string{"connect"}, Budget: 1}
	u := open(t, o)
	for range 10 {
		if got := ask(t, u, request("POST", "/")); got != "ok" {
			t.Errorf("got %q", got)
		}
	}
	o.Retry = &RetryOptions{On: []string{"503"}}
	u, failed := open(t, o), 0
	for range 10 {
		x := request("GET", "/")
		if f := u.Do(x, Send{}); f != nil {
			failed++
		}
		x.Resp.Reset()
	}
	if failed != 5 {
		t.Errorf("%d of 10 failed where connecting is no reason, want 5", failed)
	}
}

func TestTryTimeout(t *testing.T) {
	tests := []struct {
		name       string
		try, route time.Duration
		say        []string
		retries    int
		tries      int        // at least, if answered
		want       fault.Kind // 0: answered
	}{
		{"the second answers", 200 * time.Millisecond, time.Minute, []string{"stall", okAnswer}, 50, 2, 0}, // or one behind it, where machines are slow
		{"none answers", 100 * time.Millisecond, time.Minute, []string{"stall"}, 2, 3, fault.GatewayTimeout},
		{"the route's is shorter", time.Minute, 200 * time.Millisecond, []string{"stall"}, 2, 1, fault.GatewayTimeout},
	}
	for _, protocol := range []string{"http/1.1", "h2c"} {
		for _, test := range tests {
			t.Run(protocol+", "+test.name, func(t *testing.T) {
				o := careful(listenAll(t, (&turns{say: test.say}).serve), 3, "timeout", "connect")
				if protocol == "h2c" {
					o = carefulH2(t, test.say, "timeout", "connect")
				}
				o.Retries, o.Retry.TryTimeout = test.retries, test.try
				u := open(t, o)
				x := request("GET", "/")
				f := u.Do(x, Send{Deadline: time.Now().Add(test.route)})
				x.Resp.Reset()
				if x.Tries < test.tries || f != nil && x.Tries > test.tries || (f == nil) != (test.want == 0) || f != nil && f.Kind != test.want {
					t.Errorf("got %v after %d tries, want %v after %d", f, x.Tries, test.want, test.tries)
				}
			})
		}
	}
}

// carefulH2 returns options for three endpoints that speak HTTP/2 and say by turns what is said to be said.
func carefulH2(t testing.TB, say []string, on ...string) Options {
	var n atomic.Int64
	o := h2c()
	for range 3 {
		s := serveH2C(t, nil, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			switch said := say[min(int(n.Add(1)), len(say))-1]; {
			case said == "stall":
				<-r.Context().Done()
			case said == "reset":
				panic(http.ErrAbortHandler)
			case strings.HasPrefix(said, "grpc "):
				w.Header().Set("Content-Type", "application/grpc")
				w.Header().Set("Grpc-Status", said[5:])
			case said != okAnswer:
				w.WriteHeader(503)
				_, _ = io.WriteString(w, said)
			}
		})
		o.Endpoints = append(o.Endpoints, EndpointOptions{Address: s.Listener.Addr().String()})
	}
	o.Retries, o.Retry = 2, &RetryOptions{On: on, MaxBody: 64 << 10}
	return o
}

// TestRetryOverHTTP2: unary calls, whose content is not announced, are sent again as a whole.
func TestRetryOverHTTP2(t *testing.T) {
	tests := []struct {
		name, method string
		on           string
		say          []string
		tries        int
	}{
		{"unavailable", "POST", "grpc-unavailable", []string{"grpc 14", "grpc 0"}, 2},
		{"not found", "POST", "grpc-unavailable", []string{"grpc 5", "grpc 0"}, 1},
		{"status", "PUT", "503", []string{"no", okAnswer}, 2},
		{"reset of a call", "POST", "reset", []string{"reset", okAnswer}, 1},
		{"reset of a PUT", "PUT", "reset", []string{"reset", okAnswer}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			noLeak(t)
			u := open(t, carefulH2(t, test.say, test.on))
			x := request(test.method, "/")
			feed := newFeed("call")
			close(feed.pieces)
			x.Req.Body = exchange.Body{Length: exchange.Unknown, Source: feed}
			_ = u.Do(x, Send{})
			x.Resp.Reset()
			x.Req.Body.Reset()
			if x.Tries != test.tries {
				t.Errorf("got %d tries, want %d", x.Tries, test.tries)
			}
		})
	}
}

// TestConversationIsNotHeldUp: content that is not announced goes on its way as it comes, though it may be sent again.
func TestConversationIsNotHeldUp(t *testing.T) {
	heard := make(chan bool)
	s := serveH2C(t, nil, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 4))
		close(heard)
		_, _ = io.Copy(io.Discard, r.Body)
	})
	o := h2c(s.Listener.Addr().String())
	o.Retries, o.Retry = 1, &RetryOptions{On: []string{"reset"}, MaxBody: 1 << 20}
	u := open(t, o)
	x, feed := request("POST", "/"), newFeed("ping")
	x.Req.Body = exchange.Body{Length: exchange.Unknown, Source: feed}
	go func() { <-heard; close(feed.pieces) }()
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	x.Resp.Reset()
	x.Req.Body.Reset()
}

func TestPauseBeforeRetry(t *testing.T) {
	p, err := newRetryPolicy(9, &RetryOptions{Backoff: 25 * time.Millisecond, MaxBackoff: 250 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for n, bound := range []time.Duration{25, 50, 100, 200, 250, 250} {
		longest := time.Duration(0)
		for range 2000 {
			longest = max(longest, p.pause(n+1))
		}
		if bound *= time.Millisecond; longest >= bound || longest < bound*9/10 {
			t.Errorf("retry %d: at most %v, want almost %v", n+1, longest, bound)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"3", 3 * time.Second, true}, {"0", 0, true}, {"Fri, 02 Jan 2026 03:04:09 GMT", 4 * time.Second, true}, {"Fri, 02 Jan 2026 03:04:00 GMT", 0, true},
		{"-1", 0, false}, {"soon", 0, false}, {"", 0, false}, {"99999999999999999999", 0, false},
	}
	for _, test := range tests {
		var r exchange.Response
		r.Fields.Add("Retry-After", test.text)
		if got, ok := retryAfter(&r, now); got != test.want && ok || ok != test.ok {
			t.Errorf("%q: got %v, %v, want %v, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestUnknownReason(t *testing.T) {
	for _, on := range []string{"", "5xx", "200", "399", "600", "grpc-ok"} {
		o := group("127.0.0.1:1")
		o.Retry = &RetryOptions{On: []string{on}}
		if _, err := New(o); err == nil {
			t.Errorf("%q was taken for a reason", on)
		}
	}
}

// TestRetryStorm: when half of all tries fail everywhere, retries stay within their budget.
func TestRetryStorm(t *testing.T) {
	var served, coin atomic.Int64
	p := listenAll(t, func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			served.Add(1)
			if coin.Add(1)%2 == 0 {
				w.say(okAnswer)
			} else {
				w.say(status(503, ""))
			}
		}
	})
	o := careful(p, 5, "503", "reset", "connect")
	o.Retry.Budget, o.Retry.Backoff, o.Retry.MaxBackoff = 20, time.Millisecond, 4*time.Millisecond
	u := open(t, o)
	const workers, rounds = 64, 100
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for range rounds {
				x := request("GET", "/")
				if f := u.Do(x, Send{}); f != nil {
					t.Error(f)
				}
				x.Resp.Reset()
			}
		})
	}
	wait.Wait()
	ratio := float64(served.Load()) / (workers * rounds)
	s := u.State()
	t.Logf("%.3f requests to the servers for each of the clients', %+v", ratio, s)
	if ratio > 1.2 || s.Retries == 0 || s.OverBudget == 0 || s.Retrying != 0 {
		t.Errorf("%.3f requests for each, want at most 1.2; %+v", ratio, s)
	}
}

func TestBudget(t *testing.T) {
	newBudget := func(exchanges int) *budget {
		b := &budget{percent: 20}
		b.lately.slot = time.Hour
		for range exchanges {
			b.begin()
		}
		return b
	}
	takes := func(b *budget, shares []share) (paid int) {
		for i := range shares {
			if b.take(&shares[i], false) {
				paid++
			}
		}
		return paid
	}
	b, shares := newBudget(100), make([]share, 100)
	if paid := takes(b, shares); paid != 20 {
		t.Errorf("%d of 100 may retry, want 20", paid)
	}
	if one := (share{}); !b.take(&one, true) || one.paid || b.take(&share{}, false) {
		t.Error("a try that reached nobody was charged for")
	}
	b.most = 5
	if b.take(&share{}, true) {
		t.Error("more retries than there may be at most")
	}
	for _, s := range shares {
		b.end(s)
	}
	b.most = 0
	if paid := takes(b, make([]share, 10)); paid != 0 || b.refused.Load() == 0 {
		t.Errorf("%d more may retry though the budget is spent", paid)
	}
	slow := newBudget(100)
	slow.lately.clear() // they began long ago
	if paid := takes(slow, make([]share, 100)); paid < 15 || paid > 20 {
		t.Errorf("%d of 100 that take long may retry, want almost 20", paid)
	}
	if paid := takes(newBudget(1), make([]share, 4)); paid != minRetries {
		t.Errorf("%d retries of an idle upstream, want %d", paid, minRetries)
	}
}
