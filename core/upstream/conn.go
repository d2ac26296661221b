package upstream

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
)

// While an upstream is silent the waiting goroutine wakes up after each slice to ask whether the client is still there.
const (
	firstSlice = 100 * time.Millisecond
	lastSlice  = time.Second
	// minSlice is what must be left of a read deadline for it to serve another request: setting one costs more than
	// the few idle wake-ups.
	minSlice = 20 * time.Millisecond
)

var (
	errSlow  = errors.New("the content made no progress")
	errLate  = errors.New("no answer in time")
	errGone  = errors.New("the client has gone while the upstream was waited for")
	errStale = errors.New("a kept connection was closed, or held bytes that nobody had asked for")
)

// conn is one HTTP/1.1 connection to an endpoint, with all that an exchange on it needs, so that a request on a kept
// connection allocates nothing. It is used by one exchange at a time.
type conn struct {
	net.Conn
	home     *http1Transport
	endpoint *Endpoint
	courier  courier

	deadline  time.Time // for reads, as last set
	idleSince time.Time
	reused    bool // it has carried a request before

	x      *exchange.Exchange // nil between exchanges
	send   Send
	call   call
	buf    *buffer // the request while it is written, then what is read of the response
	start  int     // of what is not yet parsed in buf
	end    int     // of what has been read into buf
	copier *copier // of a request body that did not go out with the head
	asking *copier // the same, while the upstream is asked whether it wants the content
	answer answer
}

func newConn(raw net.Conn, home *http1Transport, e *Endpoint) *conn {
	c := &conn{Conn: raw, home: home, endpoint: e}
	c.answer.c = c
	c.courier = newCourier(c)
	return c
}

// begin gives the connection to an exchange.
func (c *conn) begin(x *exchange.Exchange, send Send, now time.Time) {
	c.x, c.send = x, send
	c.call = call{began: now}
	c.buf = c.home.buffers.get()
	c.start, c.end = 0, 0
	c.copier, c.asking = nil, nil
	c.answer.reset()
}

// leave takes it from the exchange; what was read into its buffer is not valid afterwards.
func (c *conn) leave() {
	c.x, c.send, c.copier, c.asking = nil, Send{}, nil, nil
	c.call = call{}
	c.dropBuffer()
}

func (c *conn) dropBuffer() {
	if c.buf != nil {
		c.home.buffers.put(c.buf)
		c.buf = nil
	}
}

// cut closes the connection at once; whatever was under way is not to be taken for complete.
func (c *conn) cut() {
	if abrupt, ok := c.Conn.(interface{ cut() error }); ok {
		_ = abrupt.cut() // it is not used again, whatever this says
		return
	}
	_ = c.Close()
}

// needBuffer makes room behind what has been read.
func (c *conn) needBuffer() {
	switch {
	case c.buf == nil:
		c.buf = c.home.buffers.get()
	case c.end == len(c.buf.b):
		c.buf.grow(c.end)
	}
}

// run takes the call on until bytes have been read, or the write needs help. It returns errLate, errGone or what
// went wrong with the connection.
func (c *conn) run() error {
	now := c.call.began
	if c.call.state == reading {
		now = c.x.Times.Now()
	}
	for slice := firstSlice; ; slice = min(2*slice, lastSlice) {
		if err := c.arm(now, slice); err != nil {
			return err
		}
		err := c.courier.run(c)
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if now = time.Now(); c.isLate(now) {
			return errLate
		}
		if c.isClientGone() {
			return errGone
		}
		if c.end == 0 && c.call.state == reading {
			c.dropBuffer() // a long wait: others have more use for it
		}
	}
}

// arm sets the read deadline to the slice's end, unless the one that an earlier request left is as good.
func (c *conn) arm(now time.Time, slice time.Duration) error {
	until := now.Add(slice)
	if limit := c.limit(now); !limit.IsZero() && limit.Before(until) {
		until = limit
	}
	if c.deadline.Sub(now) >= minSlice && !c.deadline.After(until) {
		return nil
	}
	c.deadline = until
	return c.SetReadDeadline(until)
}

// limit is when the response's head must be there; zero: no bound. The response's time begins when the request has been sent.
func (c *conn) limit(now time.Time) time.Time {
	limit := c.send.until()
	if c.asking != nil && !c.call.sent.IsZero() {
		return earlier(limit, c.call.sent.Add(askTime))
	}
	timeout := c.home.responseTimeout
	if timeout <= 0 {
		return limit
	}
	sent := now
	switch {
	case c.copier != nil && c.copier.isRunning():
	case c.copier != nil:
		sent = c.copier.ended
	case !c.call.sent.IsZero():
		sent = c.call.sent
	}
	return earlier(limit, sent.Add(timeout))
}

// earlier returns the earlier of two moments; the first may be zero for none.
func earlier(limit, other time.Time) time.Time {
	if limit.IsZero() || other.Before(limit) {
		return other
	}
	return limit
}

func (c *conn) isLate(now time.Time) bool {
	limit := c.limit(now)
	return !limit.IsZero() && !now.Before(limit)
}

// isClientGone asks the engine, but not while the copier reads from the same client: it notices by itself.
func (c *conn) isClientGone() bool {
	if c.x.Client == nil || c.copier != nil && c.copier.isRunning() {
		return false
	}
	return c.x.Client.Gone()
}

// bodyTimeout is how long content may make no progress when nobody says otherwise.
const bodyTimeout = 30 * time.Second

func (c *conn) patience() time.Duration { return patience(c.x) }

// patience is how long an exchange's content may bring nothing: what its route says, else what holds for any body.
func patience(x *exchange.Exchange) time.Duration {
	if x.Idle > 0 {
		return x.Idle
	}
	return bodyPatience(x)
}

func (c *conn) bodyTimeout() time.Duration { return bodyPatience(c.x) }

// bodyPatience is how long a body may make no progress: what the client's engine allows.
func bodyPatience(x *exchange.Exchange) time.Duration {
	if bound, ok := x.Client.(interface{ BodyTimeout() time.Duration }); ok {
		return bound.BodyTimeout()
	}
	return bodyTimeout
}

// read reads content of a response, however long all of it takes: only the client's going ends it, or that there is no
// progress.
func (c *conn) read(p []byte) (int, error) {
	var s lull
	for {
		n, err := c.Conn.Read(p)
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if err := c.endure(&s); err != nil {
			return 0, err
		}
	}
}

// lull is a wait for content. The clock is first looked at when the deadline that is set has passed, since most reads
// do not come to that.
type lull struct {
	slice time.Duration
	limit time.Time
}

// endure allows for another slice of silence, unless the client has gone or it has lasted too long.
func (c *conn) endure(s *lull) error {
	if c.isClientGone() {
		return errGone
	}
	now := time.Now()
	if c.send.Whole && isPast(c.send.Deadline) {
		return errLate
	}
	if s.limit.IsZero() || c.copier != nil && c.copier.isRunning() { // a request on its way is progress, bounded by itself
		s.limit = now.Add(c.patience())
	}
	left := s.limit.Sub(now)
	if left <= 0 {
		return errSlow
	}
	if c.send.Whole {
		left = min(left, c.send.Deadline.Sub(now))
	}
	s.slice = min(max(2*s.slice, firstSlice), lastSlice)
	c.deadline = now.Add(min(s.slice, left))
	return c.SetReadDeadline(c.deadline)
}
