package engine

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// http2Body is the content of a request over HTTP/2. Its Read may be called by another goroutine than the stream's, its Close
// by any.
type http2Body struct {
	stream   *http2Stream
	exchange *exchange.Exchange // what its Handler has settled before it reads
	received atomic.Int64       // bytes of content read
	closed   atomic.Bool
	late     atomic.Bool // the client has sent nothing for too long
	slow     watch

	mu       sync.Mutex // held by Read
	trailers *header.Fields
	err      error // final
}

func newHTTP2Body(s *http2Stream, x *exchange.Exchange) *http2Body {
	b := &http2Body{stream: s, exchange: x, trailers: &x.Req.Trailers}
	b.slow.act = func() {
		b.late.Store(true)
		_ = s.r.Body.Close() // wakes up who reads; it cannot fail
	}
	return b
}

// Read reads content. Its errors are Faults, but for io.EOF at the end and that after Close.
func (b *http2Body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	b.slow.begin(b.patience())
	n, err := b.stream.r.Body.Read(p)
	b.slow.end()
	b.received.Add(int64(n))
	switch {
	case err == io.EOF:
		addSorted(b.trailers, b.stream.r.Trailer, http1.MayTrail)
		b.err = io.EOF
	case err != nil:
		b.err = b.explain(err)
	}
	return n, b.err
}

// patience is how long the client may be silent. In a conversation it may have nothing to say while it listens.
func (b *http2Body) patience() time.Duration {
	if x := b.exchange; x.Duplex && x.Idle > 0 {
		return x.Idle
	}
	return b.stream.BodyTimeout()
}

// explain says what a failed read means.
func (b *http2Body) explain(err error) error {
	switch {
	case b.closed.Load():
		return errBodyClosed
	case b.late.Load():
		return fault.New(fault.RequestTimeout, fault.Client, "the request's content took too long")
	case b.stream.Gone():
		return fault.Wrap(fault.ClientGone, fault.Client, err)
	// net/http has no type for these two.
	case strings.Contains(err.Error(), "declared a Content-Length"), strings.Contains(err.Error(), "declared Content-Length"):
		return errOtherLength()
	}
	return fault.Wrap(fault.ClientGone, fault.Client, err)
}

// Close interrupts a Read that waits; later ones fail.
func (b *http2Body) Close() error {
	b.closed.Store(true)
	return b.stream.r.Body.Close()
}

// isShort reports whether little is left of the content. Were that not read, net/http would reset the stream behind the answer: RFC 9113
// (section 8.1) allows it, but there are clients that then do not see the answer.
func (b *http2Body) isShort() bool {
	left := b.stream.r.ContentLength - b.received.Load()
	return 0 < left && left <= drainBytes
}

// takeRest reads what is left for as long as an HTTP/1.1 client would be given.
func (b *http2Body) takeRest() {
	late := time.AfterFunc(drainTime, func() { _ = b.Close() })
	defer late.Stop()
	p := b.stream.conn.engine.pages.get()
	defer b.stream.conn.engine.pages.put(p)
	for {
		if _, err := b.Read(p[:]); err != nil {
			return
		}
	}
}

// finish ends the use of the body by others.
func (b *http2Body) finish() {
	_ = b.Close() // it cannot fail
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slow.stop()
	b.trailers = nil
	if b.err == nil {
		b.err = errBodyClosed
	}
}
