package backend

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/upstream"
)

// reads answers once it has read the request's content, or as much as it is to.
type reads struct{ most int64 }

func (r reads) Answer(x *exchange.Exchange) *fault.Fault {
	_, _ = io.CopyN(io.Discard, &x.Req.Body, r.most)
	return says("ok").Answer(x)
}

func shadow(t testing.TB, handler http.HandlerFunc) *Proxy {
	t.Helper()
	s := httptest.NewServer(handler)
	u, err := upstream.New(upstream.Options{Name: "shadow", Policy: "round_robin", Endpoints: []upstream.EndpointOptions{{Address: s.Listener.Addr().String()}}, MaxIdle: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close(); s.CloseClientConnections(); s.Close() })
	return &Proxy{Upstream: u, Timeout: time.Minute, Total: time.Minute}
}

func settled(t testing.TB, m *Mirror) MirrorState {
	t.Helper()
	for end := time.Now().Add(time.Minute); m.State().Active != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("copies are still under way")
		}
	}
	return m.State()
}

// pieces is a Source of content.
type pieces struct{ io.Reader }

func (pieces) Close() error { return nil }

func TestMirror(t *testing.T) {
	long := strings.Repeat("x", 101)
	source := func(text string) exchange.Source { return pieces{strings.NewReader(text)} }
	tests := []struct {
		name    string
		body    exchange.Body
		upgrade string
		reads   int64
		want    string // the copy's content; "-" for no copy
		dropped uint64
	}{
		{"no content", exchange.Body{}, "", 1 << 20, "", 0},
		{"at hand", exchange.Body{Length: 4, Held: []byte("body")}, "", 1 << 20, "body", 0},
		{"to come", exchange.Body{Length: 7, Held: []byte("one "), Source: source("two")}, "", 1 << 20, "one two", 0},
		{"not announced", exchange.Body{Length: -1, Held: []byte("one "), Source: source("two")}, "", 1 << 20, "one two", 0},
		{"too long", exchange.Body{Length: 101, Source: source(long)}, "", 1 << 20, "-", 1},
		{"too long, not announced", exchange.Body{Length: -1, Source: source(long)}, "", 1 << 20, "-", 1},
		{"not read to its end", exchange.Body{Length: 7, Source: source("one two")}, "", 3, "-", 1},
		{"upgrade", exchange.Body{}, "websocket", 1 << 20, "-", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := make(chan *http.Request, 1)
			content := make(chan string, 1)
			to := shadow(t, func(_ http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				content <- string(b)
				got <- r
			})
			m := NewMirror(reads{test.reads}, MirrorOptions{Share: 100, MaxBody: 100, Concurrency: 4, To: to})
			x := &exchange.Exchange{}
			x.Req.Method, x.Req.Host, x.Req.Path, x.Req.Query, x.Req.Body, x.Req.Upgrade = "POST", "example.com", "/a", "b=c", test.body, test.upgrade
			x.Req.Fields.Add("X-Field", "value")
			if f := m.Answer(x); f != nil || string(x.Resp.Body.Held) != "ok" {
				t.Fatalf("got %v, %q", f, x.Resp.Body.Held)
			}
			s := settled(t, m)
			if test.want == "-" {
				if s.Sent != 0 || s.Dropped != test.dropped {
					t.Errorf("got %+v, want no copy and %d dropped", s, test.dropped)
				}
				return
			}
			r := <-got
			if c := <-content; c != test.want || r.Host != "example.com" || r.RequestURI != "/a?b=c" || r.Header.Get("X-Field") != "value" || r.Header.Get("X-Sallyport-Mirror") != "1" {
				t.Errorf("the copy: %s %s %v %q", r.Host, r.RequestURI, r.Header, c)
			}
			if s.Sent != 1 || s.Failed != 0 || x.Req.Fields.Has("X-Sallyport-Mirror") {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestMirrorShare(t *testing.T) {
	var n atomic.Int64
	m := NewMirror(says("ok"), MirrorOptions{Share: 10, MaxBody: 100, Concurrency: 1000, To: shadow(t, func(http.ResponseWriter, *http.Request) { n.Add(1) })})
	for range 1000 {
		x := &exchange.Exchange{}
		x.Req.Method, x.Req.Path = "GET", "/"
		_ = m.Answer(x)
	}
	if s := settled(t, m); s.Sent < 99 || s.Sent > 101 || uint64(n.Load()) != s.Sent {
		t.Errorf("a tenth of 1000 is %+v, and %d arrived", s, n.Load())
	}
}

// TestMirrorStandsInNobodysWay: an upstream that hangs, fails or is not there costs copies, and nothing else.
func TestMirrorStandsInNobodysWay(t *testing.T) {
	release := make(chan bool)
	to := shadow(t, func(http.ResponseWriter, *http.Request) { <-release })
	m := NewMirror(says("ok"), MirrorOptions{Share: 100, MaxBody: 100, Concurrency: 3, To: to})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 10 {
				x := &exchange.Exchange{}
				x.Req.Method, x.Req.Path = "GET", "/"
				if f := m.Answer(x); f != nil {
					t.Error(f)
				}
			}
		})
	}
	wait.Wait()
	if s := m.State(); s.Sent != 3 || s.Active != 3 || s.Dropped != 77 {
		t.Errorf("got %+v, want 3 under way and 77 dropped", s)
	}
	close(release)
	settled(t, m)
}

func TestMirrorSurvivesPanic(t *testing.T) {
	m := NewMirror(says("ok"), MirrorOptions{Share: 100, Concurrency: 1, To: &Proxy{}}) // without an upstream it must panic
	x := &exchange.Exchange{}
	x.Req.Method, x.Req.Path = "GET", "/"
	if f := m.Answer(x); f != nil {
		t.Error(f)
	}
	if s := settled(t, m); s.Failed != 1 {
		t.Errorf("got %+v, want a failed copy", s)
	}
}
