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
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
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

func startLoad(t *testing.T, g *Gateway, clients int) *load {
	l := &load{g: g, stop: make(chan struct{})}
	for range clients {
		l.wait.Go(func() { l.client(t) })
	}
	return l
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
	if err := c.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
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
	address := freeAddress(t)
	backend := backendProcess(t, address)
	g := Start(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nresponse_timeout = \"300ms\"\nconnect_timeout = \"300ms\"\nidle_timeout = \"1s\"\n%sidle_timeout = \"500ms\"\n", address, allToB))
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	l := startLoad(t, g, 32)
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
