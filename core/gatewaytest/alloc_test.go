//go:build !race

package gatewaytest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
)

// bareBackend answers each read with the same small answer, and allocates nothing.
func bareBackend(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	body := bytes.Repeat([]byte("x"), 259)
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: bare\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// client sends the same request again and again over one connection.
type client struct {
	t       testing.TB
	conn    net.Conn
	request []byte
	buf     []byte
	length  int // of an answer
}

func newClient(t testing.TB, addr, request string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &client{t: t, conn: conn, request: []byte(request), buf: make([]byte, 8192)}
	if _, err := conn.Write(c.request); err != nil {
		t.Fatal(err)
	}
	if c.length, err = conn.Read(c.buf); err != nil || !bytes.HasPrefix(c.buf, []byte("HTTP/1.1 200 ")) {
		t.Fatalf("%q, %v", c.buf[:c.length], err)
	}
	return c
}

func (c *client) do() {
	if _, err := c.conn.Write(c.request); err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.ReadFull(c.conn, c.buf[:c.length]); err != nil {
		c.t.Fatal(err)
	}
}

const smallRequest = "GET /orders/42?full=1 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: test\r\nAccept: */*\r\nX-Api-Key: secret\r\n\r\n"

// plain and filtered are the routes of the budgets.
func budgetGateway(t testing.TB, tables string) *Gateway {
	return Start(t, tables+routes(bareBackend(t), `
[[routes]]
name = "plain"
path = "/orders/:id"
upstream = "b"
[[routes]]
name = "filtered"
host = "filtered"
path = "/orders/:id"
upstream = "b"
filters = [
  { use = "ratelimit", rate = "1000000/s", key = ["client", "route"] },
  { use = "headers", request = { set = { X-In = "1" } }, response = { set = { X-Out = "2" }, remove = ["Server"] } },
]
`))
}

// The budget is three allocations for a request: its strings, its path parameters, and one to spare.
func TestAllocationsPerRequest(t *testing.T) {
	for _, tables := range []string{"", counted} {
		checkAllocations(t, budgetGateway(t, tables))
	}
}

func checkAllocations(t *testing.T, g *Gateway) {
	for name, request := range map[string]string{
		"plain":    smallRequest,
		"filtered": string(bytes.Replace([]byte(smallRequest), []byte("api.example.com"), []byte("filtered"), 1)),
	} {
		c := newClient(t, g.Addr, request)
		for range 100 {
			c.do()
		}
		if n := testing.AllocsPerRun(2000, c.do); n > 3 {
			t.Errorf("%s: got %v allocations, want 3 at most", name, n)
		} else {
			t.Logf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkRequest(b *testing.B) { benchmarkRequest(b, "") }

func BenchmarkRequestCounted(b *testing.B) { benchmarkRequest(b, counted) }

func benchmarkRequest(b *testing.B, tables string) {
	g := budgetGateway(b, tables)
	c := newClient(b, g.Addr, smallRequest)
	b.ReportAllocs()
	for b.Loop() {
		c.do()
	}
}
