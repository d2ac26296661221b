package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
)

// idleConns returns how many connections are idle.
func idleConns(l *Listener) (count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.state.Load() == idle {
			count++
		}
	}
	return count
}

// TestIdleHoldsNothing counts the pages and Exchanges that are made for many connections, used one after the other.
func TestIdleHoldsNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("pools forget on purpose under the race detector")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	shards := map[uint32]bool{}
	l, h := start(t, Options{}, func(x *exchange.Exchange) { answer200(x, "ok") })
	h.onEnd = func(x *exchange.Exchange) { shards[x.Shard] = true }
	var made atomic.Int32
	l.engine.pages.free.New = func() any {
		made.Add(1)
		return new(page)
	}
	const n = 200
	for i := range n {
		nc := dial(t, l)
		for range i % 3 { // some have not sent anything yet
			send(t, nc, getOne)
			readTo(t, nc, "ok")
		}
		eventually(t, "the last is idle", func() bool { return idleConns(l) == i+1 })
	}
	if got := made.Load(); got > n/10 {
		t.Errorf("%d pages for %d idle connections", got, n)
	}
	if got := len(shards); got > n/10 {
		t.Errorf("%d exchanges for %d idle connections", got, n)
	}
}

func TestDrain(t *testing.T) {
	serving, answer := make(chan struct{}), make(chan struct{})
	l, _ := start(t, Options{}, func(x *exchange.Exchange) {
		if x.Req.Path == "/wait" {
			serving <- struct{}{}
			<-answer
		}
		answer200(x, "ok")
	})
	idling, fresh, busy := dial(t, l), dial(t, l), dial(t, l)
	send(t, idling, getOne)
	readTo(t, idling, "ok")
	send(t, busy, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	<-serving
	eventually(t, "two are idle", func() bool {
		return idleConns(l) == 2
	})
	drained := make(chan error)
	go func() { drained <- l.Drain(context.Background()) }()
	for _, nc := range []net.Conn{idling, fresh} {
		if got := readAll(t, nc); got != "" {
			t.Errorf("got %q", got)
		}
	}
	if nc, err := net.Dial("tcp", l.Addr().String()); err == nil {
		nc.Close()
		t.Error("still accepts")
	}
	close(answer)
	if want, got := told("ok", closing), readAll(t, busy); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestDrainCutsOff(t *testing.T) {
	serving := make(chan struct{})
	l, h := start(t, Options{}, func(x *exchange.Exchange) {
		close(serving)
		eventually(t, "the client is gone", x.Client.Gone)
		answer200(x, "too late")
	})
	nc := dial(t, l)
	send(t, nc, getOne)
	<-serving
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got, _ := io.ReadAll(nc); len(got) != 0 { // a reset is as good
		t.Errorf("got %q", got)
	}
	eventually(t, "the exchange has ended", func() bool { return h.open() == 0 })
}

func TestDrainCutsTunnels(t *testing.T) {
	here, there := tcpPair(t)
	l, h := tunnelTo(t, Options{}, here)
	nc := dial(t, l)
	send(t, nc, upgradeHead)
	readTo(t, nc, "first ")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := readAll(t, there); got != "" {
		t.Errorf("got %q", got)
	}
	eventually(t, "the exchange has ended", func() bool { return h.open() == 0 })
}

func TestDrainBeforeStart(t *testing.T) {
	l, err := New(&fake{t: t}, nil).Listen("127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Drain(context.Background()); err != nil {
		t.Error(err)
	}
	l.Start()
	if err := l.Drain(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestGone(t *testing.T) {
	serving := make(chan struct{})
	l, _ := start(t, Options{}, func(x *exchange.Exchange) {
		if x.Client.Gone() {
			t.Error("gone before it went")
		}
		close(serving)
		eventually(t, "the client is gone", x.Client.Gone)
	})
	nc := dial(t, l)
	send(t, nc, getOne)
	<-serving
	nc.Close()
}

func TestConnectionLimit(t *testing.T) {
	l, _ := start(t, Options{Connections: 2}, func(x *exchange.Exchange) { answer200(x, "ok") })
	conns := []*net.TCPConn{dial(t, l), dial(t, l)}
	for _, nc := range conns {
		send(t, nc, getOne)
		readTo(t, nc, "ok")
	}
	third := dial(t, l)
	send(t, third, getOne)
	l.mu.Lock()
	if len(l.conns) != 2 {
		t.Errorf("%d are open", len(l.conns))
	}
	l.mu.Unlock()
	conns[0].Close()
	readTo(t, third, "ok")
	fourth := dial(t, l)
	send(t, fourth, getOne)
	l.SetOptions(Options{Connections: 3})
	readTo(t, fourth, "ok")
}

// failingListener fails to accept a few times.
type failingListener struct {
	net.Listener
	left atomic.Int32
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.left.Add(-1) >= 0 {
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestAcceptGoesOn(t *testing.T) {
	var log output.Text
	l, err := New(&fake{t: t, serve: tell, served: map[uint64]bool{}, ended: map[uint64]bool{}}, testLog(&log)).Listen("127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	failing := &failingListener{Listener: l.listener}
	failing.left.Store(2)
	l.listener = failing
	l.Start()
	if want, got := told(`GET /? x ""`), talk(t, l, getOne); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := l.Drain(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestFinBehindLaterRequest has a client that has kept its connection send its FIN together with a request.
func TestFinBehindLaterRequest(t *testing.T) {
	l, _ := start(t, Options{IdleTimeout: time.Hour}, func(x *exchange.Exchange) { answer200(x, "ok") })
	nc := dial(t, l)
	for range 3 * enoughLooks {
		send(t, nc, getOne)
		readTo(t, nc, "ok")
	}
	send(t, nc, getOne)
	if err := nc.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if want, got := told("ok"), readAll(t, nc); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSetOptions(t *testing.T) {
	l, _ := start(t, Options{}, tell)
	nc := dial(t, l)
	input := "GET /" + strings.Repeat("a", 2*smallLimits.Limits.URI) + " HTTP/1.1\r\nHost: x\r\n\r\n"
	send(t, nc, input)
	readTo(t, nc, `""`)
	l.SetOptions(smallLimits)
	send(t, nc, input)
	if got := readAll(t, nc); !strings.HasPrefix(got, "HTTP/1.1 414 ") {
		t.Errorf("got %q", got)
	}
}
