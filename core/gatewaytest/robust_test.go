package gatewaytest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// What is refused before an upstream is contacted, and what happens to clients that take too long.
func TestRefusedRequests(t *testing.T) {
	const limits = `[server]
listen = [{ address = "127.0.0.1:0", limits = { body_timeout = "200ms", head_timeout = "500ms", idle_timeout = "500ms", head = "2KiB", uri = "256B", fields = 10 } }]
drain_timeout = "5s"
`
	var reached atomic.Int64
	g := Start(t, limits+routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
		reached.Add(1)
		io.Copy(io.Discard, r)
	}), allToB+"max_body = \"1KiB\"\n"))
	const post = "POST /x HTTP/1.1\r\nHost: a\r\n"
	for _, test := range []struct {
		name, sends, want string
		contacts          bool // the upstream, which sees a part of the request
	}{
		{"silence", "", "", false},
		{"half a head", "GET / HTTP/1.1\r\nHos", "HTTP/1.1 408 ", false},
		{"half a request line", "GET /", "HTTP/1.1 408 ", false},
		{"half a body", post + "Content-Length: 10\r\n\r\nhalf", "HTTP/1.1 408 ", true},
		{"half a chunk", post + "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf", "HTTP/1.1 408 ", true},
		{"no last chunk", post + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "HTTP/1.1 408 ", true},
		{"known too large", post + "Content-Length: 1025\r\n\r\n", "HTTP/1.1 413 ", false},
		{"known too large, all there", post + "Content-Length: 1025\r\n\r\n" + strings.Repeat("x", 1025), "HTTP/1.1 413 ", false},
		{"chunks too large, all there", post + "Transfer-Encoding: chunked\r\n\r\n401\r\n" + strings.Repeat("x", 1025) + "\r\n0\r\n\r\n", "HTTP/1.1 413 ", false},
		{"chunks too large in mid-stream", post + "Transfer-Encoding: chunked\r\n\r\n10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n", "HTTP/1.1 413 ", false},
		{"target too long", "GET /" + strings.Repeat("x", 300) + " HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 414 ", false},
		{"head too large", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 3000) + "\r\n\r\n", "HTTP/1.1 431 ", false},
		{"too many fields", "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", 10) + "\r\n", "HTTP/1.1 431 ", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := reached.Load()
			answer, _ := io.ReadAll(dialRaw(t, g, test.sends)) // it may end with a reset, the answer having been sent
			if !strings.HasPrefix(string(answer), test.want) || test.want == "" && len(answer) > 0 || strings.Count(string(answer), "HTTP/1.1 ") > 1 {
				t.Errorf("got %.200q, want %q", answer, test.want)
			}
			if test.contacts { // else it might seem to be the next request that does
				Until(t, "the upstream has been contacted", func() bool { return reached.Load() > before })
			} else if reached.Load() != before {
				t.Error("the upstream was contacted")
			}
			Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
		})
	}
}

// Chunks that grow too large after the upstream has been contacted leave it with a truncated request, and the client with 413.
func TestTooLargeInMidStream(t *testing.T) {
	upstream, ended := make(chan *net.TCPConn, 1), make(chan struct{})
	defer close(ended)
	g := Start(t, routes(rawUpstream(t, upstream, ended), allToB+"max_body = \"1KiB\"\n"))
	c := dialRaw(t, g, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
	up := <-upstream
	r := bufio.NewReader(up)
	if err := readHead(r); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "401\r\n%s\r\n0\r\n\r\n", strings.Repeat("x", 1025))
	if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 413 {
		t.Errorf("got %v, %v; want 413", resp, err)
	}
	if came, _ := io.ReadAll(r); strings.HasSuffix(string(came), "0\r\n\r\n") {
		t.Errorf("the upstream got a whole request: %d bytes", len(came))
	}
}

// A kept connection that dies under a request: what may be sent again is, and nothing else.
func TestStaleKeptConnection(t *testing.T) {
	for _, test := range []struct {
		request string
		want    string
		times   int64 // that the upstream sees the request
	}{
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ", 2},
		{"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", "HTTP/1.1 200 ", 2},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab", "HTTP/1.1 502 ", 1},
		{"PATCH / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 502 ", 1},
	} {
		t.Run(strings.Fields(test.request)[0], func(t *testing.T) {
			var seen atomic.Int64
			var poisoned atomic.Bool
			g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
				if poisoned.Load() {
					seen.Add(1)
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				if readHead(r) == nil { // the second request is read, and the connection closed upon it
					seen.Add(1)
				}
			}), allToB))
			if status, _, _ := g.Get("/"); status != 200 {
				t.Fatalf("got %d", status)
			}
			Until(t, "the connection is kept", func() bool { return g.Status().Upstreams["b"][0].Idle == 1 })
			poisoned.Store(true)
			if answer := raw(t, g.Addr, test.request); !strings.HasPrefix(answer, test.want) {
				t.Errorf("got %q, want %q", answer, test.want)
			}
			if got := seen.Load(); got != test.times {
				t.Errorf("the upstream saw the request %d times, want %d", got, test.times)
			}
		})
	}
}

// A client that has gone takes its request to the upstream with it, whatever the upstream is at.
func TestClientGoneWhileTheUpstreamThinks(t *testing.T) {
	for name, test := range map[string]struct {
		request, answers string
		half             bool
	}{
		"before the answer":         {request: simpleGet},
		"in a stream":               {request: simpleGet, answers: ok200 + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"},
		"in a body of known length": {request: simpleGet, answers: ok200 + "Content-Length: 10\r\n\r\na"},
		"with its upload sent":      {request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + strings.Repeat("x", 70000)},
		"in its upload":             {request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\nx"},
		"half":                      {request: simpleGet, half: true},
	} {
		t.Run(name, func(t *testing.T) {
			ready, ended := make(chan struct{}), make(chan error, 1)
			g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
				io.WriteString(c, test.answers)
				close(ready)
				_, err := io.Copy(io.Discard, r)
				ended <- err
			}), allToB))
			c := dialRaw(t, g, test.request)
			<-ready
			if test.answers != "" {
				if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
					t.Fatal(err)
				}
			}
			if test.half {
				c.CloseWrite()
			} else {
				c.Close()
			}
			if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the upstream was not let go")
			}
			Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
		})
	}
}
