package engine

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// goAwayGrace is how long a client may go on opening streams after it was told to stop: those on their way are still served.
const goAwayGrace = 500 * time.Millisecond

// http2Conn is a connection that speaks HTTP/2 with the net/http server that serves it. A server for each is little beside
// what net/http holds for a connection anyway; so each has the Options of its beginning and is drained by itself.
type http2Conn struct {
	listener *Listener
	engine   *Engine
	wire     *http2Wire
	server   *http.Server
	peer     netip.AddrPort
	peerText string
	secured  *secured // nil without TLS
	draining sync.Once
	entered  atomic.Uint64 // streams that came to ServeHTTP

	mu      sync.Mutex
	over    bool // no stream may begin any more
	waste   waste
	open    int            // streams, as running has them
	idle    *time.Timer    // runs while none is open
	running sync.WaitGroup // streams
}

// serveHTTP2 serves a connection on which the client speaks HTTP/2: nc is as it was after the bytes seen were read from it. It
// returns when nc is closed and the last exchange has ended.
func (l *Listener) serveHTTP2(nc net.Conn, seen []byte) {
	h := &http2Conn{listener: l, engine: l.engine, wire: newHTTP2Wire(l, nc, seen)}
	h.peer, h.peerText = peerOf(nc)
	if over, ok := nc.(*tls.Conn); ok {
		h.secured = securedOf(over)
	}
	h.server = newHTTP2Server(h, l.options.Load())
	h.watchIdle(l.options.Load().IdleTimeout)
	l.counters.begunHTTP2.Add(1)
	defer l.counters.endedHTTP2.Add(1)
	l.addHTTP2(h)
	_ = h.server.Serve(h.wire.listener()) // its only error is that there is no second connection
	<-h.wire.closed
	h.finish()
	l.countUnserved(h)
	l.removeHTTP2(h)
}

// newHTTP2Server returns a server for one connection. It is always told that there is no TLS: what it would do about that,
// it would do only for a *tls.Conn, which can be neither watched nor cut here. It has no IdleTimeout: net/http starts that timer anew for a
// connection that is closed with open streams, and keeps all of it until then.
func newHTTP2Server(h *http2Conn, o *Options) *http.Server {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:                      h,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            o.HeadTimeout,
		MaxHeaderBytes:               headListSize(o),
		Protocols:                    &protocols,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: o.Streams},
		ErrorLog:                     slog.NewLogLogger(h.engine.log.Handler(), slog.LevelDebug),
	}
}

// headListSize is what net/http may take of a head, which it counts with 32 bytes for each field (RFC 9113, section 6.5.2). It
// is so much that what the limits refuse is refused here, with an answer from the Handler, unless it is far too large.
func headListSize(o *Options) int {
	const perField, spare = 32, 4 << 10
	return o.Limits.Head + perField*o.Limits.Fields + spare
}

// addHTTP2 makes h known to Drain.
func (l *Listener) addHTTP2(h *http2Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.http2[h] = struct{}{}
	if l.draining.Load() || l.options.Load().TLS.demandsMoreThan(tlsOf(h.wire.Conn)) {
		l.drainHTTP2(h)
	}
}

func (l *Listener) removeHTTP2(h *http2Conn) {
	l.mu.Lock()
	delete(l.http2, h)
	l.mu.Unlock()
}

// enter counts a stream that begins; it reports false when the connection has ended before that.
func (h *http2Conn) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return false
	}
	h.entered.Add(1)
	if h.open++; h.open == 1 {
		h.idle.Stop()
	}
	h.running.Add(1)
	return true
}

// finish waits for the exchanges that still run.
func (h *http2Conn) finish() {
	h.mu.Lock()
	h.over = true
	h.idle.Stop()
	h.mu.Unlock()
	h.running.Wait()
}

// drain tells the client to open no more streams, serves those that cross that, then tells which was the last (RFC 9113, section
// 6.8). The connection ends with that one.
//
// It does so once: a second GOAWAY might take back what the first has said.
func (h *http2Conn) drain() { h.draining.Do(h.sendAway) }

func (h *http2Conn) sendAway() {
	h.wire.announce()
	timer := time.NewTimer(goAwayGrace)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.wire.closed:
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()                   // serveHTTP2 waits for the connection's end, nothing else needs to
	_ = h.server.Shutdown(ctx) // hence its error is ctx's
}

// ServeHTTP implements http.Handler for one stream.
func (h *http2Conn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.enter() {
		panic(http.ErrAbortHandler)
	}
	s := &http2Stream{conn: h, w: w, r: r}
	defer func() { h.leave(s.Gone()) }()
	if !s.exchange() {
		panic(http.ErrAbortHandler) // the client sees a reset: never a short answer that looks whole
	}
}
