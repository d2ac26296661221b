package upstream

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

// holding serves requests only as it is told to by the channel.
func holding(release chan bool) func(*wire) {
	return func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			<-release
			w.say(okAnswer)
		}
	}
}

// TestLimits: past a limit, and past those that may wait, an exchange is refused at once, and told from other failures.
func TestLimits(t *testing.T) {
	tests := []struct {
		name      string
		limits    LimitOptions
		endpoints int
		room      int
	}{
		{"requests", LimitOptions{MaxRequests: 3}, 2, 3},
		{"connections", LimitOptions{MaxConnections: 2}, 2, 4},
		{"both", LimitOptions{MaxConnections: 2, MaxRequests: 3}, 2, 3},
		{"with some that wait", LimitOptions{MaxRequests: 2, MaxPending: 2, PendingTimeout: time.Minute}, 2, 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			noLeak(t)
			release := make(chan bool)
			o := careful(listenAll(t, holding(release)), test.endpoints)
			o.Retry, o.Limits = nil, test.limits
			u := open(t, o)
			var answered sync.WaitGroup
			for range test.room {
				answered.Go(func() { ask(t, u, request("GET", "/")) })
			}
			pending := int64(test.limits.MaxPending)
			eventually(t, "all are in", func() bool { return active(u)+u.State().Pending == int64(test.room) && u.State().Pending == pending })
			f := mustFail(t, u, request("GET", "/"), Send{}, fault.Unavailable)
			if !strings.HasPrefix(f.Reason, "upstream overflow") || f.RetryAfter == 0 || f.Side != fault.Gateway || u.State().Overflowed != 1 {
				t.Errorf("got %+v, %+v", f, u.State())
			}
			close(release)
			answered.Wait()
			ask(t, u, request("GET", "/"))
			if failures(u) != 0 {
				t.Error("an endpoint is blamed for a limit of ours")
			}
		})
	}
}

func active(u *Upstream) (n int64) {
	for _, e := range u.Endpoints() {
		n += e.Active
	}
	return n
}

func failures(u *Upstream) (n uint64) {
	for _, e := range u.Endpoints() {
		n += e.Failures
	}
	return n
}

// TestPendingInTurn: those who wait are let in in the order in which they came.
func TestPendingInTurn(t *testing.T) {
	var mu sync.Mutex
	var served []string
	release := make(chan bool)
	o := group(listen(t, func(w *wire) {
		for {
			head, err := w.request()
			if err != nil {
				return
			}
			<-release
			mu.Lock()
			served = append(served, strings.Fields(head)[1])
			mu.Unlock()
			w.say(okAnswer)
		}
	}).address)
	o.Limits = LimitOptions{MaxConnections: 1, MaxPending: 10, PendingTimeout: time.Minute}
	u := open(t, o)
	var answered sync.WaitGroup
	for i := range 6 {
		answered.Go(func() { ask(t, u, request("GET", fmt.Sprint("/", i))) })
		eventually(t, "it waits", func() bool { return u.State().Pending == int64(i) && active(u) == 1 })
	}
	close(release)
	answered.Wait()
	if got := strings.Join(served, ""); got != "/0/1/2/3/4/5" {
		t.Errorf("served %s", got)
	}
}

// TestNobodyOvertakesWhoWasWoken: room that is given back while one is about to look is that one's, whoever waits behind it or comes then.
func TestNobodyOvertakesWhoWasWoken(t *testing.T) {
	g, e := &gate{o: LimitOptions{MaxConnections: 1, MaxPending: 9}}, &Endpoint{}
	queue := [3]*ticket{}
	g.enter(e, false)
	for i := range queue {
		queue[i] = &ticket{g: g, until: time.Now().Add(time.Hour)}
		if joined, f := queue[i].join(g.version()); !joined || f != nil {
			t.Fatal(joined, f)
		}
	}
	called := func(q *ticket) bool {
		select {
		case <-q.called:
			return true
		default:
			return false
		}
	}
	for i, q := range queue {
		g.leave(e)
		if !called(q) || i+1 < len(queue) && called(queue[i+1]) {
			t.Fatalf("%d: not the first alone was woken", i)
		}
		if g.enter(e, false) {
			t.Fatalf("%d: a newcomer is let in", i)
		}
		q.woken = true
		if !g.enter(e, q.woken) {
			t.Fatalf("%d: who was woken is not let in", i)
		}
		q.leave()
	}
	g.leave(e)
	if !g.enter(e, false) {
		t.Error("nobody waits, and there is no room")
	}
}

// TestPendingEnds: by its own time, by the exchange's, by the client's going.
func TestPendingEnds(t *testing.T) {
	gone := &client{}
	gone.gone.Store(true)
	tests := []struct {
		name string
		own  time.Duration
		send Send
		c    *client
		want fault.Kind
	}{
		{"own", 5 * time.Millisecond, Send{}, &client{}, fault.Unavailable},
		{"deadline", time.Hour, Send{Deadline: time.Now().Add(10 * time.Millisecond)}, &client{}, fault.Unavailable},
		{"client", time.Hour, Send{}, gone, fault.ClientGone},
	}
	release := make(chan bool)
	o := group(listen(t, holding(release)).address)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o.Limits = LimitOptions{MaxConnections: 1, MaxPending: 10, PendingTimeout: test.own}
			u := open(t, o)
			var answered sync.WaitGroup
			answered.Go(func() { ask(t, u, request("GET", "/")) })
			eventually(t, "the first is in", func() bool { return active(u) == 1 })
			x := request("GET", "/")
			x.Client = test.c
			mustFail(t, u, x, test.send, test.want)
			if s := u.State(); s.Pending != 0 || len(u.care.gate.queue) != 0 {
				t.Errorf("it still waits: %+v", s)
			}
			release <- true
			answered.Wait()
		})
	}
}

// TestConnectionLimit: however many exchanges come at once, the servers never see more connections.
func TestConnectionLimit(t *testing.T) {
	var now, most atomic.Int64
	p := listenAll(t, func(w *wire) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		always(okAnswer)(w)
	})
	o := careful(p, 2)
	o.Retry, o.Limits = nil, LimitOptions{MaxConnections: 3, MaxPending: 100, PendingTimeout: time.Minute}
	u := open(t, o)
	var answered sync.WaitGroup
	for range 40 {
		answered.Go(func() {
			for range 20 {
				ask(t, u, request("GET", "/"))
			}
		})
	}
	answered.Wait()
	if got := most.Load(); got != 6 {
		t.Errorf("at most %d connections at once, want 6", got)
	}
}

// TestHTTP2ConnectionLimit: streams wait for room on the connections there may be.
func TestHTTP2ConnectionLimit(t *testing.T) {
	noLeak(t)
	var conns sync.Map
	s := serveH2C(t, &http.HTTP2Config{MaxConcurrentStreams: 2}, func(w http.ResponseWriter, r *http.Request) {
		conns.Store(r.RemoteAddr, true)
		_, _ = io.WriteString(w, "ok")
	})
	o := h2c(s.Listener.Addr().String())
	o.Limits = LimitOptions{MaxConnections: 2, MaxPending: 100, PendingTimeout: time.Minute}
	u := open(t, o)
	var answered sync.WaitGroup
	for range 16 {
		answered.Go(func() {
			for range 10 {
				ask(t, u, request("GET", "/"))
			}
		})
	}
	answered.Wait()
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n > 2 {
		t.Errorf("%d connections, want at most 2", n)
	}
}

func TestHTTP2ConnectionLimitRefuses(t *testing.T) {
	noLeak(t)
	release := make(chan bool)
	s := serveH2C(t, &http.HTTP2Config{MaxConcurrentStreams: 1}, func(http.ResponseWriter, *http.Request) { <-release })
	o := h2c(s.Listener.Addr().String())
	o.Limits = LimitOptions{MaxConnections: 1}
	u := open(t, o)
	var answered sync.WaitGroup
	answered.Go(func() { ask(t, u, request("GET", "/")) })
	eventually(t, "the first is in", func() bool { return u.Endpoints()[0].Active == 1 && len(u.view.Load().endpoints[0].mux.open()) == 1 })
	f := mustFail(t, u, request("GET", "/"), Send{}, fault.Unavailable)
	if !strings.HasPrefix(f.Reason, "upstream overflow") || u.State().Overflowed != 1 {
		t.Errorf("got %+v, %+v", f, u.State())
	}
	close(release)
	answered.Wait()
}

// open returns the connections there are.
func (m *mux) open() []*muxConn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conns
}

// TestNewEndpointTakesThoseWhoWait: an endpoint that comes while a queue stands is used by those behind it.
func TestNewEndpointTakesThoseWhoWait(t *testing.T) {
	release := make(chan bool)
	o := group(listen(t, holding(release)).address)
	o.Limits = LimitOptions{MaxConnections: 1, MaxPending: 10, PendingTimeout: time.Minute}
	u := open(t, o)
	var answered sync.WaitGroup
	for i := range 3 {
		answered.Go(func() { ask(t, u, request("GET", "/")) })
		eventually(t, "it waits", func() bool { return u.State().Pending == int64(i) && active(u) == 1 })
	}
	if err := u.Update([]EndpointOptions{o.Endpoints[0], {Address: listen(t, always(okAnswer)).address}}); err != nil {
		t.Fatal(err)
	}
	answered.Go(func() { ask(t, u, request("GET", "/")) })
	close(release) // those that waited may have gone to either
	answered.Wait()
	if u.State().Overflowed != 0 || len(u.care.gate.queue) != 0 {
		t.Errorf("%+v", u.State())
	}
}
