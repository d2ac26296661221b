package engine

import (
	"net"
	"sync"
	"time"
)

// http2Preface is what a client's HTTP/2 connection begins with (RFC 9113, section 3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// http2Wire is a connection as net/http's server is given it. It first gives what was already read, gives up writing when
// that makes no progress, tells when it is closed, and can put a frame between those of the server.
type http2Wire struct {
	net.Conn
	owner  *Listener
	seen   []byte
	closed chan struct{}
	once   sync.Once
	in     frames // read
	flood  flood
	opened streamCount

	mu      sync.Mutex // guards what follows
	out     sender
	written frames
	begun   bool // the server's first frame has been written
	leaving bool // a GOAWAY is to be written
}

func newHTTP2Wire(l *Listener, nc net.Conn, seen []byte) *http2Wire {
	return &http2Wire{Conn: nc, owner: l, seen: seen, closed: make(chan struct{}), in: frames{left: len(http2Preface)}, out: sender{nc: nc}}
}

// Read implements net.Conn.
func (w *http2Wire) Read(p []byte) (int, error) {
	n, err := w.read(p)
	for rest, whole := p[:n], false; len(rest) > 0; {
		if rest, whole = w.in.follow(rest); !whole {
			continue
		}
		w.opened.note(&w.in.head)
		if !w.flood.note(&w.in.head, w.in.left) {
			_ = w.Close() // it is of no use any more, whatever that says
			return 0, errFlood
		}
	}
	return n, err
}

func (w *http2Wire) read(p []byte) (int, error) {
	if len(w.seen) == 0 {
		return w.Conn.Read(p)
	}
	n := copy(p, w.seen)
	if w.seen = w.seen[n:]; len(w.seen) == 0 {
		w.seen = nil
	}
	return n, nil
}

// Write implements net.Conn: p is written whole, or the connection is of no use any more.
func (w *http2Wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.send(p); err != nil {
		return 0, err
	}
	w.begun = true
	for rest := p; len(rest) > 0; {
		rest, _ = w.written.follow(rest)
	}
	if w.leaving {
		return len(p), w.sendGoAway()
	}
	return len(p), nil
}

func (w *http2Wire) send(p []byte) error {
	return w.out.send(p, time.Now(), w.owner.options.Load().BodyTimeout)
}

// announce writes a GOAWAY as soon as that can stand between two frames.
func (w *http2Wire) announce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaving = true
	_ = w.sendGoAway() // on a connection that cannot be written to, the server's next write fails as well
}

func (w *http2Wire) sendGoAway() error {
	if !w.begun || !w.written.between() {
		return nil
	}
	w.leaving = false
	return w.send([]byte(goAway))
}

// SetWriteDeadline implements net.Conn; the deadline is Write's own business.
func (w *http2Wire) SetWriteDeadline(time.Time) error { return nil }

// Close implements net.Conn.
func (w *http2Wire) Close() error {
	err := w.Conn.Close()
	w.once.Do(func() { close(w.closed) })
	return err
}

// listener returns a net.Listener that accepts w and nothing else.
func (w *http2Wire) listener() net.Listener {
	return &oneConn{wire: w, done: make(chan struct{})}
}

// oneConn accepts one connection. It has no more to do when that is closed.
type oneConn struct {
	wire  *http2Wire
	given bool
	once  sync.Once
	done  chan struct{}
}

// Accept implements net.Listener.
func (l *oneConn) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.wire, nil
	}
	select {
	case <-l.wire.closed:
	case <-l.done:
	}
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *oneConn) Addr() net.Addr { return l.wire.LocalAddr() }
