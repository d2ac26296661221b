package upstream

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

func TestConnectionIsReused(t *testing.T) {
	p := listen(t, always(okAnswer))
	u := open(t, group(p.address))
	for range 5 {
		if got := ask(t, u, request("GET", "/")); got != "ok" {
			t.Errorf("got %q, want ok", got)
		}
	}
	if got := p.conns.Load(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
	if got := u.Endpoints()[0]; got.Idle != 1 || got.Requests != 5 || got.Failures != 0 || got.Active != 0 {
		t.Errorf("got %+v, want 1 kept and 5 requests", got)
	}
}

func TestConnectionIsNotReused(t *testing.T) {
	tests := []struct{ name, answer string }{
		{"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		{"bytes behind the content", okAnswer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"},
		{"bytes behind the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nX"},
		{"a 1xx with content", "HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n" + okAnswer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := listen(t, always(test.answer))
			u := open(t, group(p.address))
			for range 2 {
				if got := ask(t, u, request("GET", "/")); got != "ok" {
					t.Errorf("got %q, want ok", got)
				}
			}
			if got := p.conns.Load(); got != 2 || idle(u) != 0 {
				t.Errorf("got %d connections, %d kept; want 2, none kept", got, idle(u))
			}
		})
	}
}

func TestContentBehindEmptyAnswerIsNotAnAnswer(t *testing.T) {
	p := listen(t, always("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
	u := open(t, group(p.address))
	x := request("GET", "/")
	if got := ask(t, u, x); got != "" || x.Resp.Status != 204 || idle(u) != 0 {
		t.Errorf("got %d %q with %d kept, want an empty 204 and none kept", x.Resp.Status, got, idle(u))
	}
}

func TestUnaskedBytesOnKeptConnection(t *testing.T) {
	speak, spoken := make(chan bool), make(chan bool)
	p := listen(t, func(w *wire) {
		if _, err := w.request(); err != nil {
			return
		}
		w.say(okAnswer)
		if w.number == 1 {
			<-speak
			w.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			close(spoken)
		}
		_, _ = w.request()
	})
	u := open(t, group(p.address))
	ask(t, u, request("GET", "/"))
	close(speak)
	<-spoken
	x := request("POST", "/")
	if got := ask(t, u, x); got != "ok" {
		t.Errorf("got %q, want the answer to this very request", got)
	}
	if x.Tries != 1 || p.conns.Load() != 2 {
		t.Errorf("got %d tries, %d connections; want 1 and 2", x.Tries, p.conns.Load())
	}
}

func TestClosedWhileKept(t *testing.T) {
	closed := make(chan bool, 1)
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say(okAnswer)
		_ = w.Close()
		closed <- true
	})
	u := open(t, group(p.address))
	ask(t, u, request("GET", "/"))
	<-closed
	// Nothing is written to a connection whose end can be seen, so even a POST is safe.
	x := request("POST", "/")
	x.Req.Body.Set([]byte("once"))
	if got := ask(t, u, x); got != "ok" || x.Tries != 1 {
		t.Errorf("got %q in %d tries, want ok in 1", got, x.Tries)
	}
}

// TestFarewell: a server says 408 on a connection that it has waited on for too long, when the next request is already under way. To a
// first request a 408 is an answer, and so it is to one that must not be sent twice.
func TestFarewell(t *testing.T) {
	const farewell = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye"
	tests := []struct {
		name, method, before, says string
		want                       string
		conns                      int64
	}{
		{"replayed", "GET", okAnswer, farewell, "ok", 2},
		{"not replayed", "POST", okAnswer, farewell, "bye", 1},
		{"of a first request", "GET", "", farewell, "bye", 1},
		{"an answer, since more may follow", "GET", okAnswer, strings.Replace(farewell, "Connection: close\r\n", "", 1), "bye", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := listen(t, func(w *wire) {
				says := []string{test.before, test.says}
				if w.number > 1 {
					says = []string{okAnswer}
				}
				for _, one := range says {
					if one == "" {
						continue
					}
					if _, err := w.request(); err != nil {
						return
					}
					w.say(one)
				}
				_, _ = w.request()
			})
			u := open(t, group(p.address))
			if test.before != "" {
				ask(t, u, request("GET", "/"))
			}
			x := request(test.method, "/second")
			if got := ask(t, u, x); got != test.want || x.Tries != 1 || p.conns.Load() != test.conns {
				t.Errorf("got %q in %d tries on %d connections, want %q in 1 on %d", got, x.Tries, p.conns.Load(), test.want, test.conns)
			}
		})
	}
}

// TestDiesUnderRequest: the kept connection looks fine, but the peer ends it when the request comes.
func TestDiesUnderRequest(t *testing.T) {
	tests := []struct {
		method  string
		replays bool
	}{{"GET", true}, {"PUT", true}, {"DELETE", true}, {"POST", false}, {"PATCH", false}}
	for _, test := range tests {
		t.Run(test.method, func(t *testing.T) {
			var lock sync.Mutex
			got := 0
			p := listen(t, func(w *wire) {
				for n := 1; ; n++ {
					head, err := w.request()
					if err != nil {
						return
					}
					if strings.HasPrefix(head, test.method+" /second") {
						lock.Lock()
						got++
						lock.Unlock()
					}
					if n == 2 {
						w.reset()
						return
					}
					w.say(okAnswer)
				}
			})
			u := open(t, group(p.address))
			ask(t, u, request("GET", "/first"))
			x := request(test.method, "/second")
			want := 1
			if test.replays {
				want = 2
				if got := ask(t, u, x); got != "ok" {
					t.Errorf("got %q, want ok", got)
				}
			} else if f := mustFail(t, u, x, Send{}, fault.BadGateway); f.Retry {
				t.Error("a request that may have been acted on is said to be retryable")
			}
			lock.Lock()
			defer lock.Unlock()
			if got != want || x.Tries != 1 {
				t.Errorf("the peer saw it %d times in %d tries, want %d in 1", got, x.Tries, want)
			}
		})
	}
}

func TestUnfinishedAnswerIsNotReused(t *testing.T) {
	p := listen(t, always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome"))
	u := open(t, group(p.address))
	x := request("GET", "/")
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	if got := u.Endpoints()[0].Active; got != 1 {
		t.Errorf("in flight while the body is open: got %d, want 1", got)
	}
	x.Resp.Reset()
	if got := idle(u); got != 0 {
		t.Errorf("got %d kept, want 0", got)
	}
}

func TestPoolIsBoundedAndLastInFirstOut(t *testing.T) {
	p := listen(t, always(okAnswer))
	o := group(p.address)
	o.MaxIdle = 2
	u := open(t, o)
	var held []*exchange.Exchange
	for range 3 {
		x := request("GET", "/")
		if f := u.Do(x, Send{}); f != nil {
			t.Fatal(f)
		}
		held = append(held, x)
	}
	for _, x := range held {
		x.Resp.Reset()
	}
	if got := idle(u); got != 2 {
		t.Fatalf("got %d kept, want 2", got)
	}
	pool := &u.view.Load().endpoints[0].idle
	last := pool.idle[1]
	ask(t, u, request("GET", "/"))
	if pool.idle[1] != last {
		t.Error("the connection used last was not taken first")
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	p := listen(t, always(okAnswer))
	o := group(p.address)
	o.IdleTimeout = time.Millisecond
	u := open(t, o)
	ask(t, u, request("GET", "/"))
	eventually(t, "the unused connection is closed", func() bool { return idle(u) == 0 })
	ask(t, u, request("GET", "/"))
	eventually(t, "the second one too", func() bool { return idle(u) == 0 })
}

func TestCloseWhileExchangeRuns(t *testing.T) {
	p := listen(t, always(okAnswer))
	u := open(t, group(p.address))
	x := request("GET", "/")
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	u.Close()
	if got := string(x.Resp.Body.Held); got != "ok" {
		t.Errorf("got %q, want ok", got)
	}
	x.Resp.Reset()
	if got := idle(u); got != 0 {
		t.Errorf("kept after Close: got %d, want 0", got)
	}
	if got := ask(t, u, request("GET", "/")); got != "ok" {
		t.Errorf("after Close: got %q, want ok", got)
	}
}

func TestRetryGoesToAnotherEndpoint(t *testing.T) {
	good := listen(t, always(okAnswer))
	resets := listen(t, func(w *wire) { _, _ = w.request(); w.reset() })
	garbles := listen(t, always("HTTP/1.1 two hundred\r\n\r\n"))
	fails := listen(t, always("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"))
	tests := []struct {
		name, method, first string
		retries             int
		want                string // "" stands for success
	}{
		{"connect refused", "POST", deadAddress(t), 1, ""},
		{"connect refused, no retries", "GET", deadAddress(t), 0, "bad_gateway"},
		{"reset", "GET", resets.address, 1, ""},
		{"reset after POST", "POST", resets.address, 1, "bad_gateway"},
		{"not HTTP", "GET", garbles.address, 1, "bad_gateway"},
		{"a status is an answer", "GET", fails.address, 1, "503"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := group(test.first, good.address)
			o.Retries = test.retries
			u := open(t, o)
			x := request(test.method, "/")
			got := ""
			if f := u.Do(x, Send{}); f != nil {
				got = f.Kind.String()
			} else if x.Resp.Status != 200 {
				got = "503"
			}
			if got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			if test.want == "" && (x.Tries != 2 || x.Endpoint != good.address || x.Upstream != "test") {
				t.Errorf("got %d tries, the last at %s of %s; want 2, at %s", x.Tries, x.Endpoint, x.Upstream, good.address)
			}
			x.Resp.Reset()
		})
	}
}

func TestNoPointlessRetries(t *testing.T) {
	o := group(deadAddress(t))
	o.Retries = 5
	u := open(t, o)
	x := request("GET", "/")
	mustFail(t, u, x, Send{}, fault.BadGateway)
	if x.Tries != 1 {
		t.Errorf("the only endpoint was tried %d times, want 1", x.Tries)
	}
	if got := u.Endpoints()[0].Failures; got != 1 {
		t.Errorf("got %d failures, want 1", got)
	}
	o = group(deadAddress(t), deadAddress(t))
	o.Retries = 3
	x = request("GET", "/")
	mustFail(t, open(t, o), x, Send{}, fault.BadGateway)
	if x.Tries != 4 {
		t.Errorf("got %d tries, want the first and 3 retries", x.Tries)
	}
}

func TestNoEndpoint(t *testing.T) {
	f := mustFail(t, open(t, group()), request("GET", "/"), Send{}, fault.Unavailable)
	if f.Side != fault.Upstream {
		t.Errorf("got side %v, want upstream", f.Side)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name, want string
		change     func(*Options)
	}{
		{"no port", "missing port", func(o *Options) { o.Endpoints[0].Address = "localhost" }},
		{"no host", "want host:port", func(o *Options) { o.Endpoints[0].Address = ":80" }},
		{"policy", "unknown balancing policy", func(o *Options) { o.Policy = "guess" }},
		{"weight", "weight -1", func(o *Options) { o.Endpoints[0].Weight = -1 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := group("127.0.0.1:1")
			test.change(&o)
			if _, err := New(o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestStaleIsTheCause(t *testing.T) {
	if f := (&conn{x: request("POST", "/")}).explain(errStale); !f.Retry || !errors.Is(f, errStale) {
		t.Errorf("got %+v, want a retryable fault of a stale connection", f)
	}
}
