package engine

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// What of a request's content nobody wanted is read to keep the connection.
const (
	drainBytes = 256 << 10
	drainTime  = 500 * time.Millisecond
)

var errBodyClosed = errors.New("request content is closed")

// body is the content of a request that was not all in hand with the head. Its Read may be called by another goroutine
// than the connection's, its Close by any.
type body struct {
	c        *conn
	expect   atomic.Bool  // the client waits for 100 Continue
	received atomic.Int64 // bytes of content read
	left     atomic.Int64 // bytes to come; -1: unknown
	complete atomic.Bool
	broken   atomic.Bool // the end cannot be found any more
	reading  atomic.Bool
	closed   atomic.Bool
	woken    chan struct{}   // told when it is closed; nil when no 100 Continue was waited for
	raw      syscall.RawConn // set by CanPull

	mu       sync.Mutex // held by Read
	chunked  bool
	chunks   http1.Dechunker
	trailers *header.Fields
	draining bool  // the deadline is set for good
	err      error // final
}

// openBody takes the content in hand and makes a Source of the rest.
func (c *conn) openBody(x *exchange.Exchange, h http1.RequestHead) *fault.Fault {
	switch {
	case h.Length == 0:
		return nil
	case h.Chunked:
		return c.openChunked(x, h)
	}
	held := c.in.take(int(min(int64(len(c.in.bytes())), h.Length)))
	c.hold(x, held, h.Length)
	if left := h.Length - int64(len(held)); left > 0 {
		b := &body{c: c}
		b.left.Store(left)
		c.attach(x, b, h.Expect100 && len(held) == 0)
	}
	return nil
}

func (c *conn) openChunked(x *exchange.Exchange, h http1.RequestHead) *fault.Fault {
	b := &body{c: c, chunked: true, trailers: &x.Req.Trailers}
	b.left.Store(-1)
	coded := c.in.bytes()
	n, used, done, err := b.chunks.Decode(coded, coded, b.trailers)
	c.in.take(used)
	if err != nil {
		return fault.New(fault.BadRequest, fault.Client, err.Error())
	}
	if done {
		c.hold(x, coded[:n], int64(n))
		return nil
	}
	c.hold(x, coded[:n], exchange.Unknown)
	c.attach(x, b, h.Expect100 && len(coded) == 0)
	return nil
}

func (c *conn) hold(x *exchange.Exchange, held []byte, length int64) {
	x.Req.Body = exchange.Body{Length: length, Held: held[:len(held):len(held)]}
	c.received = int64(len(held))
	c.in.floor = c.in.r
}

func (c *conn) attach(x *exchange.Exchange, b *body, expect bool) {
	if expect {
		b.expect.Store(true)
		b.woken = make(chan struct{}, 1)
	}
	x.Req.Expects = expect
	x.Req.Body.Source = b
	c.body = b
}

// Read reads content. Its errors are Faults, but for io.EOF at the end and that after Close.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	b.reading.Store(true)
	defer b.reading.Store(false)
	return b.note(b.read(p))
}

// note takes into account what a read has brought.
func (b *body) note(n int, err error) (int, error) {
	b.received.Add(int64(n))
	if err != nil {
		b.err = err
		b.broken.Store(err != io.EOF && err != errBodyClosed)
	}
	return n, err
}

func (b *body) read(p []byte) (int, error) {
	if b.expect.Load() {
		if err := b.demand(); err != nil {
			return 0, err
		}
	}
	if b.chunked {
		return b.readChunked(p)
	}
	return b.came(b.receive(p[:min(int64(len(p)), b.left.Load())]))
}

// came takes n bytes of content with a known length off what is to come.
func (b *body) came(n int, err error) (int, error) {
	if b.left.Add(-int64(n)) == 0 {
		b.complete.Store(true)
		return n, io.EOF
	}
	return n, err
}

// demand asks the client for the content. When it is too late for that, none will come; but that is no failure, which might cut
// short the answer: it waits for Close.
func (b *body) demand() error {
	switch err := b.c.sendContinue(b); err {
	case nil:
		return nil
	case errNoInterim:
		for !b.closed.Load() {
			<-b.woken
		}
		return errBodyClosed
	default:
		return fault.Wrap(fault.ClientGone, fault.Client, err)
	}
}

func (b *body) readChunked(p []byte) (int, error) {
	in := &b.c.in
	for {
		n, used, done, err := b.chunks.Decode(p, in.bytes(), b.trailers)
		in.take(used)
		switch {
		case err != nil:
			return n, fault.New(fault.BadRequest, fault.Client, err.Error())
		case done:
			b.complete.Store(true)
			return n, io.EOF
		case n > 0:
			return n, nil
		}
		in.roomForContent(&b.c.engine.pages)
		n, err = b.receive(in.buf[in.w:])
		in.w += n
		if err != nil {
			return 0, err
		}
	}
}

// receive reads from the connection.
func (b *body) receive(p []byte) (int, error) {
	if err := b.ready(); err != nil {
		return 0, err
	}
	return b.explain(b.c.nc.Read(p))
}

// ready sets the deadline of a read. It looks at closed afterwards, so that one set by Close lasts.
func (b *body) ready() error {
	if !b.draining {
		b.c.keepRead(time.Now(), b.c.options().BodyTimeout)
	}
	if b.closed.Load() {
		return errBodyClosed
	}
	return nil
}

// explain says what a read of the connection means.
func (b *body) explain(n int, err error) (int, error) {
	switch {
	case n > 0 || err == nil:
		return n, nil
	case b.closed.Load():
		return 0, errBodyClosed
	}
	return 0, asFault(err)
}

// Close interrupts a Read that waits; later ones fail.
func (b *body) Close() error {
	b.closed.Store(true)
	select {
	case b.woken <- struct{}{}:
	default: // it was told before, or there is nothing to tell
	}
	if b.reading.Load() {
		return b.c.nc.SetReadDeadline(longAgo)
	}
	return nil
}

// drainable reports whether the rest may be worth reading to keep the connection.
func (b *body) drainable() bool {
	return b.complete.Load() || !b.broken.Load() && !b.expect.Load() && b.left.Load() <= drainBytes
}

// finish ends the use of the body by others. When the connection is to be kept it reads the rest, if that is small and
// comes soon. It reports whether the body is read to its end.
func (b *body) finish(keep bool) bool {
	_ = b.Close() // it fails on closed connections only
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trailers = nil
	if b.err == nil {
		b.err = errBodyClosed // who comes back must not take what is read from here on for the content's end
	}
	b.c.readUntil = time.Time{} // Close may have set another deadline
	if b.complete.Load() || !keep || !b.drainable() {
		return b.complete.Load()
	}
	return b.drain()
}

func (b *body) drain() bool {
	p := b.c.engine.pages.get()
	defer b.c.engine.pages.put(p)
	b.c.setRead(time.Now().Add(drainTime))
	b.draining = true
	b.closed.Store(false)
	for total := 0; total <= drainBytes && !b.complete.Load(); {
		n, err := b.read(p[:])
		if err != nil {
			break
		}
		total += n
	}
	return b.complete.Load()
}
