package upstream

import (
	"io"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// silent reads everything and never answers.
func silent(w *wire) { _, _ = io.Copy(io.Discard, w.in) }

func TestSilentUpstream(t *testing.T) {
	tests := []struct {
		name     string
		timeout  time.Duration
		deadline time.Duration
	}{
		{"response timeout", 5 * time.Millisecond, 0},
		{"deadline", time.Hour, 5 * time.Millisecond},
		{"deadline without response timeout", 0, 5 * time.Millisecond},
		{"longer than a slice", 150 * time.Millisecond, 0},
		{"deadline long past", time.Hour, -time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := listen(t, silent)
			o := group(p.address, p.address)
			o.ResponseTimeout, o.Retries = test.timeout, 1
			u := open(t, o)
			send := Send{}
			if test.deadline != 0 {
				send.Deadline = time.Now().Add(test.deadline)
			}
			x := request("GET", "/")
			f := mustFail(t, u, x, send, fault.GatewayTimeout)
			if f.Side != fault.Upstream || x.Tries != 1 {
				t.Errorf("got %v after %d tries, want the upstream's fault after 1", f, x.Tries)
			}
		})
	}
}

func TestTimeoutOnKeptConnection(t *testing.T) {
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say(okAnswer)
		silent(w)
	})
	o := group(p.address)
	o.ResponseTimeout = time.Hour
	u := open(t, o)
	ask(t, u, request("GET", "/"))
	// The read deadline that the first request left is later than this one.
	send := Send{Deadline: time.Now().Add(5 * time.Millisecond)}
	mustFail(t, u, request("GET", "/"), send, fault.GatewayTimeout)
}

func TestSlowerThanSeveralSlices(t *testing.T) {
	c := &client{}
	p := listen(t, func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			asked := c.asked.Load()
			if !within(30*time.Second, func() bool { return c.asked.Load() >= asked+2 }) {
				return
			}
			w.say(okAnswer)
		}
	})
	u := open(t, group(p.address))
	for range 2 {
		x := request("GET", "/")
		x.Client = c
		if got := ask(t, u, x); got != "ok" {
			t.Errorf("got %q, want ok", got)
		}
	}
	if got := p.conns.Load(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}

func TestClientGoesWhileUpstreamIsSlow(t *testing.T) {
	cut := make(chan bool)
	p := listen(t, func(w *wire) { silent(w); close(cut) })
	u := open(t, group(p.address))
	x, c := request("GET", "/"), &client{}
	x.Client = c
	c.gone.Store(true)
	f := mustFail(t, u, x, Send{}, fault.ClientGone)
	if f.Side != fault.Client || f.Retry {
		t.Errorf("got %+v, want the client's fault", f)
	}
	<-cut // the upstream learns of it
	if got := u.Endpoints()[0].Failures; got != 0 {
		t.Errorf("the endpoint is blamed %d times for a client that went", got)
	}
}

func TestConnectTimeout(t *testing.T) {
	o := group("127.0.0.1:9")
	o.ConnectTimeout = time.Nanosecond
	f := mustFail(t, open(t, o), request("GET", "/"), Send{}, fault.GatewayTimeout)
	if f.Side != fault.Upstream || !f.Retry {
		t.Errorf("got %+v, want the upstream's fault, for a retry", f)
	}
}

// TestUpstreamThatDoesNotRead: a request too large for the socket's buffers stalls, and that is bounded too.
func TestUpstreamThatDoesNotRead(t *testing.T) {
	release := make(chan bool)
	p := listen(t, func(*wire) { <-release })
	o := group(p.address)
	o.ResponseTimeout = 20 * time.Millisecond
	u := open(t, o)
	x := request("PUT", "/")
	x.Req.Body = exchange.Body{Length: 32 << 20, Held: make([]byte, 32<<20)}
	mustFail(t, u, x, Send{}, fault.GatewayTimeout)
	close(release)
}

// TestDeadlineOfTheWholeAnswer: it ends content that comes all the time as well as content that does not come.
func TestDeadlineOfTheWholeAnswer(t *testing.T) {
	peers := map[string]func(*wire){
		"silent": func(w *wire) {
			_, _ = w.request()
			w.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
			silent(w)
		},
		"busy": func(w *wire) {
			_, err := w.request()
			for w.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"); err == nil; {
				_, err = io.WriteString(w.TCPConn, "1\r\nx\r\n")
			}
		},
	}
	for name, serve := range peers {
		t.Run(name, func(t *testing.T) {
			u := open(t, group(listen(t, serve).address))
			x := request("GET", "/")
			// The answer has to have begun by then.
			if f := u.Do(x, Send{Deadline: time.Now().Add(time.Second), Whole: true}); f != nil {
				t.Fatal(f)
			}
			defer x.Resp.Reset()
			_, err := io.Copy(io.Discard, &x.Resp.Body)
			if f := fault.From(err); f == nil || f.Kind != fault.GatewayTimeout || f.Side != fault.Upstream {
				t.Errorf("got %v, want the upstream's timeout", err)
			}
		})
	}
}
