package engine

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

// lookAgain is how long after a request a FIN may go unseen that came together with its last bytes.
const lookAgain = time.Second

// enoughLooks is how often a client has to leave its connection open behind a request before a look for its FIN
// is not taken at once.
const enoughLooks = 4

// await reads, and serves what can be served on the way, until there is something to do that waits by itself.
func (c *conn) await() step {
	for {
		err := c.readAndServe()
		if err == nil {
			return c.next
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || !c.goOn() {
			return stop
		}
	}
}

func (c *conn) readAndServe() error {
	if c.raw != nil {
		return c.raw.Read(c.onRead)
	}
	for {
		if !c.park(true) {
			c.next = stop
			return nil
		}
		c.in.room(&c.engine.pages, c.options().Limits.Head)
		n, err := c.nc.Read(c.in.buf[c.in.w:])
		if n == 0 && err != nil {
			return err
		}
		if c.next = c.took(n, false); c.next != wait {
			return nil
		}
	}
}

// readable is called when there may be bytes. It serves from within, and answers false to be called again once there
// are more: so a request costs one read, without the one that only learns that nothing is there. Memory is
// taken when it is called, so that a connection at rest has none.
func (c *conn) readable(fd uintptr) (done bool) {
	c.enter(fd)
	defer c.exit()
	for {
		c.in.room(&c.engine.pages, c.options().Limits.Head)
		n, again := c.readNow(fd, c.in.buf[c.in.w:])
		if again {
			if c.served {
				c.looks++
			}
			c.next = stop
			return !c.park(true)
		}
		if n == 0 {
			c.next = stop
			return true
		}
		full := c.in.w+n == len(c.in.buf)
		if c.next = c.took(n, true); c.next != wait {
			return true
		}
		// Only a read that filled its room may have left bytes, whose arrival has been told already and is not again.
		if c.looks >= enoughLooks && !full && c.in.empty() && (c.wire == nil || c.wire.clear) {
			c.next = stop
			return !c.park(false)
		}
	}
}

// enter makes reads and writes direct ones, by fd and without waiting; exit ends that.
func (c *conn) enter(fd uintptr) {
	out := c.direct()
	out.held, out.fd = true, fd
}

func (c *conn) exit() {
	c.direct().held = false
}

// direct is what writes to the socket itself.
func (c *conn) direct() *sender {
	if c.wire != nil {
		return &c.wire.out
	}
	return &c.out
}

// readNow reads what is there; again says that there is nothing yet. The end and errors are 0 bytes; over TLS they may follow bytes, and
// show at the next read.
func (c *conn) readNow(fd uintptr, p []byte) (n int, again bool) {
	if c.wire != nil {
		return c.wire.readNow(c.nc, p)
	}
	n, again, err := readNow(fd, p)
	if err != nil {
		return 0, false
	}
	return n, again
}

// took takes in n bytes that were read.
func (c *conn) took(n int, inside bool) step {
	if c.in.empty() {
		c.started = time.Now()
	}
	c.in.w += n
	if c.state.Load() != active && !c.state.CompareAndSwap(idle, active) {
		return stop // draining has begun: to a client it looks as if its request had crossed the close
	}
	return c.advance(inside)
}

// advance serves the requests whose heads are in hand. Inside the reading callback it leaves those that will read.
func (c *conn) advance(inside bool) step {
	for {
		x := c.begin()
		switch {
		case c.isHTTP2:
			return stop
		case x == nil:
			return wait
		}
		if inside && (c.body != nil || x.Req.Upgrade != "") {
			c.pending = x
			return leave
		}
		if !c.exchange(x) {
			return stop
		}
	}
}

// park gets ready to wait for bytes; it reports false when the connection is to close instead. looked says that
// the last read found nothing at all.
func (c *conn) park(looked bool) bool {
	o := c.options()
	if !c.in.empty() {
		if until := c.started.Add(o.HeadTimeout); !until.Equal(c.readUntil) {
			c.setRead(until)
		}
		return true
	}
	c.in.release(&c.engine.pages)
	if !looked {
		// A FIN that came with the bytes just read is not told again: have a look before long.
		if left, d := c.readUntil.Sub(c.lastUse), min(lookAgain, o.IdleTimeout); left < d/2 || left > d {
			c.setRead(c.lastUse.Add(d))
		}
	} else if until := c.lastUse.Add(o.IdleTimeout); !until.Equal(c.readUntil) {
		c.setRead(until)
	}
	c.state.Store(idle)
	return !c.isLeaving()
}

// goOn decides what a passed read deadline means; it reports whether there is still time to wait.
func (c *conn) goOn() bool {
	o := c.options()
	now := time.Now()
	switch {
	case c.state.Load() == retired:
		return false
	case c.in.empty():
		until := c.lastUse.Add(o.IdleTimeout)
		if !now.Before(until) {
			return false
		}
		c.setRead(until)
		return true
	}
	until := c.started.Add(o.HeadTimeout)
	if now.Before(until) {
		c.setRead(until)
		return true
	}
	c.refuse(fault.New(fault.RequestTimeout, fault.Client, "the request's head took too long"))
	return false
}

func (c *conn) options() *Options { return c.listener.options.Load() }

// asFault says what a failed read of content means.
func asFault(err error) *fault.Fault {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &fault.Fault{Kind: fault.RequestTimeout, Side: fault.Client, Reason: "the request's content took too long", Err: err}
	case errors.Is(err, io.EOF):
		return fault.Wrap(fault.ClientGone, fault.Client, io.ErrUnexpectedEOF)
	}
	return fault.Wrap(fault.ClientGone, fault.Client, err)
}
