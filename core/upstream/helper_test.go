package upstream

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/header"
)

// TestMain fails when a goroutine outlives the tests.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // which keeps goroutines of its own
	if code == 0 && !fuzzing && !within(30*time.Second, func() bool { return runtime.NumGoroutine() <= before }) {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines left:\n%s\n", stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	os.Exit(code)
}

// within reports whether the condition comes true in time.
func within(limit time.Duration, condition func() bool) bool {
	for end := time.Now().Add(limit); !condition(); runtime.Gosched() {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	if !within(30*time.Second, condition) {
		t.Fatalf("never came true: %s", what)
	}
}

// peer is a server that a test scripts on the raw connection.
type peer struct {
	address string
	conns   atomic.Int64 // accepted so far
}

// wire is a peer's end of a connection.
type wire struct {
	*net.TCPConn
	in     *bufio.Reader
	number int64 // of the connection, from 1
}

// request reads a head up to its empty line.
func (w *wire) request() (string, error) {
	var head strings.Builder
	for {
		line, err := w.in.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String(), err
		}
	}
}

func (w *wire) say(s string) { _, _ = io.WriteString(w.TCPConn, s) }

// reset ends the connection with RST.
func (w *wire) reset() { _ = w.SetLinger(0); _ = w.Close() }

func listen(t testing.TB, serve func(*wire)) *peer {
	t.Helper()
	return listenOn(t, "127.0.0.1:0", serve)
}

func listenOn(t testing.TB, address string, serve func(*wire)) *peer {
	t.Helper()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{address: l.Addr().String()}
	var running sync.WaitGroup
	var lock sync.Mutex
	open := map[net.Conn]bool{}
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			lock.Lock()
			open[c] = true
			lock.Unlock()
			w := &wire{c.(*net.TCPConn), bufio.NewReader(c), p.conns.Add(1)}
			running.Go(func() { defer c.Close(); serve(w) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		lock.Lock()
		for c := range open {
			_ = c.Close()
		}
		lock.Unlock()
		running.Wait()
	})
	return p
}

// always answers each request, which must have no body, with the same bytes.
func always(answer string) func(*wire) {
	return func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			w.say(answer)
		}
	}
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// deadAddress refuses connections.
func deadAddress(t testing.TB) string {
	t.Helper()
	return free.Address(t)
}

func group(addresses ...string) Options {
	o := Options{
		Name: "test", Policy: "round_robin", ConnectTimeout: 30 * time.Second, ResponseTimeout: time.Minute,
		IdleTimeout: time.Minute, MaxIdle: 64,
	}
	for _, address := range addresses {
		o.Endpoints = append(o.Endpoints, EndpointOptions{Address: address})
	}
	return o
}

// open makes an Upstream that is checked at the test's end: nothing may be counted in flight then.
func open(t testing.TB, o Options) *Upstream {
	t.Helper()
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		u.Close()
		for _, e := range u.Endpoints() {
			if e.Active != 0 || e.Idle != 0 {
				t.Errorf("endpoint %s at the end: %d in flight, %d kept; want none", e.Address, e.Active, e.Idle)
			}
		}
	})
	return u
}

func idle(u *Upstream) int { return u.Endpoints()[0].Idle }

func request(method, path string) *exchange.Exchange {
	x := new(exchange.Exchange)
	x.Req.Method, x.Req.Path, x.Req.Host = method, path, "example.com"
	return x
}

// ask does a whole exchange and returns the content.
func ask(t testing.TB, u *Upstream, x *exchange.Exchange) string {
	t.Helper()
	if f := u.Do(x, Send{}); f != nil {
		t.Fatalf("%s %s: %v", x.Req.Method, x.Req.Path, f)
	}
	content, err := io.ReadAll(&x.Resp.Body)
	if err != nil {
		t.Errorf("reading the content: %v", err)
	}
	if err := x.Resp.Body.Close(); err != nil {
		t.Errorf("closing the body: %v", err)
	}
	return string(content)
}

// mustFail does an exchange that has to end with a fault of that kind.
func mustFail(t testing.TB, u *Upstream, x *exchange.Exchange, send Send, want fault.Kind) *fault.Fault {
	t.Helper()
	f := u.Do(x, send)
	if f == nil {
		x.Resp.Reset()
		t.Fatalf("got status %d, want %v", x.Resp.Status, want)
	}
	if f.Kind != want {
		t.Fatalf("got %v, want kind %v", f, want)
	}
	if x.Resp.Status != 0 || x.Resp.Body.Source != nil || x.Resp.Fields.Len() != 0 {
		t.Errorf("a response was left behind: %+v", x.Resp)
	}
	return f
}

// client is the engine's side as a test plays it.
type client struct {
	gone     atomic.Bool
	asked    atomic.Int64
	interims []string
	fails    bool
}

func (c *client) Gone() bool { c.asked.Add(1); return c.gone.Load() }

func (c *client) Interim(status int, fields *header.Fields) error {
	line := fmt.Sprint(status)
	for _, field := range fields.All() {
		line += " " + field.Name + ": " + field.Value
	}
	c.interims = append(c.interims, line)
	if c.fails {
		return errors.New("gone")
	}
	return nil
}

// feed is a request body's Source that a test hands out piece by piece.
type feed struct {
	pieces chan string
	end    error // after the pieces; nil stands for io.EOF
	rest   string
	once   sync.Once
	closed chan struct{}

	reading atomic.Bool
}

func newFeed(pieces ...string) *feed {
	f := &feed{pieces: make(chan string, len(pieces)+8), closed: make(chan struct{})}
	for _, piece := range pieces {
		f.pieces <- piece
	}
	return f
}

func (f *feed) Read(p []byte) (int, error) {
	f.reading.Store(true)
	defer f.reading.Store(false)
	for f.rest == "" {
		select {
		case piece, ok := <-f.pieces:
			if !ok && f.end != nil {
				return 0, f.end
			}
			if !ok {
				return 0, io.EOF
			}
			f.rest = piece
		case <-f.closed:
			return 0, errors.New("closed")
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *feed) Close() error {
	again := true
	f.once.Do(func() { close(f.closed); again = false })
	if again {
		panic("a Source was closed twice")
	}
	return nil
}

func (f *feed) isClosed() bool {
	select {
	case <-f.closed:
		return true
	default:
		return false
	}
}

// upload makes a request with a body of that length; the first bytes are at hand.
func upload(length int64, held string, source *feed) *exchange.Exchange {
	x := request("POST", "/upload")
	x.Req.Body = exchange.Body{Length: length, Held: []byte(held), Source: source}
	return x
}

// quietLog is for servers that complain of what a test does to them.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
