package gatewaytest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// dripping sends one byte at a time.
type dripping struct{ net.Conn }

func (d dripping) Write(p []byte) (n int, err error) {
	for n = range p {
		if _, err := d.Conn.Write(p[n : n+1]); err != nil {
			return n, err
		}
	}
	return len(p), nil
}

type drippingListener struct{ net.Listener }

func (l drippingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return dripping{c}, nil
}

// echoSocket sends back each message that comes, until the client closes.
func echoSocket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"echo"}})
	if err != nil {
		return // the client sees the answer
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, message) != nil {
			return
		}
	}
}

// openSocket connects through the gateway; dial, if any, makes the connection.
func openSocket(t *testing.T, g *Gateway, dial func(ctx context.Context, network, address string) (net.Conn, error)) *websocket.Conn {
	t.Helper()
	transport := &http.Transport{DialContext: dial}
	c, _, err := websocket.Dial(t.Context(), "ws://"+g.Addr+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"echo"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	if c.Subprotocol() != "echo" {
		t.Errorf("subprotocol: got %q", c.Subprotocol())
	}
	return c
}

// exchangeMessage sends a message and reports what is wrong with what comes back.
func exchangeMessage(c *websocket.Conn, message []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- c.Write(ctx, websocket.MessageBinary, message) }()
	_, got, err := c.Read(ctx)
	switch werr := <-failed; {
	case err != nil:
		return err
	case werr != nil:
		return werr
	case !bytes.Equal(got, message):
		return fmt.Errorf("%d bytes came back for %d, or others", len(got), len(message))
	}
	return nil
}

func TestWebSocket(t *testing.T) {
	g := Start(t, routes(Backend(t, echoSocket), allToB))
	c := openSocket(t, g, nil)
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 16 << 20} {
		if err := exchangeMessage(c, bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("closing: %v", err)
	}
	Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
}

// Frames come in whatever pieces the network makes of them.
func TestWebSocketByteByByte(t *testing.T) {
	backend := httptest.NewUnstartedServer(http.HandlerFunc(echoSocket))
	backend.Listener = drippingListener{backend.Listener}
	backend.Start()
	t.Cleanup(backend.Close)
	g := Start(t, routes(backend.Listener.Addr().String(), allToB))
	c := openSocket(t, g, func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return dripping{c}, err
	})
	for _, size := range []int{0, 1, 125, 126, 3000} {
		if err := exchangeMessage(c, bytes.Repeat([]byte("x"), size)); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("closing: %v", err)
	}
}

// rawTunnel opens a tunnel whose upstream's end the test holds, too.
func rawTunnel(t *testing.T, toml string) (g *Gateway, client, upstream *net.TCPConn) {
	t.Helper()
	const opening = "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: r\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
	upstreams, ended := make(chan *net.TCPConn, 1), make(chan struct{})
	t.Cleanup(func() { close(ended) })
	g = Start(t, routes(rawUpstream(t, upstreams, ended), toml))
	client = dialRaw(t, g, opening)
	upstream = <-upstreams
	if err := readHead(bufio.NewReaderSize(upstream, 16)); err != nil { // nothing follows the head
		t.Fatal(err)
	}
	const switched = "HTTP/1.1 101 Switching Protocols\r\nDate: D\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
	io.WriteString(upstream, switched)
	hear(t, "client", client, switched)
	return g, client, upstream
}

func TestTunnelHalfClose(t *testing.T) {
	for _, first := range []string{"client", "upstream"} {
		t.Run(first, func(t *testing.T) {
			g, here, there := rawTunnel(t, allToB)
			if first == "upstream" {
				here, there = there, here
			}
			io.WriteString(here, "last words")
			if err := here.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(there); string(got) != "last words" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			if got := g.inFlight(); got != 1 {
				t.Errorf("in flight: got %d, want 1", got)
			}
			io.WriteString(there, "and more from here")
			there.CloseWrite()
			if got, err := io.ReadAll(here); string(got) != "and more from here" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			Until(t, "the tunnel is over", func() bool { return g.inFlight() == 0 })
		})
	}
}

// A side that breaks off takes the other with it.
func TestTunnelReset(t *testing.T) {
	for _, first := range []string{"client", "upstream"} {
		t.Run(first, func(t *testing.T) {
			g, here, there := rawTunnel(t, allToB)
			if first == "upstream" {
				here, there = there, here
			}
			here.SetLinger(0)
			here.Close()
			io.Copy(io.Discard, there)
			Until(t, "the tunnel is over", func() bool { return g.inFlight() == 0 })
		})
	}
}

func TestTunnelIdleLimit(t *testing.T) {
	g, client, upstream := rawTunnel(t, allToB+"idle_timeout = \"150ms\"\n")
	if got, _ := io.ReadAll(client); len(got) != 0 {
		t.Errorf("the client got %q", got)
	}
	if got, _ := io.ReadAll(upstream); len(got) != 0 {
		t.Errorf("the upstream got %q", got)
	}
	Until(t, "the tunnel is over", func() bool { return g.inFlight() == 0 })
}

// A reload keeps tunnels open, even those of a route that it changes or takes away.
func TestTunnelsOutliveTheirRoute(t *testing.T) {
	backend := Backend(t, echoSocket)
	g := Start(t, routes(backend, allToB))
	c := openSocket(t, g, nil)
	for name, toml := range map[string]string{
		"another timeout":    routes(backend, allToB+"timeout = \"1s\"\n"),
		"another upstream":   routes(free.Address(t), allToB),
		"no route":           "",
		"a filter before it": routes(backend, allToB+"filters = [{ use = \"ratelimit\", rate = \"1/s\" }]\n"),
	} {
		if err := g.ApplyText(toml); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := exchangeMessage(c, []byte(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManyWebSocketsAcrossReloads(t *testing.T) {
	many := 1000
	if testing.Short() {
		many = 200
	}
	goroutines := runtime.NumGoroutine()
	t.Cleanup(func() { // when all has been stopped
		Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+3 })
	})
	backend := Backend(t, echoSocket)
	g := Start(t, routes(backend, allToB))
	sockets := make([]*websocket.Conn, many)
	for i := range sockets {
		sockets[i] = openSocket(t, g, nil)
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var rounds sync.WaitGroup // each has had its message back once
	rounds.Add(many)
	for i, c := range sockets {
		wait.Go(func() {
			for n := 0; ; n++ {
				if err := exchangeMessage(c, fmt.Appendf(nil, "message %d of %d", n, i)); err != nil {
					t.Errorf("socket %d, message %d: %v", i, n, err)
					stopOnce(n, &rounds)
					return
				}
				stopOnce(n, &rounds)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	rounds.Wait()
	for i := range 50 {
		extra := fmt.Sprintf("[[routes]]\nname = \"other\"\npath = \"/other%d\"\nrespond = {}\n", i)
		if err := g.ApplyText(routes(backend, allToB+fmt.Sprintf("timeout = \"%ds\"\n", i+1)+extra)); err != nil {
			t.Fatal(err)
		}
	}
	if got := g.inFlight(); got != int64(many) {
		t.Errorf("in flight: got %d, want %d", got, many)
	}
	close(stop)
	wait.Wait()
	for _, c := range sockets {
		c.CloseNow()
	}
	Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
}

// stopOnce tells of the first message only.
func stopOnce(n int, rounds *sync.WaitGroup) {
	if n == 0 {
		rounds.Done()
	}
}
