package engine

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
)

// TLSOptions are how a listener's connections are secured.
type TLSOptions struct {
	// Certificates are chosen by the name that a client asks for; the first is for names that none has. There must be one at least, each
	// with its Leaf.
	Certificates []*tls.Certificate
	// StrictSNI refuses handshakes for a name that no certificate has, and those without a name.
	StrictSNI  bool
	MinVersion uint16 // tls.VersionTLS12 or tls.VersionTLS13
	ClientAuth tls.ClientAuthType
	ClientCAs  *x509.CertPool // that vouch for clients
}

// TLS secures connections. It is immutable and may be used by many goroutines. Sessions are resumed with the very TLS only that began
// them: whoever makes another one for other certificates or other demands on clients can be sure that nobody gets by on a session
// from before.
type TLS struct {
	names  map[string][]*tls.Certificate // by exact name in lower case, or "*." and the rest
	first  *tls.Certificate
	strict bool

	http1, http2 *tls.Config // by whether HTTP/2 is offered
}

// NewTLS returns a TLS with session keys of its own, which crypto/tls replaces daily.
func NewTLS(o TLSOptions) *TLS {
	t := &TLS{names: map[string][]*tls.Certificate{}, first: o.Certificates[0], strict: o.StrictSNI}
	for _, cert := range o.Certificates {
		for _, name := range cert.Leaf.DNSNames {
			name = foldName(name)
			t.names[name] = append(t.names[name], cert)
		}
	}
	// Other clients of HTTP/1 than browsers name themselves http/1.0 (curl --http1.0).
	t.http1 = t.config(o, "http/1.1", "http/1.0")
	t.http2 = t.config(o, "h2", "http/1.1", "http/1.0")
	return t
}

func (t *TLS) config(o TLSOptions, protocols ...string) *tls.Config {
	c := &tls.Config{
		GetCertificate: t.choose,
		MinVersion:     o.MinVersion,
		ClientAuth:     o.ClientAuth,
		ClientCAs:      o.ClientCAs,
		NextProtos:     protocols,
		// A record for each packet at first lets browsers show a page a little sooner, at a system call for each.
		DynamicRecordSizingDisabled: true,
	}
	if !o.StrictSNI {
		return c
	}
	// A resumed session needs no certificate, so GetCertificate would not be asked whether there is one.
	refusing := c.Clone()
	refusing.SessionTicketsDisabled = true
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if t.find(hello.ServerName) == nil {
			return refusing, nil
		}
		return nil, nil
	}
	return c
}

// demandsMoreThan reports whether a client that other has let in might not be let in by t. nil demands nothing.
func (t *TLS) demandsMoreThan(other *TLS) bool {
	switch {
	case t == nil || t == other:
		return false
	case other == nil:
		return true
	}
	now, then := t.http1, other.http1
	if now.ClientAuth == tls.RequireAndVerifyClientCert && then.ClientAuth != now.ClientAuth {
		return true
	}
	return now.ClientAuth >= tls.VerifyClientCertIfGiven && then.ClientAuth >= tls.VerifyClientCertIfGiven &&
		!now.ClientCAs.Equal(then.ClientCAs)
}

// choose is tls.Config.GetCertificate; that it returns none makes crypto/tls answer unrecognized_name.
func (t *TLS) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert := t.pick(hello)
	if w, ok := hello.Conn.(*wire); ok {
		w.chosen = cert
	}
	return cert, nil
}

// pick prefers, among several certificates for a name, the first that the client can make use of: an operator may have one with an ECDSA
// and one with an RSA key.
func (t *TLS) pick(hello *tls.ClientHelloInfo) *tls.Certificate {
	found := t.find(hello.ServerName)
	if len(found) > 1 {
		for _, cert := range found {
			if hello.SupportsCertificate(cert) == nil {
				return cert
			}
		}
	}
	return t.orFirst(found)
}

// certificate returns the certificate that stands for a connection whose client asked for name.
func (t *TLS) certificate(name string) *tls.Certificate { return t.orFirst(t.find(name)) }

func (t *TLS) orFirst(found []*tls.Certificate) *tls.Certificate {
	switch {
	case len(found) > 0:
		return found[0]
	case t.strict:
		return nil
	}
	return t.first
}

// find returns the certificates that have name: as it is, else under a wildcard for its first label.
func (t *TLS) find(name string) []*tls.Certificate {
	name = foldName(name)
	label, rest, ok := strings.Cut(name, ".")
	if found := t.names[name]; found != nil && label != "*" {
		return found
	}
	if ok && label != "*" {
		return t.names["*."+rest]
	}
	return nil
}

func foldName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
