//go:build unix

package gatewaytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// descriptors counts what the process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// load sends requests over and over until it is stopped, and counts the answers by status.
type load struct {
	g        *Gateway
	stop     chan struct{}
	wait     sync.WaitGroup
	statuses [600]atomic.Int64
	strange  atomic.Int64
}

func startLoad(t *testing.T, g *Gateway, clients int, http2 bool) *load {
	l := &load{g: g, stop: make(chan struct{})}
	client := l.client
	if http2 {
		client = l.http2Client
	}
	for range clients {
		l.wait.Go(func() { client(t) })
	}
	return l
}

// http2Client has some requests at once on one connection, again and again.
func (l *load) http2Client(t *testing.T) {
	client := http2Client(t)
	client.Timeout = 15 * time.Second
	defer client.CloseIdleConnections()
	var streams sync.WaitGroup
	for n := range 4 {
		streams.Go(func() {
			for l.running() && l.askHTTP2(t, client, n) {
			}
		})
	}
	streams.Wait()
}

func (l *load) running() bool {
	select {
	case <-l.stop:
		return false
	default:
		return true
	}
}

// askHTTP2 sends a request; it reports false when there was no answer to it.
func (l *load) askHTTP2(t *testing.T, client *http.Client, n int) bool {
	r := must(http.NewRequest("GET", l.g.URL+"/", nil))
	switch n % 4 {
	case 1:
		r = must(http.NewRequest("GET", l.g.URL+"/bytes?n=300000", nil))
	case 2:
		r = must(http.NewRequest("PUT", l.g.URL+"/upload", strings.NewReader("abcde")))
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Errorf("no answer: %v", err)
		return false
	}
	n64, err := io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	// A large answer may be cut off in its middle, but must look so.
	if err == nil && resp.StatusCode == 200 && n%4 == 1 && n64 != 300_000 {
		t.Errorf("%d bytes look like the whole of 300000", n64)
	}
	l.statuses[resp.StatusCode].Add(1)
	return true
}

func (l *load) client(t *testing.T) {
	var c net.Conn
	var r *bufio.Reader
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			if c != nil {
				c.Close()
			}
			return
		default:
		}
		if c == nil {
			var err error
			if c, err = net.Dial("tcp", l.g.Addr); err != nil {
				t.Errorf("the gateway takes no connection: %v", err)
				return
			}
			r = bufio.NewReader(c)
		}
		status, cut, err := ask(c, r, n)
		switch {
		case err != nil:
			l.strange.Add(1)
			t.Errorf("no answer: %v", err)
			return
		case cut:
			c.Close()
			c = nil
		}
		l.statuses[status].Add(1)
	}
}

// ask sends a request; one in four has a large answer, one in four is an upload. cut says that the connection is of no use any more.
func ask(c net.Conn, r *bufio.Reader, n int) (status int, cut bool, err error) {
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, false, err
	}
	request := simpleGet
	switch n % 4 {
	case 1:
		request = "GET /bytes?n=300000 HTTP/1.1\r\nHost: a\r\n\r\n"
	case 2:
		request = "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
	}
	if _, err := io.WriteString(c, request); err != nil {
		return 0, false, err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0, false, fmt.Errorf("request %d: %w", n%4, err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	// A large answer may be cut off in its middle, but must look so.
	return resp.StatusCode, err != nil || resp.Close, nil
}

func (l *load) count(status int) int64 { return l.statuses[status].Load() }

// end stops the load and fails the test for statuses that must not be.
func (l *load) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	l.wait.Wait()
	for status := range l.statuses {
		switch n := l.count(status); {
		case n == 0, status == 200, status == 502, status == 503, status == 504:
		default:
			t.Errorf("%d answers with %d", n, status)
		}
	}
}

// more waits until there are more answers with a status than there were.
func (l *load) more(t *testing.T, what string, statuses ...int) {
	t.Helper()
	sum := func() (n int64) {
		for _, status := range statuses {
			n += l.count(status)
		}
		return n
	}
	before := sum()
	Until(t, what, func() bool { return sum() >= before+50 })
}

// A backend that is stopped, goes on, is killed and comes back, all under load: clients get answers that say so, and nothing is left over.
func TestBackendOutages(t *testing.T) {
	t.Run("HTTP/1.1", func(t *testing.T) { testOutages(t, "http/1.1", 32, false) })
	t.Run("HTTP/2 to HTTP/1.1", func(t *testing.T) { testOutages(t, "http/1.1", 8, true) })
	t.Run("HTTP/2", func(t *testing.T) { testOutages(t, "h2c", 8, true) })
}

func testOutages(t *testing.T, protocol string, clients int, http2 bool) {
	address := free.Address(t)
	backend := backendProcess(t, address)
	g := Start(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nprotocol = %q\nresponse_timeout = \"300ms\"\nconnect_timeout = \"300ms\"\nidle_timeout = \"1s\"\n%sidle_timeout = \"500ms\"\n", address, protocol, allToB))
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	l := startLoad(t, g, clients, http2)
	l.more(t, "the backend answers", 200)
	for range 2 {
		signal(t, backend.Process, syscall.SIGSTOP)
		l.more(t, "the stopped backend is noticed", 502, 504)
		signal(t, backend.Process, syscall.SIGCONT)
		l.more(t, "the backend answers again", 200)
		if err := backend.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = backend.Wait() // it tells of the signal
		l.more(t, "the dead backend is noticed", 502)
		backend = backendProcess(t, address)
		l.more(t, "the new backend answers", 200)
	}
	l.end(t)
	Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
	Until(t, "no connection is left", func() bool { return descriptors(t) <= open+1 })
	Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
}

func signal(t *testing.T, p *os.Process, s syscall.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}
