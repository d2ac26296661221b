package engine

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

func TestTunnelOverTLS(t *testing.T) {
	pair := certs.New(t, "x")
	here, there := tcpPair(t)
	l, _ := tunnelTo(t, Options{TLS: NewTLS(secureWith(pair))}, here)
	nc := dialTLS(t, l, &tls.Config{ServerName: "x", RootCAs: pair.Pool})
	send(t, nc, upgradeHead+"early ")
	if want, got := switched+"first ", readTo(t, nc, "first "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	readTo(t, there, "early ")
	send(t, nc, "ping")
	readTo(t, there, "ping")
	send(t, there, "pong")
	readTo(t, nc, "pong")
	if err := nc.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, there); got != "" {
		t.Errorf("got %q", got)
	}
	send(t, there, "last words")
	there.Close()
	if got := readAll(t, nc); got != "last words" {
		t.Errorf("got %q", got)
	}
}

// stingySocket takes a byte of each write before its deadline passes, and from a time on none.
type stingySocket struct {
	net.Conn
	takes int
	got   []byte
}

func (s *stingySocket) Write(p []byte) (int, error) {
	if s.takes == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	s.takes--
	s.got = append(s.got, p[0])
	if len(p) == 1 {
		return 1, nil
	}
	return 1, os.ErrDeadlineExceeded
}

func (*stingySocket) SetWriteDeadline(time.Time) error { return nil }

// TestPacedWrite: to crypto/tls a write that fails is the end of the connection, so one goes on for as long as the client takes
// some of it before each deadline.
func TestPacedWrite(t *testing.T) {
	l := &Listener{}
	l.options.Store(Options{}.withDefaults())
	for _, c := range []struct {
		takes int
		got   string
		err   error
	}{{6, "record", nil}, {3, "rec", os.ErrDeadlineExceeded}} {
		slow := &stingySocket{takes: c.takes}
		w := &wire{Conn: slow, c: &conn{listener: l}, out: sender{nc: slow}, paced: true}
		if n, err := w.Write([]byte("record")); err != c.err || err == nil && n != 6 || string(slow.got) != c.got {
			t.Errorf("got %d, %v with %q written, want %v with %q", n, err, slow.got, c.err, c.got)
		}
	}
}

// TestReaderThatStops: a client that takes nothing any more ends its exchange, and its connection closes at once.
func TestReaderThatStops(t *testing.T) {
	pair := certs.New(t, "x")
	content := strings.Repeat("x", 64<<20)
	l, h := start(t, Options{TLS: NewTLS(secureWith(pair)), BodyTimeout: 200 * time.Millisecond}, func(x *exchange.Exchange) { answer200(x, content) })
	nc := dialTLS(t, l, &tls.Config{ServerName: "x", RootCAs: pair.Pool})
	send(t, nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	readTo(t, nc, "\r\n\r\n")
	eventually(t, "the exchange ends", func() bool { return h.open() == 0 })
	eventually(t, "the connection is closed", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.conns) == 0
	})
}

// TestRequestWithItsEnd: a client that ends its half right behind its request gets the answer.
func TestRequestWithItsEnd(t *testing.T) {
	pair := certs.New(t, "x")
	l, _ := start(t, Options{TLS: NewTLS(secureWith(pair))}, tell)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} { // in 1.2 the end shows ahead, beside the request
		gather := &gatherer{Conn: dial(t, l)}
		nc := tls.Client(gather, &tls.Config{ServerName: "x", RootCAs: pair.Pool, MaxVersion: version})
		if err := nc.Handshake(); err != nil {
			t.Fatal(err)
		}
		gather.on = true
		send(t, nc, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
		if err := nc.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		gather.flush(t)
		if got, want := readAll(t, nc), told(`GET /x? x ""`); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestEndOfContentThatNothingDelimits: over TLS the alert tells the end from a cut, however late the client reads.
func TestEndOfContentThatNothingDelimits(t *testing.T) {
	pair := certs.New(t, "x")
	piece := strings.Repeat("x", 1<<20)
	l, _ := start(t, Options{TLS: NewTLS(secureWith(pair))}, func(x *exchange.Exchange) {
		x.Resp.Status = 200
		x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: &pieces{list: slices.Repeat([]string{piece}, 32), err: io.EOF}}
	})
	for range 4 {
		nc := dialTLS(t, l, &tls.Config{ServerName: "x", RootCAs: pair.Pool})
		send(t, nc, "GET /x HTTP/1.0\r\n\r\n")
		readTo(t, nc, "\r\n\r\n")
		if got := readAll(t, nc); len(got) != 32<<20 {
			t.Errorf("got %d bytes", len(got))
		}
	}
}

func TestContinueOverTLS(t *testing.T) {
	pair := certs.New(t, "x")
	l, _ := start(t, Options{TLS: NewTLS(secureWith(pair))}, tell)
	nc := dialTLS(t, l, &tls.Config{ServerName: "x", RootCAs: pair.Pool})
	for range 3 {
		send(t, nc, "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
		readTo(t, nc, "HTTP/1.1 100 Continue\r\n\r\n")
		send(t, nc, "abc")
		if got, want := readMessage(t, nc), told(`POST /x? x "abc"`); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTLSOnUnixSocket(t *testing.T) {
	pair := certs.New(t, "x")
	h := &fake{t: t, serve: tell, served: map[uint64]bool{}, ended: map[uint64]bool{}}
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := New(h, testLog(io.Discard)).Listen("unix:"+path, Options{TLS: NewTLS(secureWith(pair))})
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	t.Cleanup(func() { drainNow(t, l) })
	raw, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	nc := tls.Client(raw, &tls.Config{ServerName: "x", RootCAs: pair.Pool})
	for range 3 {
		if got, want := ask(t, nc, "x"), told(`GET /x? x ""`); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	nc.Close()
}

// TestGoneOnUnixSocket: a client that hangs up is noticed there, too.
func TestGoneOnUnixSocket(t *testing.T) {
	waiting := make(chan struct{})
	gone := func(x *exchange.Exchange) {
		if x.Client.Gone() {
			t.Error("gone too early")
		}
		close(waiting)
		eventually(t, "the client is gone", x.Client.Gone)
		answer200(x, "")
	}
	h := &fake{t: t, serve: gone, served: map[uint64]bool{}, ended: map[uint64]bool{}}
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := New(h, testLog(io.Discard)).Listen("unix:"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	send(t, nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-waiting
	nc.Close()
	drainNow(t, l)
}

func TestRecordCount(t *testing.T) {
	stream := []byte("\x17\x03\x03\x00\x03abc" + "\x17\x03\x03\x00\x00" + "\x17\x03\x03\x01\x01" + strings.Repeat("x", 257))
	ends := map[int]int{0: 0, 8: 1, 13: 2, len(stream): 3}
	for size := 1; size <= len(stream); size++ {
		var r recordCount
		for at := 0; ; at = min(at+size, len(stream)) {
			if n, end := ends[at]; r.atEnd() != end || end && r.ended != n {
				t.Errorf("pieces of %d, after %d: got %d records, at an end %v", size, at, r.ended, r.atEnd())
			}
			if at == len(stream) {
				break
			}
			r.add(stream[at:min(at+size, len(stream))])
		}
	}
}
