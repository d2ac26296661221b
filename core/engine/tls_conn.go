package engine

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// secured is what every request of a TLS connection has from its handshake.
type secured struct {
	state      tls.ConnectionState
	served     *tls.Certificate       // the gateway's own
	lastHost   atomic.Pointer[string] // that the connection serves: mostly the next request's, too; requests over HTTP/2 run side by side
	clientCert string                 // values of the fields of RFC 9440; "" without a verified client
	chain      string
	subject    string // of the verified client
}

func newSecured(state tls.ConnectionState, served *tls.Certificate) *secured {
	s := &secured{state: state, served: served}
	if len(state.VerifiedChains) == 0 {
		return s
	}
	certs := state.VerifiedChains[0]
	s.clientCert = byteSequence(certs[0].Raw)
	s.subject = certs[0].Subject.String()
	for _, between := range certs[1:max(len(certs)-1, 1)] { // the upstream knows the root, or has no use for the chain
		s.chain += strings.Repeat(", ", min(len(s.chain), 1)) + byteSequence(between.Raw)
	}
	return s
}

// securedOf returns what the requests of a connection have whose handshake is over.
func securedOf(over *tls.Conn) *secured {
	if w, ok := over.NetConn().(*wire); ok && w.c.secured != nil {
		return w.c.secured
	}
	return newSecured(over.ConnectionState(), nil)
}

// byteSequence returns b as RFC 8941, section 3.3.5, writes it.
func byteSequence(b []byte) string {
	return ":" + base64.StdEncoding.EncodeToString(b) + ":"
}

// apply gives x what the connection knows, and refuses it when the connection was made for another host.
func (s *secured) apply(x *exchange.Exchange) {
	x.TLS, x.ClientSubject = &s.state, s.subject
	if s.clientCert != "" {
		x.Req.Fields.Add("Client-Cert", s.clientCert)
		if s.chain != "" {
			x.Req.Fields.Add("Client-Cert-Chain", s.chain)
		}
	}
	if last := s.lastHost.Load(); (last == nil || *last != x.Req.Host) && !s.serves(x.Req.Host) && x.Fault == nil {
		x.Fault = fault.New(fault.Misdirected, fault.Client, "this connection's certificate does not serve the host")
	}
}

// serves reports whether a request for host may come on the connection (RFC 9110, section 7.4): to the name that the client asked for, or
// one that the certificate has. A client that named none may ask for anything.
func (s *secured) serves(host string) bool {
	name := withoutPort(host)
	if s.state.ServerName == "" || name == "" {
		return true
	}
	if foldName(name) != foldName(s.state.ServerName) && (s.served == nil || s.served.Leaf.VerifyHostname(name) != nil) {
		return false
	}
	kept := strings.Clone(host) // as it stands it would keep the whole head in memory
	s.lastHost.Store(&kept)
	return true
}

func withoutPort(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		return host[:colon]
	}
	return host
}

// secure makes the connection one over TLS; the handshake is still to come.
func (c *conn) secure(t *TLS, http2 bool) {
	config := t.http1
	if http2 {
		config = t.http2
	}
	c.tls = t
	c.wire = &wire{Conn: c.sock, c: c, out: sender{nc: c.sock}}
	over := tls.Server(c.wire, config)
	c.nc = over
	c.out = sender{nc: over, paced: true}
}

// tlsOf returns what secures a connection; nil: nothing does.
func tlsOf(nc net.Conn) *TLS {
	if over, ok := nc.(*tls.Conn); ok {
		if w, ok := over.NetConn().(*wire); ok {
			return w.c.tls
		}
	}
	return nil
}

const plainOnTLS = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 34\r\nConnection: close\r\n\r\nclient sent HTTP to an HTTPS port\n"

// handshake reports whether the connection is secured now. Until then it counts as idle: a client that is turned away there tries again.
func (c *conn) handshake() bool {
	over := c.nc.(*tls.Conn)
	_ = c.sock.SetDeadline(time.Now().Add(c.options().HeadTimeout)) // fails on closed connections only, which the handshake tells
	c.state.Store(idle)
	if c.isLeaving() {
		return false
	}
	if err := over.Handshake(); err != nil {
		c.handshakeFailed(err)
		return false
	}
	c.listener.counters.secured.Add(1)
	_ = c.sock.SetWriteDeadline(time.Time{})
	state := over.ConnectionState()
	served := c.wire.chosen
	if served == nil { // a resumed session
		served = c.tls.certificate(state.ServerName)
	}
	c.secured = newSecured(state, served)
	c.lastUse = time.Now()
	return true
}

func (c *conn) handshakeFailed(err error) {
	c.listener.counters.unsecured.Add(1)
	c.engine.log.Debug("TLS handshake failed", "listener", c.listener.Addr().String(), "peer", c.peer.String(), "error", err)
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) && isHTTP(plain.RecordHeader) {
		_, _ = c.sock.Write([]byte(plainOnTLS)) // whether it arrives or not, the connection ends
	}
	c.lingers = !errors.Is(err, os.ErrDeadlineExceeded) // else the client may still be sending, and would not see the alert
}

// isHTTP reports whether these are the first bytes of a request in plain HTTP/1.
func isHTTP(b [5]byte) bool {
	switch string(b[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH", "CONNE", "TRACE":
		return true
	}
	return false
}

// runHTTP2 has the connection served if its client has chosen HTTP/2; it reports whether that was so.
func (c *conn) runHTTP2() bool {
	if c.secured.state.NegotiatedProtocol != "h2" {
		return false
	}
	if !c.state.CompareAndSwap(idle, active) {
		return true // draining has begun
	}
	_ = c.sock.SetReadDeadline(time.Time{})
	c.listener.serveHTTP2(c.nc, nil)
	return true
}
