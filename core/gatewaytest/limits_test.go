package gatewaytest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestConnectionsPerIP(t *testing.T) {
	const limited = "[server]\nlisten = [{ address = \"127.0.0.1:0\", limits = { connections_per_ip = 2 } }]\n"
	g := Start(t, limited+routes(Backend(t, Echo), allToB))
	for range 2 {
		if _, err := http.ReadResponse(bufio.NewReader(dialRaw(t, g, simpleGet)), nil); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := net.Dial("tcp", g.Addr); err == nil { // it may be closed before it is there
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("a third connection got %d bytes, %v", n, err)
		}
		c.Close()
	}
	Until(t, "it is counted and logged", func() bool {
		return g.Status().Refused[listen] == 1 && strings.Contains(g.Logs(), "too many connections from one address")
	})
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	other, err := d.Dial("tcp", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	io.WriteString(other, simpleGet)
	if _, err := http.ReadResponse(bufio.NewReader(other), nil); err != nil {
		t.Errorf("another address: %v", err)
	}
}

// A stream may be silent for longer than a client may be with its own body.
func TestSilentStreamIsNotCut(t *testing.T) {
	upstream, ended := make(chan *net.TCPConn, 1), make(chan struct{})
	defer close(ended)
	// What has half a body goes to another endpoint: the first one has but one connection.
	other := server(t, func(_ *net.TCPConn, r *bufio.Reader) { io.Copy(io.Discard, r) })
	g := Start(t, impatient+routes(rawUpstream(t, upstream, ended), allToB+
		"[[routes]]\nname = \"other\"\npath = \"/other\"\nupstream = \"other\"\n[upstreams.other]\nendpoints = [\""+other+"\"]\n"))
	c := dialRaw(t, g, get)
	up := <-upstream
	hear(t, "upstream", up, plainSaw)
	const head = ok200 + "Transfer-Encoding: chunked\r\n\r\n"
	io.WriteString(up, head)
	hear(t, "client", c, head)
	for range 2 { // body_timeout passes twice
		if answer := raw(t, g.Addr, "POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhalf"); !strings.HasPrefix(answer, "HTTP/1.1 408 ") {
			t.Fatalf("got %q", answer)
		}
	}
	io.WriteString(up, "5\r\nevent\r\n")
	hear(t, "client", c, "5\r\nevent\r\n")
}
