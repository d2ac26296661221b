package upstream

import (
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"

// echoing changes protocol, says hello at once, and then echoes until the other side has ended.
func echoing(w *wire) {
	_, _ = w.request()
	w.say(switching + "hello ")
	_, _ = io.Copy(w.TCPConn, w.in)
	w.say("bye")
}

func upgrade() *exchange.Exchange {
	x := request("GET", "/chat")
	x.Req.Upgrade = "websocket"
	return x
}

func TestTunnel(t *testing.T) {
	u := open(t, group(listen(t, echoing).address))
	x := upgrade()
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	<-time.After(2 * firstSlice) // until the answer, reads have a deadline: it must not be left behind
	if x.Resp.Status != 101 || x.Resp.Tunnel == nil || x.Resp.Fields.Value("Sec-WebSocket-Accept") != "x" {
		t.Fatalf("got %+v, want a tunnel", x.Resp)
	}
	if _, err := x.Resp.Tunnel.Write([]byte("there ")); err != nil {
		t.Error(err)
	}
	if _, err := x.Resp.Tunnel.(syscall.Conn).SyscallConn(); err != nil {
		t.Errorf("the socket behind it: %v", err)
	}
	if err := x.Resp.Tunnel.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Errorf("half close: %v", err)
	}
	got, err := io.ReadAll(x.Resp.Tunnel)
	if all := readBody(t, &x.Resp.Body) + string(got); err != nil || all != "hello there bye" {
		t.Errorf("got %q, %v; want hello there bye", all, err)
	}
	if active := u.Endpoints()[0].Active; active != 1 {
		t.Errorf("in flight while the tunnel is open: got %d, want 1", active)
	}
	tunnel := x.Resp.Tunnel
	x.Resp.Reset()
	_ = tunnel.Close() // a second time: it must not count twice
	if state := u.Endpoints()[0]; state.Active != 0 || state.Idle != 0 {
		t.Errorf("after the tunnel: got %+v, want none in flight or kept", state)
	}
}

func TestTunnelOnKeptConnection(t *testing.T) {
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say(okAnswer)
		echoing(w)
	})
	u := open(t, group(p.address))
	ask(t, u, request("GET", "/"))
	x := upgrade()
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	if p.conns.Load() != 1 {
		t.Errorf("got %d connections, want 1", p.conns.Load())
	}
	here, there := net.Pipe()
	go func() { _, _ = io.Copy(here, x.Resp.Tunnel); _ = here.Close() }()
	_, _ = x.Resp.Tunnel.Write([]byte("x"))
	one := make([]byte, 1)
	for want := "hello x"[len(readBody(t, &x.Resp.Body)):]; want != ""; want = want[1:] {
		if _, err := io.ReadFull(there, one); err != nil || one[0] != want[0] {
			t.Fatalf("got %q, %v; want %q", one, err, want)
		}
	}
	x.Resp.Reset()
	_, _ = io.Copy(io.Discard, there)
}

func TestUpgradeRefused(t *testing.T) {
	u := open(t, group(listen(t, always(okAnswer)).address))
	x := upgrade()
	if got := ask(t, u, x); got != "ok" || x.Resp.Tunnel != nil {
		t.Errorf("got %q, want an ordinary answer", got)
	}
	if got := idle(u); got != 1 {
		t.Errorf("kept: got %d, want 1", got)
	}
}

func TestUpgradeToAnotherProtocol(t *testing.T) {
	x := upgrade()
	x.Req.Upgrade = "chat/2"
	mustFail(t, open(t, group(listen(t, echoing).address)), x, Send{}, fault.BadGateway)
}
