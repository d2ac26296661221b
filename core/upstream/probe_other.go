//go:build !unix

package upstream

import (
	"io"
	"net"
	"sync/atomic"
)

// probe lies under a TLS connection; here one cannot look into the socket, only into the TLS client's buffer.
type probe struct {
	net.Conn
	looking bool        // Read does not wait; of the goroutine that reads
	ended   atomic.Bool // the socket has come to its end
}

func newProbe(c net.Conn) *probe { return &probe{Conn: c} }

func (p *probe) Read(b []byte) (int, error) {
	if p.looking {
		return 0, errNothing
	}
	n, err := p.Conn.Read(b)
	if err == io.EOF {
		p.ended.Store(true)
	}
	return n, err
}
