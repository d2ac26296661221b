package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/engine"
)

// maxPEM is the most bytes that a file of certificates or a key may have: the whole of the Web's authorities is less than a tenth of it.
const maxPEM = 4 << 20

// buildTLS loads what the listeners' connections are secured with. Files are read every time; what is in them is parsed only when it
// has changed.
func (b *builder) buildTLS() {
	b.s.tls = map[string]*engine.TLS{}
	for i, l := range b.cfg.Server.Listen {
		if l.TLS == nil {
			continue
		}
		before := len(b.wrong)
		p := b.readTLS(fmt.Sprintf("server.listen[%d].tls", i), l.TLS)
		if len(b.wrong) > before {
			continue
		}
		// The address is part of the key: a session of one listener must not get past the demands of another.
		key := shelfKey("tls", l.Address, []any{p.hashes, l.TLS.StrictSNI, l.TLS.MinVersion, l.TLS.ClientAuth})
		made, release, _ := b.g.tls.take(key, func() (*engine.TLS, error) { return engine.NewTLS(p.options), nil }, func(*engine.TLS) {})
		b.s.releases = append(b.s.releases, release)
		b.s.tls[l.Address] = made
	}
}

// tlsParts is what a listener's files hold.
type tlsParts struct {
	options engine.TLSOptions
	hashes  []string
}

// readTLS loads the files of the table at key.
func (b *builder) readTLS(key string, c *config.TLS) (p tlsParts) {
	p.options = engine.TLSOptions{StrictSNI: c.StrictSNI, MinVersion: minVersion(c.MinVersion), ClientAuth: clientAuth(c.ClientAuth)}
	for i, pair := range c.Certificates {
		if cert, hash := b.readPair(fmt.Sprintf("%s.certificates[%d]", key, i), pair); cert != nil {
			p.options.Certificates = append(p.options.Certificates, cert)
			p.hashes = append(p.hashes, hash)
		}
	}
	if c.ClientCA != "" {
		p.options.ClientCAs = x509.NewCertPool()
		pem := b.readPEM(key+".client_ca", c.ClientCA)
		if pem != nil && !p.options.ClientCAs.AppendCertsFromPEM(pem) {
			b.fault(key+".client_ca", "%s holds no certificate in PEM form", c.ClientCA)
		}
		p.hashes = append(p.hashes, hashOf(pem))
	}
	return p
}

func minVersion(v string) uint16 {
	if v == "1.3" {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

func clientAuth(mode string) tls.ClientAuthType {
	switch mode {
	case "request":
		return tls.RequestClientCert
	case "require":
		return tls.RequireAndVerifyClientCert
	case "verify_if_given":
		return tls.VerifyClientCertIfGiven
	}
	return tls.NoClientCert
}

// readPair returns a certificate and the hash of its files; nil if there is something wrong with them, and then that is noted.
func (b *builder) readPair(key string, c config.Certificate) (*tls.Certificate, string) {
	certPEM, keyPEM := b.readPEM(key+".cert", c.Cert), b.readPEM(key+".key", c.Key)
	if certPEM == nil || keyPEM == nil {
		return nil, ""
	}
	hash := hashOf(certPEM, keyPEM)
	cert, release, err := b.g.pairs.take(hash, func() (*tls.Certificate, error) {
		return b.parsePair(key, certPEM, keyPEM)
	}, func(*tls.Certificate) {})
	if err != nil {
		b.fault(key, "%v", err)
		return nil, ""
	}
	b.s.releases = append(b.s.releases, release)
	return cert, hash
}

// parsePair makes a certificate of its files. That it is out of date is only logged: a gateway that did not start for it would serve
// the other names neither.
func (b *builder) parsePair(key string, certPEM, keyPEM []byte) (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("no certificate with its key: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	place := b.cfg.Errorf(key, "")
	where := []any{"file", place.File, "line", place.Line, "key", key, "names", cert.Leaf.DNSNames}
	switch now := time.Now(); {
	case now.After(cert.Leaf.NotAfter):
		b.g.log.Warn("a certificate has expired", append(where, "not_after", cert.Leaf.NotAfter)...)
	case now.Before(cert.Leaf.NotBefore):
		b.g.log.Warn("a certificate is not valid yet", append(where, "not_before", cert.Leaf.NotBefore)...)
	}
	return &cert, nil
}

// readPEM returns a file's content; nil if it cannot be had, and then that is noted.
func (b *builder) readPEM(key, path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		b.fault(key, "cannot read: %v", err)
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	switch {
	case err != nil:
		b.fault(key, "cannot read: %v", err)
	case len(text) == 0:
		b.fault(key, "%s is empty", path)
	case len(text) > maxPEM:
		b.fault(key, "%s is too large for a PEM file", path)
	default:
		return text
	}
	return nil
}

func hashOf(texts ...[]byte) string {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%d\n", len(text))
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
