package engine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// fake is a Handler that counts what it is called for.
type fake struct {
	t     testing.TB
	serve func(x *exchange.Exchange)
	onEnd func(x *exchange.Exchange)

	mu     sync.Mutex
	served map[uint64]bool
	ended  map[uint64]bool
}

func (h *fake) Serve(x *exchange.Exchange) {
	h.mu.Lock()
	h.served[x.Number] = true
	h.mu.Unlock()
	h.serve(x)
}

func (h *fake) End(x *exchange.Exchange) {
	h.mu.Lock()
	if !h.served[x.Number] || h.ended[x.Number] {
		h.t.Errorf("End out of turn for exchange %d", x.Number)
	}
	h.ended[x.Number] = true
	h.mu.Unlock()
	if h.onEnd != nil {
		h.onEnd(x)
	}
}

// open returns how many exchanges have not ended.
func (h *fake) open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.served) - len(h.ended)
}

// start serves on loopback until the test ends, which fails when an exchange has not ended then.
func start(t testing.TB, o Options, serve func(x *exchange.Exchange)) (*Listener, *fake) {
	t.Helper()
	return startLogging(t, o, io.Discard, serve)
}

func startLogging(t testing.TB, o Options, log io.Writer, serve func(x *exchange.Exchange)) (*Listener, *fake) {
	t.Helper()
	h := &fake{t: t, serve: serve, served: map[uint64]bool{}, ended: map[uint64]bool{}}
	l, err := New(h, slog.New(slog.NewTextHandler(log, nil))).Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := l.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
		if n := h.open(); n != 0 {
			t.Errorf("%d exchanges have not ended", n)
		}
	})
	return l, h
}

func dial(t testing.TB, l *Listener) *net.TCPConn {
	t.Helper()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return nc.(*net.TCPConn)
}

func send(t testing.TB, nc net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(nc, s); err != nil {
		t.Fatal(err)
	}
}

// readTo reads until what came ends with end.
func readTo(t testing.TB, r io.Reader, end string) string {
	t.Helper()
	var got []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(got, []byte(end)) {
		if _, err := io.ReadFull(r, one); err != nil {
			t.Fatalf("%v after %q, want an end of %q", err, got, end)
		}
		got = append(got, one[0])
	}
	return string(got)
}

// readAll reads to the end of the stream.
func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	got, err := io.ReadAll(r)
	// A client that announces its last request and then sends another is answered by a reset, behind the answer.
	if err != nil && !(errors.Is(err, syscall.ECONNRESET) && strings.Contains(string(got), "Connection: close")) {
		t.Fatalf("%v after %q", err, got)
	}
	return string(got)
}

// talk sends input and returns all that comes back until the other end closes.
func talk(t testing.TB, l *Listener, input string) string {
	t.Helper()
	nc := dial(t, l)
	go func() {
		_, _ = io.WriteString(nc, input) // the answer shows what arrived
		_ = nc.CloseWrite()
	}()
	return readAll(t, nc)
}

// answer200 is a handler's plain answer.
func answer200(x *exchange.Exchange, content string) {
	x.Resp.Status = 200
	x.Resp.Fields.Add("Date", "D")
	x.Resp.Body.Set([]byte(content))
}

// tell answers with what arrived, or with the fault.
func tell(x *exchange.Exchange) {
	x.Resp.Fields.Add("Date", "D")
	if x.Fault != nil {
		x.Resp.Status = x.Fault.Kind.Status()
		return
	}
	content, err := io.ReadAll(&x.Req.Body)
	if err != nil {
		x.Resp.Status = 400
		return
	}
	x.Resp.Status = 200
	text := fmt.Sprintf("%s %s?%s %s %q", x.Req.Method, x.Req.Path, x.Req.Query, x.Req.Host, content)
	for _, f := range x.Req.Trailers.All() {
		text += " " + f.Name + "=" + f.Value
	}
	x.Resp.Body.Set([]byte(text))
}

// told is the answer of tell.
func told(text string, fields ...string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: %d\r\n%s\r\n%s", len(text), strings.Join(fields, ""), text)
}

const (
	closing    = "Connection: close\r\n"
	keepAlive  = "Connection: keep-alive\r\n"
	badRequest = "HTTP/1.1 400 Bad Request\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// pieces is a Source that brings each piece with one Read, then err.
type pieces struct {
	list   []string
	err    error
	closed int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.list) == 0 {
		return 0, p.err
	}
	n := copy(b, p.list[0])
	if p.list[0] = p.list[0][n:]; p.list[0] == "" {
		p.list = p.list[1:]
	}
	return n, nil
}

func (p *pieces) Close() error {
	p.closed++
	return nil
}

// reader is a connection's answers, buffered.
func reader(nc net.Conn) *bufio.Reader { return bufio.NewReader(nc) }
