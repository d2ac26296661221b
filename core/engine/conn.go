package engine

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
)

// A connection's state, as far as others want to know it.
const (
	active  uint32 = iota
	idle           // between requests
	retired        // was idle when draining began: is to close
)

// step is what comes next on a connection.
type step uint8

const (
	wait  step = iota // for more bytes
	leave             // the callback that reads, since pending needs to read by itself
	stop              // close
)

// conn is a connection and the goroutine that reads, serves and writes on it, one exchange after the other. Fields
// without a word on it belong to that goroutine.
type conn struct {
	listener *Listener
	engine   *Engine
	nc       net.Conn           // what requests are read from: sock, or TLS over it
	sock     net.Conn           // the socket
	raw      syscall.RawConn    // sock's; nil where it cannot be read without waiting
	onRead   func(uintptr) bool // c.readable, made once
	peer     netip.AddrPort
	peerText string
	counted  netip.Addr // the entry of the listener's clients that it is in, if any
	trust    *Options   // those that trusted was found with
	trusted  bool       // the peer is a trusted proxy

	tls     *TLS     // nil: plain
	wire    *wire    // between sock and TLS
	secured *secured // nil: plain, or not yet

	in       input
	state    atomic.Uint32
	isCut    atomic.Bool
	outdated atomic.Bool // more is demanded of clients now than when it was made
	next     step
	pending  *exchange.Exchange
	body     *body // of the running exchange, when not all of it was in hand
	received int64 // content in hand of the running exchange
	http10   bool  // so is the running exchange's client
	served   bool  // an exchange has ended
	looks    int   // how often there was nothing behind one
	keeps    bool  // the client means to send more after the request being answered
	lingers  bool  // the client may still be sending: see that it gets the answer
	aborted  bool  // the client is to see that the answer is not whole
	isHTTP2  bool  // so the client has begun

	started   time.Time // the first byte of the next head was at hand
	lastUse   time.Time // the end of the last exchange
	readUntil time.Time // the read deadline, as far as this goroutine knows

	sending   sync.Mutex // guards what follows against the goroutine that reads the request's content
	out       sender
	answering bool // the final answer has begun: no 1xx any more
}

func newConn(l *Listener, nc net.Conn) *conn {
	c := &conn{listener: l, engine: l.engine, nc: nc, sock: nc, raw: rawConn(nc), lastUse: time.Now()}
	c.out.nc = nc
	if o := c.options(); o.TLS != nil {
		c.secure(o.TLS, o.HTTP2)
	}
	c.onRead = c.readable
	c.peer, c.peerText = peerOf(nc)
	return c
}

// peerOf returns the other end of a TCP connection, and its address as text.
func peerOf(nc net.Conn) (netip.AddrPort, string) {
	addr, ok := nc.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, ""
	}
	peer := addr.AddrPort()
	peer = netip.AddrPortFrom(peer.Addr().Unmap().WithZone(""), peer.Port())
	return peer, peer.Addr().String()
}

// run serves the connection until it closes.
func (c *conn) run() {
	defer c.close()
	if c.tls == nil || c.handshake() && !c.runHTTP2() {
		c.serve()
	}
	if (c.lingers || !c.in.empty()) && !c.aborted {
		c.linger()
	}
}

// serve takes one request after the other.
func (c *conn) serve() {
	if c.wire != nil {
		c.wire.paced = true
	}
	for next := wait; next != stop; {
		next = c.await()
		if next == leave {
			next = c.resume()
		}
	}
	if c.isHTTP2 {
		seen := append([]byte(nil), c.in.take(len(c.in.bytes()))...)
		c.in.release(&c.engine.pages)
		c.listener.serveHTTP2(c.nc, seen)
	}
}

// resume serves the exchange that the reading callback left, then what else is in hand.
func (c *conn) resume() step {
	x := c.pending
	c.pending = nil
	if !c.exchange(x) {
		return stop
	}
	return c.advance(false)
}

func (c *conn) close() {
	if c.wire != nil && c.wire.paced && !c.aborted {
		_ = c.nc.Close() // tells the client that this is the end; without it an answer could be a part of one
	}
	_ = c.sock.Close() // whatever it says, the connection is gone
	c.engine.pages.put(c.in.page)
	c.listener.remove(c)
}

// retire closes the connection if it is idle. Any goroutine may call it.
func (c *conn) retire() {
	if c.state.CompareAndSwap(idle, retired) {
		_ = c.nc.SetReadDeadline(longAgo)
	}
}

// isLeaving reports whether the connection is to close as soon as nothing is under way.
func (c *conn) isLeaving() bool { return c.listener.draining.Load() || c.outdated.Load() }

// cut ends the connection without waiting for anything. Any goroutine may call it.
func (c *conn) cut() {
	c.isCut.Store(true)
	// Close would wait for a running callback, and a deadline might be overwritten.
	if half, ok := c.sock.(halfCloser); ok {
		_ = half.CloseRead()
		_ = half.CloseWrite()
		return
	}
	go c.sock.Close()
}

type halfCloser interface {
	CloseRead() error
	CloseWrite() error
}

const (
	lingerTime  = 2 * time.Second
	lingerBytes = 1 << 20
)

// linger closes the writing side and takes in what the client still sends: a close with unread bytes would be a
// reset, which can overtake the answer (RFC 9112, section 9.6).
func (c *conn) linger() {
	if !c.closeWrite() {
		return
	}
	c.setRead(time.Now().Add(lingerTime))
	c.state.Store(idle)
	if c.listener.draining.Load() {
		return
	}
	p := c.engine.pages.get()
	defer c.engine.pages.put(p)
	for left := lingerBytes; left > 0; {
		n, err := c.sock.Read(p[:])
		if err != nil {
			return
		}
		left -= n
	}
}

// closeWrite tells the client that nothing more will come; it reports false where that cannot be done without closing.
func (c *conn) closeWrite() bool {
	if over, ok := c.nc.(*tls.Conn); ok {
		_ = over.CloseWrite() // before the handshake's end there is nothing to be told
	}
	half, ok := c.sock.(halfCloser)
	return ok && half.CloseWrite() == nil
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// setRead sets the read deadline.
func (c *conn) setRead(until time.Time) {
	c.readUntil = until
	_ = c.nc.SetReadDeadline(until) // fails on closed connections only, which the next read tells
}

// keepRead sees to it that the read deadline is between nine and ten tenths of d away: setting it costs more than
// most requests need it.
func (c *conn) keepRead(now time.Time, d time.Duration) {
	if left := c.readUntil.Sub(now); left < d-d/10 || left > d {
		c.setRead(now.Add(d))
	}
}
