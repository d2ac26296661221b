package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

// closeTime is how long the farewell of a TLS connection may take.
const closeTime = 250 * time.Millisecond

var errNotHTTP2 = errors.New("the server does not begin as HTTP/2 does")

// muxWire is the connection under an HTTP/2 client connection. It sees when the server's first frame, its settings, has been taken in:
// only then is it known how many streams there may be at once.
type muxWire struct {
	net.Conn
	reads    atomic.Uint64 // that brought something
	greeting greeting
	greeted  chan struct{} // closed when the greeting has been taken in, or will never be
	ok       atomic.Bool   // it has come
	once     sync.Once     // closes greeted
	told     bool          // that has been done; of the goroutine that reads
}

// greeting finds the end of the first frame (RFC 9113, sections 3.4 and 4.1).
type greeting struct {
	head  [frameHead]byte
	have  int  // bytes of head
	left  int  // bytes of the frame behind its head
	wrong bool // it is no frame of settings
}

const (
	frameHead     = 9
	frameSettings = 4
	maxGreeting   = 16 << 10
)

// take reads on; it reports whether the frame is complete, and whether it is one of settings as far as one can see.
func (g *greeting) take(p []byte) (complete, ok bool) {
	if g.have < frameHead {
		n := copy(g.head[g.have:], p)
		g.have += n
		p = p[n:]
		if g.have < frameHead {
			return false, true
		}
		g.left = int(g.head[0])<<16 | int(g.head[1])<<8 | int(g.head[2])
		g.wrong = g.head[3] != frameSettings || g.left > maxGreeting
	}
	g.left -= min(g.left, len(p))
	return g.left == 0, !g.wrong
}

func newMuxWire(c net.Conn) *muxWire {
	return &muxWire{Conn: c, greeted: make(chan struct{})}
}

// Read is called by one goroutine only. When it asks for more, what it got before has been taken in.
func (w *muxWire) Read(p []byte) (int, error) {
	if w.ok.Load() && !w.told {
		w.tell()
	}
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.reads.Add(1)
	}
	if w.told {
		return n, err
	}
	complete, ok := w.greeting.take(p[:n])
	switch {
	case err != nil || !ok:
		w.tell()
		return n, errors.Join(err, notHTTP2(ok))
	case complete:
		w.ok.Store(true)
	}
	return n, nil
}

func notHTTP2(ok bool) error {
	if ok {
		return nil
	}
	return errNotHTTP2
}

func (w *muxWire) tell() {
	w.told = true
	w.once.Do(func() { close(w.greeted) })
}

// Close does not wait for long, as the farewell of TLS would.
func (w *muxWire) Close() error {
	w.once.Do(func() { close(w.greeted) }) // what came first may be no frame at all
	if abrupt, ok := w.Conn.(interface{ cut() error }); ok {
		late := time.AfterFunc(closeTime, func() { _ = abrupt.cut() }) // then the farewell is not taken
		defer late.Stop()
	}
	return w.Conn.Close()
}

type wireKey struct{}

// connect makes an HTTP/2 connection to the endpoint and waits for the server's settings.
func (t *http2Transport) connect(e *Endpoint, deadline time.Time) (*muxConn, *fault.Fault) {
	until := t.dialer.limit(deadline)
	raw, err := t.dialer.dial(e, until)
	if err != nil {
		return nil, cannotConnect(err)
	}
	w := newMuxWire(raw)
	_ = raw.SetReadDeadline(until) // fails on closed connections only, which the next read tells
	client, err := t.net.NewClientConn(context.WithValue(context.Background(), wireKey{}, w), "http", "endpoint:80")
	if err != nil {
		_ = w.Close() // it is of no use, whatever this says
		return nil, cannotConnect(err)
	}
	c := &muxConn{ClientConn: client, wire: w}
	<-w.greeted
	if !w.ok.Load() {
		_ = c.Close()
		return nil, cannotConnect(errNotHTTP2)
	}
	_ = raw.SetReadDeadline(time.Time{})
	return c, nil
}

// newNet returns what speaks HTTP/2 over a wire that it is given. To net/http it is never over TLS: that is the wire's affair.
func newNet(o Options, head int) *http.Transport {
	t := &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return ctx.Value(wireKey{}).(*muxWire), nil },
		Protocols:              new(http.Protocols),
		DisableCompression:     true,
		IdleConnTimeout:        o.IdleTimeout,
		MaxResponseHeaderBytes: int64(head),
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: streamBuffer,
			MaxReadFrameSize:          readFrame,
			WriteByteTimeout:          bodyTimeout,
		},
	}
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}
