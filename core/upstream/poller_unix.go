//go:build unix

package upstream

import (
	"io"
	"os"
	"syscall"

	"github.com/sallyport/sallyport/core/nonblock"
)

// pollCourier makes the whole call in one stay in the runtime's poller: read to see that nothing has come, write, wait,
// read. A plain Write and Read would make as many system calls, since Read first tries in vain; so the check whether a
// kept connection is dead, or holds an answer that nobody asked for (which the next client would get), costs nothing.
//
// It is sound because RawConn.Read clears the poller's state before it calls step: no byte that comes after the write is missed.
type pollCourier struct {
	raw  syscall.RawConn
	step func(fd uintptr) bool // made once: a closure for each call would be on the heap
	one  [1]byte
	err  error
}

func newCourier(c *conn) courier {
	holder, ok := c.Conn.(syscall.Conn)
	if !ok {
		return plainCourier{}
	}
	raw, err := holder.SyscallConn()
	if err != nil {
		return plainCourier{}
	}
	p := &pollCourier{raw: raw}
	p.step = func(fd uintptr) bool { return p.advance(c, fd) }
	return p
}

func (p *pollCourier) run(*conn) error {
	p.err = nil
	if err := p.raw.Read(p.step); err != nil {
		return err
	}
	return p.err
}

// advance does what can be done without waiting; it reports whether that is all that run was for.
func (p *pollCourier) advance(c *conn, fd uintptr) (done bool) {
	if c.call.state == checking {
		if !p.isQuiet(fd) {
			p.err = errStale
			return true
		}
		c.call.state = writing
	}
	if c.call.state == writing {
		return p.write(&c.call, fd)
	}
	return p.read(c, fd)
}

// isQuiet reports whether there is nothing to read, not even an end. The byte it may take is of no loss: the connection is
// given up then.
func (p *pollCourier) isQuiet(fd uintptr) bool {
	_, err := nonblock.Read(fd, p.one[:])
	return err == syscall.EAGAIN
}

// write writes once. What the socket does not take is left to the caller.
func (p *pollCourier) write(call *call, fd uintptr) (done bool) {
	n, err := nonblock.Write(fd, call.out)
	if err != nil && err != syscall.EAGAIN {
		p.err = os.NewSyscallError("write", err)
		return true
	}
	call.wrote = n
	call.state, call.sent = reading, call.began // it has not waited since
	return call.pauses || call.wrote < len(call.out)
}

func (p *pollCourier) read(c *conn, fd uintptr) (done bool) {
	c.needBuffer()
	n, err := nonblock.Read(fd, c.buf.b[c.end:])
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != nil:
		p.err = os.NewSyscallError("read", err)
	case n == 0:
		p.err = io.EOF
	default:
		c.end += n
	}
	return true
}
