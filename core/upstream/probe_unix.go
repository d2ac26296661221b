//go:build unix

package upstream

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/sallyport/sallyport/core/nonblock"
)

// probe lies under a TLS connection, so that one can look whether there is something to read without waiting for it: what has come
// may be in the socket or in the TLS client's own buffer.
type probe struct {
	net.Conn
	raw     syscall.RawConn // nil where one cannot look
	looking bool            // Read does not wait; of the goroutine that reads
	ended   atomic.Bool     // the socket has come to its end
	step    func(fd uintptr) bool
	p       []byte
	n       int
	err     error
}

func newProbe(c net.Conn) *probe {
	p := &probe{Conn: c}
	p.step = p.look
	if holder, ok := c.(syscall.Conn); ok {
		if raw, err := holder.SyscallConn(); err == nil {
			p.raw = raw
		}
	}
	return p
}

func (p *probe) Read(b []byte) (int, error) {
	switch {
	case !p.looking:
		n, err := p.Conn.Read(b)
		if err == io.EOF {
			p.ended.Store(true)
		}
		return n, err
	case p.raw == nil:
		return 0, errNothing
	}
	p.p = b
	err := p.raw.Read(p.step)
	p.p = nil
	if err != nil {
		return 0, err
	}
	return p.n, p.err
}

func (p *probe) look(fd uintptr) (done bool) {
	p.n, p.err = nonblock.Read(fd, p.p)
	switch {
	case p.err == syscall.EAGAIN:
		p.err = errNothing
	case p.err != nil:
		p.err = os.NewSyscallError("read", p.err)
	case p.n == 0:
		p.err = io.EOF
	}
	return true
}
