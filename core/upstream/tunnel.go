package upstream

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// tunnel is a connection after a change of protocol; the endpoint counts it in flight until it is closed.
type tunnel struct {
	net.Conn
	endpoint *Endpoint
	closed   atomic.Bool
}

func newTunnel(raw net.Conn, e *Endpoint) (*tunnel, error) {
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return &tunnel{Conn: raw, endpoint: e}, nil
}

// Close closes the connection; it may be called more than once.
func (t *tunnel) Close() error {
	if t.closed.Swap(true) {
		return nil
	}
	t.endpoint.Done()
	return t.Conn.Close()
}

// CloseWrite tells the upstream that nothing more will be written; it can still be read.
func (t *tunnel) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return t.Close()
}

// SyscallConn lets the engine wait for bytes without holding memory. Where the connection is no plain socket it fails.
func (t *tunnel) SyscallConn() (syscall.RawConn, error) {
	if plain, ok := t.Conn.(syscall.Conn); ok {
		return plain.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
