package engine

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

// runTunnel answers 101 and passes bytes both ways until both sides have ended.
func (c *conn) runTunnel(x *exchange.Exchange) {
	r := &x.Resp
	x.KeepAlive = false
	p := c.engine.pages.get()
	head := http1.AppendResponseHead(p[:0], r.Status, &r.Fields, http1.Framing{}, true, false, x.Req.Upgrade, c.engine.date(time.Now()))
	held := r.Body.Rest()
	err := c.out.send(append(head, held...), time.Now(), c.options().BodyTimeout)
	c.engine.pages.put(p)
	if err != nil {
		x.Fail(fault.Wrap(fault.ClientGone, fault.Client, err))
		return
	}
	x.Sent += int64(len(held))
	t := &tunnel{c: c, client: c.nc, upstream: r.Tunnel, limit: x.Idle}
	if t.limit <= 0 {
		t.limit = c.options().IdleTimeout
	}
	t.lastByte.Store(time.Now().UnixNano())
	early := append([]byte(nil), c.in.take(len(c.in.bytes()))...)
	c.in.release(&c.engine.pages)
	up := make(chan int64)
	go func() { up <- t.copy(&sender{nc: t.upstream}, t.client, early) }()
	x.Sent += t.copy(&c.out, t.upstream, nil)
	c.received += <-up
	r.Tunnel = nil
	_ = t.upstream.Close() // both directions are over
}

// tunnel is a client's and an upstream's connection that are one. A goroutine copies in each direction.
type tunnel struct {
	c                *conn
	client, upstream net.Conn
	limit            time.Duration // without a byte in either direction
	lastByte         atomic.Int64  // when, in Unix nanoseconds, in either direction
	broken           atomic.Bool   // neither direction is to go on
}

// copy passes first and then what src brings to dst. It returns how many bytes those were.
func (t *tunnel) copy(to *sender, src net.Conn, first []byte) (passed int64) {
	w := newWaiter(src, &t.c.engine.pages)
	defer w.release()
	var until time.Time
	full := 0 // so many reads in a row have filled their page
	for p := first; ; {
		if len(p) > 0 {
			if to.send(p, time.Now(), t.c.options().BodyTimeout) != nil {
				t.breakOff()
				return passed
			}
			passed += int64(len(p))
			t.lastByte.Store(time.Now().UnixNano())
		}
		if full++; len(p) < pageSize {
			full = 0
		}
		if full == burstPages {
			n, ok := t.burst(to, w)
			if passed += n; !ok {
				t.breakOff()
				return passed
			}
			full = 0
		}
		until = t.extend(src, until)
		if t.broken.Load() {
			return passed
		}
		var err error
		p, err = w.read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && !t.idle():
			until = time.Time{}
		case err == io.EOF && !t.c.isCut.Load() && t.endHalf(to.nc):
			return passed
		case err != nil:
			t.breakOff()
			return passed
		}
	}
}

// extend sets src's read deadline to when the tunnel will have been idle for too long, unless it is set nearly so.
func (t *tunnel) extend(src net.Conn, until time.Time) time.Time {
	end := time.Unix(0, t.lastByte.Load()).Add(t.limit)
	if end.Sub(until) < t.limit/10 {
		return until
	}
	_ = src.SetReadDeadline(end) // fails on closed connections only, which the next read tells
	return end
}

// idle reports whether no byte has passed for too long.
func (t *tunnel) idle() bool {
	return t.broken.Load() || time.Now().UnixNano()-t.lastByte.Load() >= int64(t.limit)
}

// endHalf tells dst that no more bytes will come; it reports whether the other direction may go on.
func (t *tunnel) endHalf(dst net.Conn) bool {
	half, ok := dst.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// breakOff ends both directions.
func (t *tunnel) breakOff() {
	t.broken.Store(true)
	_ = t.client.SetDeadline(longAgo)
	_ = t.upstream.SetDeadline(longAgo)
}

// waiter reads from a connection and holds no memory while there is nothing to read.
type waiter struct {
	nc     net.Conn
	raw    syscall.RawConn
	onRead func(uintptr) bool
	pages  *pages
	page   *page
	n      int
	err    error
}

func newWaiter(nc net.Conn, pages *pages) *waiter {
	w := &waiter{nc: nc, raw: tunnelRaw(nc), pages: pages}
	w.onRead = w.readable
	return w
}

// read returns the next bytes, valid until it is called again.
func (w *waiter) read() ([]byte, error) {
	if w.raw == nil {
		w.hold()
		w.n, w.err = w.nc.Read(w.page[:])
	} else if err := w.raw.Read(w.onRead); err != nil {
		return nil, err
	}
	switch {
	case w.n > 0:
		return w.page[:w.n], nil
	case w.err == nil:
		return nil, io.EOF
	}
	return nil, w.err
}

func (w *waiter) readable(fd uintptr) (done bool) {
	w.hold()
	var again bool
	if w.n, again, w.err = readNow(fd, w.page[:]); again {
		w.release()
	}
	return !again
}

func (w *waiter) hold() {
	if w.page == nil {
		w.page = w.pages.get()
	}
}

func (w *waiter) release() {
	w.pages.put(w.page)
	w.page = nil
}
