package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/config"
)

// Access is who may use the admin API. It is immutable.
type Access struct {
	open  bool // whoever reaches the listener may use it
	token [sha256.Size]byte
	given bool // there is a token
	hosts []string
	unix  bool
	tls   *tls.Config // nil: plain
}

// NewAccess reads the files of the config's admin table, which must be there. Its error is a config.Errors.
func NewAccess(cfg *config.Config) (*Access, error) {
	c := cfg.Admin
	a := &Access{open: c.Open(), given: c.Token.Reveal() != "", token: sha256.Sum256([]byte(c.Token.Reveal()))}
	a.hosts = slices.Clone(c.Hosts)
	a.unix = strings.HasPrefix(c.Listen, unixPrefix)
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && !a.unix {
		a.hosts = append(a.hosts, host)
	}
	if c.TLS == nil {
		return a, nil
	}
	var wrong config.Errors
	fail := func(key string, err error) {
		wrong = append(wrong, cfg.Errorf("admin.tls."+key, "cannot be used: %v", err))
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
	if err != nil {
		fail("cert", err)
	}
	a.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	if c.TLS.ClientCA != "" {
		a.tls.ClientAuth, a.tls.ClientCAs = tls.VerifyClientCertIfGiven, x509.NewCertPool() // probes have none
		switch text, err := os.ReadFile(c.TLS.ClientCA); {
		case err != nil:
			fail("client_ca", err)
		case !a.tls.ClientCAs.AppendCertsFromPEM(text):
			wrong = append(wrong, cfg.Errorf("admin.tls.client_ca", "%s holds no certificate in PEM", c.TLS.ClientCA))
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return a, nil
}

// permits returns by what a request may use the API, "" if it may not.
func (a *Access) permits(r *http.Request) (by string) {
	if leaf := a.vouched(r.TLS); leaf != nil {
		return "certificate " + leaf.Subject.String()
	}
	if a.given && a.isToken(r.Header.Values("Authorization")) {
		return "token"
	}
	if a.open {
		return "address"
	}
	return ""
}

// vouched returns the certificate that a client has shown, nil if there is none that is a permission. A connection may be older than a, and
// the certificate's time be over by now: it is looked at once more.
func (a *Access) vouched(c *tls.ConnectionState) *x509.Certificate {
	if c == nil || len(c.VerifiedChains) == 0 || a.tls == nil || a.tls.ClientCAs == nil {
		return nil
	}
	options := x509.VerifyOptions{Roots: a.tls.ClientCAs, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, between := range c.PeerCertificates[1:] {
		options.Intermediates.AddCert(between)
	}
	if _, err := c.PeerCertificates[0].Verify(options); err != nil {
		return nil
	}
	return c.PeerCertificates[0]
}

// isToken compares in constant time: the sums are equally long, and tell nothing of what they are of.
func (a *Access) isToken(fields []string) bool {
	if len(fields) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(fields[0], " ")
	sum := sha256.Sum256([]byte(strings.TrimLeft(token, " ")))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1
}

// knows reports whether the API is asked for under a name that is its own. A page of another site can have its name lead here, but cannot
// change what browsers then send as Host.
func (a *Access) knows(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || slices.Contains(a.hosts, host) && host != "" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return ip.IsLoopback() || slices.Contains(a.hosts, ip.String()) || ip == localIP(r)
}

// localIP is the address that the client has connected to.
func localIP(r *http.Request) netip.Addr {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if local == nil {
		return netip.Addr{}
	}
	return local.AddrPort().Addr().Unmap()
}
