package engine

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

const upgradeHead = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

const switched = "HTTP/1.1 101 Switching Protocols\r\nDate: D\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

// tcpPair returns both ends of a TCP connection.
func tcpPair(t *testing.T) (here, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	one, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	two, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { one.Close(); two.Close() })
	_ = two.SetDeadline(time.Now().Add(patience))
	return one.(*net.TCPConn), two.(*net.TCPConn)
}

// tunnelTo starts a server whose every answer is a tunnel to upstream.
func tunnelTo(t *testing.T, o Options, upstream net.Conn) (*Listener, *fake) {
	return tunnelUnder(t, o, o, upstream)
}

// tunnelUnder is tunnelTo with other Options from the time on that a tunnel is answered.
func tunnelUnder(t *testing.T, before, o Options, upstream net.Conn) (*Listener, *fake) {
	return start(t, before, func(x *exchange.Exchange) {
		if x.Req.Upgrade != "websocket" {
			t.Errorf("upgrade %q", x.Req.Upgrade)
		}
		x.Client.(*conn).listener.SetOptions(o)
		x.Resp.Status = 101
		x.Resp.Fields.Add("Date", "D")
		x.Resp.Body.Set([]byte("first "))
		x.Resp.Tunnel = upstream
	})
}

func TestTunnel(t *testing.T) {
	here, there := tcpPair(t)
	ends := make(chan [2]int64, 1)
	l, h := tunnelTo(t, Options{}, here)
	h.onEnd = func(x *exchange.Exchange) { ends <- [2]int64{x.Received, x.Sent} }
	nc := dial(t, l)
	send(t, nc, upgradeHead+"early ")
	if want, got := switched+"first ", readTo(t, nc, "first "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	readTo(t, there, "early ")
	send(t, nc, "ping")
	readTo(t, there, "ping")
	send(t, there, "pong")
	readTo(t, nc, "pong")
	// The client ends its half; what the upstream says after that must still arrive.
	if err := nc.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, there); got != "" {
		t.Errorf("got %q", got)
	}
	send(t, there, "last words")
	there.Close()
	if got := readAll(t, nc); got != "last words" {
		t.Errorf("got %q", got)
	}
	if got, want := <-ends, [2]int64{10, 20}; got != want {
		t.Errorf("got %v bytes, want %v", got, want)
	}
}

func TestTunnelBothWaysAtOnce(t *testing.T) {
	here, there := tcpPair(t)
	l, _ := tunnelTo(t, Options{}, here)
	nc := dial(t, l)
	send(t, nc, upgradeHead)
	readTo(t, nc, "first ")
	content := strings.Repeat("0123456789abcdef", 1<<16)
	for _, from := range []*net.TCPConn{nc, there} {
		go func() {
			_, _ = io.WriteString(from, content) // the other end sees what came
			_ = from.CloseWrite()
		}()
	}
	up := make(chan string)
	go func() {
		got, _ := io.ReadAll(there)
		up <- string(got)
	}()
	if got := readAll(t, nc); got != content {
		t.Errorf("down: got %d bytes", len(got))
	}
	if got := <-up; got != content {
		t.Errorf("up: got %d bytes", len(got))
	}
}

func TestTunnelIdle(t *testing.T) {
	here, there := tcpPair(t)
	l, _ := tunnelUnder(t, Options{}, Options{IdleTimeout: 30 * time.Millisecond}, here)
	nc := dial(t, l)
	send(t, nc, upgradeHead)
	readTo(t, nc, "first ")
	if got := readAll(t, there); got != "" {
		t.Errorf("got %q", got)
	}
	if got := readAll(t, nc); got != "" {
		t.Errorf("got %q", got)
	}
}

// TestTunnelIdleAsTheExchangeSays: a route may know better than the listener, in both directions.
func TestTunnelIdleAsTheExchangeSays(t *testing.T) {
	tunnel := func(o Options, limit time.Duration) (l *Listener, nc, there *net.TCPConn) {
		here, there := tcpPair(t)
		l, _ = start(t, Options{}, func(x *exchange.Exchange) {
			x.Client.(*conn).listener.SetOptions(o)
			x.Idle = limit
			x.Resp.Status = 101
			x.Resp.Tunnel = here
		})
		nc = dial(t, l)
		send(t, nc, upgradeHead)
		readTo(t, nc, "\r\n\r\n")
		return l, nc, there
	}
	t.Run("shorter", func(t *testing.T) {
		_, nc, there := tunnel(Options{IdleTimeout: time.Hour}, 30*time.Millisecond)
		if got := readAll(t, nc) + readAll(t, there); got != "" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("longer", func(t *testing.T) {
		l, nc, there := tunnel(Options{IdleTimeout: 30 * time.Millisecond}, time.Hour)
		readAll(t, dial(t, l)) // until the listener's time is over
		send(t, there, "still here")
		readTo(t, nc, "still here")
		nc.Close()
		there.Close()
	})
}

func TestTunnelToPipe(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	l, _ := tunnelTo(t, Options{}, here)
	nc := dial(t, l)
	send(t, nc, upgradeHead)
	readTo(t, nc, "first ")
	send(t, nc, "ping")
	readTo(t, there, "ping")
	send(t, there, "pong")
	readTo(t, nc, "pong")
	nc.Close()
	if got := readAll(t, there); got != "" {
		t.Errorf("got %q", got)
	}
}

// TestTunnelNotAskedFor must not let an upstream take over a connection.
func TestTunnelNotAskedFor(t *testing.T) {
	here, there := tcpPair(t)
	l, h := start(t, Options{}, func(x *exchange.Exchange) {
		x.Resp.Status = 101
		x.Resp.Tunnel = here
	})
	faults := make(chan *fault.Fault, 1)
	h.onEnd = func(x *exchange.Exchange) { faults <- x.Fault }
	if got := talk(t, l, getOne); !strings.HasPrefix(got, "HTTP/1.1 500 ") {
		t.Errorf("got %q", got)
	}
	if f := <-faults; f == nil {
		t.Error("no fault")
	}
	if got := readAll(t, there); got != "" {
		t.Errorf("got %q", got)
	}
}
