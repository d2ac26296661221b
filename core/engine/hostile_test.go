package engine

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
)

// script is a Source whose methods a test writes.
type script struct {
	read  func(p []byte) (int, error)
	close func()
}

func (s script) Read(p []byte) (int, error) { return s.read(p) }

func (s script) Close() error {
	s.close()
	return nil
}

// TestContentAfterABrokenAnswer has a copier come back for more of the request's content when the answer has failed: it must
// never be told that the content has ended, when some of it was thrown away to keep the connection.
func TestContentAfterABrokenAnswer(t *testing.T) {
	broken := errors.New("broken answer")
	later := make(chan error, 1)
	read := make(chan struct{})
	l, _ := start(t, Options{}, func(x *exchange.Exchange) {
		x.Resp.Status = 200
		content := x.Req.Body.Source
		x.Resp.Body = exchange.Body{Length: 10, Source: script{
			read: func([]byte) (int, error) { <-read; return 0, broken },
			close: func() {
				_, err := content.Read(make([]byte, 10))
				later <- err
			},
		}}
	})
	nc := dial(t, l)
	send(t, nc, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	readTo(t, nc, "\r\n\r\n")
	send(t, nc, "5\r\n01234\r\n0\r\n\r\n")
	close(read)
	if got := <-later; !errors.Is(got, errBodyClosed) {
		t.Errorf("got %v, want %v", got, errBodyClosed)
	}
}

// TestExpectAfterTheAnswerBegan has a copier want the content when it is too late to ask for it: that is no failure of
// the client, which would take the answer with it.
func TestExpectAfterTheAnswerBegan(t *testing.T) {
	l, _ := start(t, Options{}, func(x *exchange.Exchange) {
		content, begun := x.Req.Body.Source, make(chan struct{})
		wanted, copied := make(chan struct{}), make(chan error, 1)
		go func() {
			<-begun
			close(wanted)
			_, err := content.Read(make([]byte, 10))
			copied <- err
		}()
		answer := &pieces{list: []string{"an answer"}, err: io.EOF}
		x.Resp.Status = 200
		x.Resp.Fields.Add("Date", "D")
		x.Resp.Body = exchange.Body{Length: 9, Source: script{
			read: func(p []byte) (int, error) {
				if len(answer.list) > 0 {
					close(begun)
				}
				<-wanted
				return answer.Read(p)
			},
			close: func() {
				_ = content.Close()
				if err := <-copied; !errors.Is(err, errBodyClosed) {
					t.Errorf("got %v, want %v", err, errBodyClosed)
				}
			},
		}}
	})
	nc := dial(t, l)
	send(t, nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
	if got := readAll(t, nc); !strings.HasSuffix(got, closing+"\r\nan answer") || strings.Contains(got, " 100 ") {
		t.Errorf("got %q", got)
	}
}

// TestTunnelAtRestHoldsNoMemory: thousands of them may be open for days.
func TestTunnelAtRestHoldsNoMemory(t *testing.T) {
	here, there := tcpPair(t)
	l, _ := tunnelTo(t, Options{}, here)
	nc := dial(t, l)
	send(t, nc, upgradeHead+"early ")
	readTo(t, nc, "first ")
	readTo(t, there, "early ")
	l.mu.Lock()
	for c := range l.conns {
		// The copying began after the release, and its bytes have come.
		if c.in.buf != nil || c.in.page != nil {
			t.Errorf("a tunnel holds %d bytes", len(c.in.buf))
		}
	}
	l.mu.Unlock()
	_ = nc.CloseWrite()
	_ = there.CloseWrite()
	readAll(t, nc)
}

// wrapped is a connection with something around it, as upstreams hand them over.
type wrapped struct{ net.Conn }

func (w wrapped) SyscallConn() (syscall.RawConn, error) { return w.Conn.(syscall.Conn).SyscallConn() }

// TestTunnelAtRestHoldsNoMemoryForItsUpstream: nor for the other side, which comes with something around it.
func TestTunnelAtRestHoldsNoMemoryForItsUpstream(t *testing.T) {
	here, there := tcpPair(t)
	w := newWaiter(wrapped{here}, &pages{})
	held := make(chan bool, 1)
	w.onRead = func(fd uintptr) bool {
		done := w.readable(fd)
		if !done {
			held <- w.page != nil
		}
		return done
	}
	if w.raw == nil {
		t.Fatal("the connection cannot be waited for")
	}
	got := make(chan string, 1)
	go func() {
		p, _ := w.read()
		got <- string(p)
	}()
	if <-held {
		t.Error("a page is held while there is nothing to read")
	}
	send(t, there, "x")
	if p := <-got; p != "x" {
		t.Errorf("got %q", p)
	}
}
