package gatewaytest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const large = 4 << 20

// pipes counts the pipes that the process has: those show that bytes go from socket to socket.
func pipes(t *testing.T) int {
	t.Helper()
	n := 0
	list, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(list) == 0 {
		t.Fatalf("no descriptors: %v", err)
	}
	for _, fd := range list {
		if target, err := os.Readlink(fd); err == nil && strings.HasPrefix(target, "pipe:") {
			n++
		}
	}
	return n
}

func TestLargeAnswerGoesFromSocketToSocket(t *testing.T) {
	goOn := make(chan struct{})
	g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", large)
		all := &pattern{large}
		io.CopyN(c, all, large/2)
		<-goOn
		io.Copy(c, all)
		io.Copy(io.Discard, r)
	}), allToB))
	before := pipes(t)
	c := dialRaw(t, g, simpleGet)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.ContentLength != large {
		t.Fatalf("got %v, %v", resp, err)
	}
	Until(t, "there is a pipe", func() bool { return pipes(t) > before })
	close(goOn)
	if got, want := sum(resp.Body), sum(&pattern{large}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	Until(t, "the pipe is closed", func() bool { return pipes(t) <= before })
}

func TestLargeUploadGoesFromSocketToSocket(t *testing.T) {
	const head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n"
	sums := make(chan string, 1)
	g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
		sums <- sum(io.LimitReader(r, large))
		io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	}), allToB))
	before := pipes(t)
	all := &pattern{large}
	c := dialRaw(t, g, head)
	if _, err := io.CopyN(c, all, large/2); err != nil {
		t.Fatal(err)
	}
	Until(t, "there is a pipe", func() bool { return pipes(t) > before })
	if _, err := io.Copy(c, all); err != nil {
		t.Fatal(err)
	}
	if got, want := <-sums, sum(&pattern{large}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 204 {
		t.Errorf("got %v, %v", resp, err)
	}
	Until(t, "the pipe is closed", func() bool { return pipes(t) <= before })
}

// What a chain, chunks or TLS have to see is not spliced; the smallest sign is that a small answer needs no pipe.
func TestSmallAnswersNeedNoPipe(t *testing.T) {
	goOn := make(chan struct{})
	g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
		<-goOn
		io.WriteString(c, "def")
		io.Copy(io.Discard, r)
	}), allToB))
	before := pipes(t)
	resp, err := http.ReadResponse(bufio.NewReader(dialRaw(t, g, simpleGet)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if got := pipes(t); got > before {
		t.Errorf("got %d pipes, want at most %d", got, before)
	}
	close(goOn)
	if rest, err := io.ReadAll(resp.Body); string(rest) != "def" {
		t.Errorf("got %q, %v", rest, err)
	}
}

// An upstream that stops in the middle of a large answer, in whatever way, leaves the client with a truncated one.
func TestLargeAnswerCut(t *testing.T) {
	for name, end := range map[string]func(c *net.TCPConn, r *bufio.Reader){
		"closed":  func(c *net.TCPConn, _ *bufio.Reader) {},
		"reset":   func(c *net.TCPConn, _ *bufio.Reader) { c.SetLinger(0) },
		"silence": func(_ *net.TCPConn, r *bufio.Reader) { io.Copy(io.Discard, r) },
	} {
		t.Run(name, func(t *testing.T) {
			g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", large)
				io.CopyN(c, &pattern{large}, large/2)
				end(c, r)
			}), allToImpatientB))
			before := pipes(t)
			answer, err := io.ReadAll(dialRaw(t, g, simpleGet))
			if len(answer) > large || looksWhole(answer) {
				t.Errorf("got %d bytes, %v", len(answer), err)
			}
			Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
			Until(t, "the pipe is closed", func() bool { return pipes(t) <= before })
		})
	}
}

// A client that goes, or stops, in the middle of a large upload leaves the upstream with a truncated request.
func TestLargeUploadCut(t *testing.T) {
	for name, end := range map[string]func(c *net.TCPConn){
		"closed":  func(c *net.TCPConn) { c.Close() },
		"half":    func(c *net.TCPConn) { c.CloseWrite() },
		"reset":   func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
		"silence": func(c *net.TCPConn) {},
	} {
		t.Run(name, func(t *testing.T) {
			came := make(chan int64, 1)
			g := Start(t, impatient+routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
				n, _ := io.Copy(io.Discard, r)
				came <- n
			}), allToB))
			before := pipes(t)
			c := dialRaw(t, g, fmt.Sprintf("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", large))
			if _, err := io.CopyN(c, &pattern{large}, large/2); err != nil {
				t.Fatal(err)
			}
			end(c)
			if n := <-came; n >= large {
				t.Errorf("the upstream got %d bytes", n)
			}
			if name == "silence" {
				if answer, _ := io.ReadAll(c); !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
					t.Errorf("got %q, want 408", answer)
				}
			}
			Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
			Until(t, "the pipe is closed", func() bool { return pipes(t) <= before })
		})
	}
}

// An answer that comes in the middle of a large upload is not lost, and the client need not send the rest.
func TestLargeUploadAnsweredEarly(t *testing.T) {
	g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
		io.CopyN(io.Discard, r, large/2)
		io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		io.Copy(io.Discard, r)
	}), allToB))
	before := pipes(t)
	c := dialRaw(t, g, fmt.Sprintf("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", large))
	if _, err := io.CopyN(c, &pattern{large}, large*3/4); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 413 {
		t.Errorf("got %v, %v", resp, err)
	}
	Until(t, "the pipe is closed", func() bool { return pipes(t) <= before })
}

// A client that has gone in the middle of a large answer is noticed although the upstream is silent.
func TestLargeAnswerClientGone(t *testing.T) {
	ended := make(chan error, 1)
	g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", large)
		io.CopyN(c, &pattern{large}, large/2)
		_, err := io.Copy(io.Discard, r)
		ended <- err
	}), allToB))
	c := dialRaw(t, g, simpleGet)
	if _, err := io.CopyN(io.Discard, c, large/2); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the upstream was not let go")
	}
}

// What goes past our own memory is counted all the same.
func TestLargeBodiesAreCounted(t *testing.T) {
	g := Start(t, "[log]\naccess = \"./access.log\"\n"+routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
		io.CopyN(io.Discard, r, large)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", large)
		io.CopyN(c, &pattern{large}, large)
	}), allToB))
	c := dialRaw(t, g, fmt.Sprintf("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", large))
	go io.CopyN(c, &pattern{large}, large) // the answer shows what became of it
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sum(resp.Body), sum(&pattern{large}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	Until(t, "the line is there", func() bool {
		log, _ := os.ReadFile(filepath.Join(g.Dir, "access.log"))
		return strings.Contains(string(log), fmt.Sprintf(`"received":%d`, large)) && strings.Contains(string(log), fmt.Sprintf(`"sent":%d`, large))
	})
}

// A drain that runs out of time cuts large answers off, whichever side they wait for.
func TestDrainCutsLargeAnswers(t *testing.T) {
	for name, size := range map[string]int64{"upstream": 1 << 20, "client": 64 << 20} { // more than the kernel takes for a client that does not read
		t.Run(name, func(t *testing.T) {
			g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
				io.CopyN(c, &pattern{size}, size)
				io.Copy(io.Discard, r)
			}), allToB))
			before := pipes(t)
			dialRaw(t, g, simpleGet)
			Until(t, "there is a pipe", func() bool { return pipes(t) > before })
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := g.Drain(ctx); err == nil {
				t.Error("nothing was cut off")
			}
			Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
			Until(t, "the pipe is closed", func() bool { return pipes(t) <= before })
		})
	}
}

// A server that uses sendfile gives pages of the file itself.
func TestLargeFileFromNginx(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.Copy(file, &pattern{8 * large}); err != nil {
		t.Fatal(err)
	}
	g := Start(t, routes(startNginx(t, "sendfile on; location / { root "+dir+"; }"), allToB))
	for range 3 {
		resp, err := http.Get(g.URL + "/file")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sum(resp.Body), sum(&pattern{8 * large}); got != want || resp.StatusCode != 200 {
			t.Errorf("got  %d %s\nwant %s", resp.StatusCode, got, want)
		}
		resp.Body.Close()
	}
}
