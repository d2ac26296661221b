package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"os"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/upstream"
)

func (b *builder) buildUpstreams() {
	for name, c := range b.cfg.Upstreams {
		b.rest()
		secure, files, ok := b.upstreamTLS(name, c.TLS)
		if !ok {
			continue
		}
		made := struct {
			config.Upstream
			Files [][sha256.Size]byte
			Zone  string
		}{c, files, b.cfg.Server.Zone}
		made.Endpoints = nil // they may change: see updateLater
		o := upstreamOptions(name, c)
		o.TLS, o.Balance = secure, b.balanceOptions(name, &c.Balance)
		u, release, err := b.g.upstreams.take(shelfKey("upstream", name, made), func() (*upstream.Upstream, error) {
			o := o
			b.watchOver(&o, c)
			return upstream.New(o)
		}, (*upstream.Upstream).Close)
		if err != nil {
			b.fault("upstreams."+name, "%v", err)
			continue
		}
		b.s.releases = append(b.s.releases, release)
		b.s.upstreams[name] = u
		if !b.followFeed(name, &c, u) {
			b.updateLater(name, u, &c)
		}
		if former := b.former(name); former != nil && former != u {
			u.TakeDrains(former) // it may be one from before the current, which some exchange has kept
		}
	}
}

func upstreamOptions(name string, c config.Upstream) upstream.Options {
	o := upstream.Options{
		Name: name, Policy: c.Policy, Protocol: c.Protocol,
		ConnectTimeout: c.ConnectTimeout, ResponseTimeout: c.ResponseTimeout, IdleTimeout: c.IdleTimeout,
		MaxIdle: c.MaxIdle, Retries: c.Retries, Endpoints: endpointOptions(c.Endpoints),
	}
	addCare(&o, c)
	return o
}

// upstreamTLS reads the files of an upstream's tls table, and returns hashes of what they hold, so that the upstream is made anew
// when that has changed. It reports false when something is wrong, which it has noted.
func (b *builder) upstreamTLS(name string, c *config.UpstreamTLS) (o *upstream.TLSOptions, files [][sha256.Size]byte, ok bool) {
	if c == nil {
		return nil, nil, true
	}
	l := tlsLoader{b: b, key: "upstreams." + name + ".tls", ok: true}
	o = &upstream.TLSOptions{ServerName: c.ServerName, MinVersion: tls.VersionTLS12, Insecure: c.Insecure}
	if c.MinVersion == "1.3" {
		o.MinVersion = tls.VersionTLS13
	}
	if c.CA != "" {
		o.Roots = l.roots(c.CA)
	}
	if c.Cert != "" {
		o.Certificates = l.pair(c.Cert, c.Key)
	}
	for _, pin := range c.PinSHA256 {
		hash, _ := base64.StdEncoding.DecodeString(pin) // config has checked it
		o.Pins = append(o.Pins, [sha256.Size]byte(hash))
	}
	if c.Insecure && l.ok {
		b.g.log.Warn("INSECURE: the certificates of an upstream are not verified, anyone on the way can read and change what is sent", "upstream", name)
	}
	return o, l.files, l.ok
}

// tlsLoader reads the files of one tls table.
type tlsLoader struct {
	b     *builder
	key   string // of the table
	files [][sha256.Size]byte
	ok    bool // nothing was wrong so far
}

func (l *tlsLoader) fail(name, format string, args ...any) {
	l.b.fault(l.key+"."+name, format, args...)
	l.ok = false
}

// read returns what a file holds, nil when it cannot be read.
func (l *tlsLoader) read(name, file string) []byte {
	data, err := os.ReadFile(file)
	if err != nil {
		l.fail(name, "cannot read: %v", err)
		return nil
	}
	l.files = append(l.files, sha256.Sum256(data))
	return data
}

func (l *tlsLoader) roots(file string) *x509.CertPool {
	data := l.read("ca", file)
	pool := x509.NewCertPool()
	if data != nil && !pool.AppendCertsFromPEM(data) {
		l.fail("ca", "%s holds no certificate in PEM", file)
	}
	return pool
}

func (l *tlsLoader) pair(cert, key string) []tls.Certificate {
	certData, keyData := l.read("cert", cert), l.read("key", key)
	if certData == nil || keyData == nil {
		return nil
	}
	pair, err := tls.X509KeyPair(certData, keyData)
	if err != nil {
		l.fail("cert", "%s and %s: %v", cert, key, err)
	}
	return []tls.Certificate{pair}
}
