package upstream

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

// dialer connects to endpoints.
type dialer struct {
	timeout time.Duration // for all of it; 0: no bound
}

// handshakeError is a failure to agree on TLS.
type handshakeError struct{ why error }

func (e handshakeError) Error() string { return "TLS: " + e.why.Error() }
func (e handshakeError) Unwrap() error { return e.why }

// limit returns when connecting has to be done with; zero: no bound.
func (d dialer) limit(deadline time.Time) time.Time {
	if d.timeout <= 0 {
		return deadline
	}
	if until := time.Now().Add(d.timeout); deadline.IsZero() || until.Before(deadline) {
		return until
	}
	return deadline
}

// dial connects, and speaks TLS where the endpoint has it; the connection has no deadline.
func (d dialer) dial(e *Endpoint, until time.Time) (net.Conn, error) {
	plain := net.Dialer{Deadline: until}
	raw, err := plain.Dial(e.network, e.target)
	if err != nil || e.tls == nil {
		return raw, err
	}
	c, err := secure(raw, e.tls, until)
	if err != nil {
		_ = raw.Close() // it is of no use, whatever this says
		return nil, handshakeError{err}
	}
	return c, nil
}

func secure(raw net.Conn, config *tls.Config, until time.Time) (*secureConn, error) {
	p := newProbe(raw)
	c := &secureConn{Conn: tls.Client(p, config), raw: raw, probe: p}
	if err := raw.SetDeadline(until); err != nil {
		return nil, err
	}
	if err := c.Handshake(); err != nil {
		return nil, err
	}
	return c, raw.SetDeadline(time.Time{})
}

// secureConn is a connection over TLS.
type secureConn struct {
	*tls.Conn
	raw   net.Conn
	probe *probe
	one   [1]byte
}

// Read reads as usual, but an end is one only after the server's farewell. crypto/tls would take any end between two records for one,
// and content that ends with the connection could be cut short by anyone on the way.
func (c *secureConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == io.EOF && c.probe.ended.Load() {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// isQuiet reports whether there is nothing to read, not even an end. Session tickets and the like are taken in on the way. The byte
// it may take is of no loss: the connection is given up then.
func (c *secureConn) isQuiet() bool {
	c.probe.looking = true
	n, err := c.Read(c.one[:])
	c.probe.looking = false
	return n == 0 && errors.Is(err, errNothing)
}

// cut closes the connection without a word, which could be waited for, and which would tell the server that all is well.
func (c *secureConn) cut() error { return c.raw.Close() }

// unconnected is a failure ahead of anything that is sent.
type unconnected struct{ why error }

func (e unconnected) Error() string { return e.why.Error() }
func (e unconnected) Unwrap() error { return e.why }

// cannotConnect makes a fault of a failure to connect. Nothing has been sent, so another endpoint may be tried.
func cannotConnect(err error) *fault.Fault {
	f := &fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Retry: true, Code: fault.ConnectFailed, Reason: "upstream cannot be reached", Err: unconnected{err}}
	switch {
	case isTimeout(err):
		f.Kind = fault.GatewayTimeout
	case errors.As(err, new(handshakeError)):
		f.Reason = "no secure connection to upstream"
	}
	return f
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// errNothing is what a probe reads where there is nothing: for crypto/tls a failure that passes.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing to read" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }
