package engine

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Listener is one address that requests come in on. It may be used by many goroutines.
type Listener struct {
	engine   *Engine
	listener net.Listener
	options  atomic.Pointer[Options]
	draining atomic.Bool
	stopped  chan struct{}  // closed when draining begins
	running  sync.WaitGroup // the accepting goroutine and one of each connection

	mu    sync.Mutex
	space sync.Cond // a connection is gone, or Options or draining have changed
	conns map[*conn]struct{}
	http2 map[*http2Conn]struct{} // those of conns that speak HTTP/2

	clients perIP // guarded by mu

	refused atomic.Uint64 // connections of clients that had too many
	told    refusals      // of the accepting goroutine

	counters counters

	unserved     atomic.Uint64 // HTTP/2 streams that never became requests
	toldUnserved refusals      // guarded by mu
}

// Listen binds an address at once, host:port or "unix:" and a path; connections wait until Start.
func (e *Engine) Listen(address string, o Options) (*Listener, error) {
	listener, err := bind(address)
	if err != nil {
		return nil, err
	}
	l := &Listener{
		engine:   e,
		listener: listener,
		stopped:  make(chan struct{}),
		conns:    make(map[*conn]struct{}),
		http2:    make(map[*http2Conn]struct{}),
	}
	l.space.L = &l.mu
	l.options.Store(o.withDefaults())
	return l, nil
}

func bind(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return bindUnix(path)
	}
	var config net.ListenConfig
	return config.Listen(context.Background(), "tcp", address)
}

// Addr returns the address that is bound.
func (l *Listener) Addr() net.Addr { return l.listener.Addr() }

// SetOptions takes effect with the next request of each connection, and TLS with the next connections; but who was let in when less
// was demanded of clients has to come again: such connections close as when draining.
func (l *Listener) SetOptions(o Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := o.withDefaults()
	l.options.Store(next)
	l.space.Broadcast()
	for c := range l.conns {
		if next.TLS.demandsMoreThan(c.tls) {
			c.outdated.Store(true)
			c.retire()
		}
	}
	for h := range l.http2 {
		if next.TLS.demandsMoreThan(tlsOf(h.wire.Conn)) {
			l.drainHTTP2(h)
		}
	}
}

// Start begins to accept. It is to be called once, and returns at once.
func (l *Listener) Start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.draining.Load() {
		l.running.Go(l.accept)
	}
}

const (
	firstBackoff = 5 * time.Millisecond
	lastBackoff  = time.Second
)

func (l *Listener) accept() {
	backoff := firstBackoff
	for l.waitForSpace() {
		nc, err := l.listener.Accept()
		switch {
		case err == nil:
			backoff = firstBackoff
			l.open(nc)
		case l.draining.Load() || errors.Is(err, net.ErrClosed):
			return
		default: // out of file descriptors, most likely: others must close first
			l.engine.log.Error("cannot accept", "address", l.Addr().String(), "error", err, "retry", backoff)
			l.pause(backoff)
			backoff = min(2*backoff, lastBackoff)
		}
	}
}

func (l *Listener) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.stopped:
	}
}

// waitForSpace waits until a connection may be accepted; it reports false when none will be any more.
func (l *Listener) waitForSpace() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.conns) >= l.options.Load().Connections && !l.draining.Load() {
		l.space.Wait()
	}
	return !l.draining.Load()
}

func (l *Listener) open(nc net.Conn) {
	l.mu.Lock()
	c := newConn(l, nc) // with the Options that SetOptions takes it to have
	admitted := l.clients.admit(c, l.options.Load())
	if admitted {
		l.conns[c] = struct{}{}
		l.counters.opened.Add(1)
		l.running.Go(c.run)
	}
	l.mu.Unlock()
	if !admitted {
		l.turnAway(c)
	}
}

func (l *Listener) remove(c *conn) {
	l.counters.closed.Add(1)
	l.mu.Lock()
	delete(l.conns, c)
	l.clients.release(c)
	l.space.Signal()
	l.mu.Unlock()
}

// Drain stops accepting, closes idle connections at once and the others after the answer that they are at. It returns
// when all are closed; when ctx ends first, it cuts off the rest and returns ctx's error. Handlers that are still
// running then see the client gone.
func (l *Listener) Drain(ctx context.Context) error {
	l.Stop()
	done := make(chan struct{})
	go func() {
		l.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.cut()
	}
	return ctx.Err()
}

// Stop begins to drain without waiting for it. The address is free when it returns.
func (l *Listener) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining.Swap(true) {
		return
	}
	close(l.stopped)
	_ = l.listener.Close() // nothing can be done about an error, and Accept returns all the same
	l.space.Broadcast()
	for c := range l.conns {
		c.retire()
	}
	for h := range l.http2 {
		l.drainHTTP2(h)
	}
}

// drainHTTP2 has h drained. The caller holds mu.
func (l *Listener) drainHTTP2(h *http2Conn) { l.running.Go(h.drain) }
