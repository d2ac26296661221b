package upstream

import "time"

// courier carries a connection's call: the request out, the response's first bytes in.
type courier interface {
	// run goes on from the call's state until bytes have been read into c.buf or, for a call that pauses, the write has
	// ended. A passed read deadline is an error after which it may be called again.
	run(c *conn) error
}

// callState is how far a call has come.
type callState uint8

const (
	checking callState = iota // whether a kept connection is still good
	writing
	reading
)

// call is what the courier needs to know of one exchange.
type call struct {
	state  callState
	began  time.Time // shortly before the first write
	out    []byte    // the request's head and as much of its content as is at hand
	pauses bool      // run returns between write and read
	wrote  int       // bytes of out
	sent   time.Time // when out had been written
}

// plainCourier works on any net.Conn. Before it writes it asks a connection that can tell (one over TLS) whether it is still good; on
// any other, what a dead connection breaks is replayed if that is safe.
type plainCourier struct{}

func (plainCourier) run(c *conn) error {
	if c.call.state == checking {
		if teller, ok := c.Conn.(interface{ isQuiet() bool }); ok && !teller.isQuiet() {
			return errStale
		}
	}
	if c.call.state != reading {
		wrote, err := c.write()
		c.call.wrote = wrote
		if err != nil {
			return err
		}
		c.call.state, c.call.sent = reading, time.Now()
		if c.call.pauses {
			return nil
		}
	}
	c.needBuffer()
	n, err := c.Conn.Read(c.buf.b[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	return err
}

// write writes the call's bytes by the time that the response would have to be there, or as fast as content has to move.
func (c *conn) write() (int, error) {
	now := time.Now()
	until := c.limit(now)
	if until.IsZero() {
		until = now.Add(c.patience())
	}
	if err := c.SetWriteDeadline(until); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(c.call.out)
	if isTimeout(err) {
		err = errLate
	}
	return n, err
}
