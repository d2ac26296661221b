package config

import (
	"encoding/base64"
	"net"
	"net/netip"
	"slices"
)

// UpstreamTLS is the tls table of an upstream. The files are read when the gateway is built.
type UpstreamTLS struct {
	CA         string   // absolute path of certificates in PEM; "": those that the system trusts
	ServerName string   // SNI and the name that is verified; "": the endpoint's host
	Cert       string   // absolute path of our certificate and its chain in PEM; "" together with Key: none
	Key        string   // absolute path
	PinSHA256  []string // base64 of 32 bytes, in the standard form
	MinVersion string   // "1.2" or "1.3"
	Insecure   bool     // nothing is verified
}

func readUpstreamTLS(v value) *UpstreamTLS {
	t := &UpstreamTLS{MinVersion: "1.2"}
	upstreamTLSKeys().read(v, t)
	if v.has("cert") != v.has("key") {
		v.need("cert", "a certificate and its key go together")
		v.need("key", "a certificate and its key go together")
	}
	if t.Insecure && v.has("ca") {
		v.child("insecure").fail("cannot go together with ca: either the servers' certificates are verified or they are not")
	}
	return t
}

func upstreamTLSKeys() keys[UpstreamTLS] {
	return keys[UpstreamTLS]{
		{"ca", func(v value, t *UpstreamTLS) { v.path(&t.CA) }},
		{"server_name", func(v value, t *UpstreamTLS) { v.serverName(&t.ServerName) }},
		{"cert", func(v value, t *UpstreamTLS) { v.path(&t.Cert) }},
		{"key", func(v value, t *UpstreamTLS) { v.path(&t.Key) }},
		{"pin_sha256", func(v value, t *UpstreamTLS) { v.texts(&t.PinSHA256, "hashes of public keys, in base64", checkPin) }},
		{"min_version", func(v value, t *UpstreamTLS) { v.oneOf(&t.MinVersion, "1.2", "1.3") }},
		{"insecure", func(v value, t *UpstreamTLS) { v.boolean(&t.Insecure) }},
	}
}

// serverName reads the name that a certificate must be for: a host, without a port.
func (v value) serverName(dst *string) {
	s, ok := v.text(`a host name such as "api.internal"`)
	if !ok {
		return
	}
	_, _, err := net.SplitHostPort(s)
	_, notIP := netip.ParseAddr(s)
	switch {
	case err == nil && notIP != nil:
		v.fail("%q: leave the port out, certificates have none", s)
	case !isHost(s):
		v.fail("%q is neither an IP address nor a host name", s)
	default:
		*dst = canonicalHost(s)
	}
}

// checkPin brings a hash into the one form that equal ones share.
func checkPin(v value, s string) (string, bool) {
	hash, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(hash) != 32 {
		v.fail("%q is no SHA-256 in base64: 44 characters, of the public key (SubjectPublicKeyInfo) and not of the certificate", s)
		return "", false
	}
	return base64.StdEncoding.EncodeToString(hash), true
}

// checkProtocol notes it if the protocol and the tls table contradict each other.
func checkProtocol(v value, u *Upstream) {
	switch {
	case u.Protocol == "h2" && u.TLS == nil:
		v.child("protocol").fail(`"h2" is HTTP/2 over TLS and needs a tls table (tls = {} will do); without TLS it is "h2c"`)
	case u.Protocol == "h2c" && u.TLS != nil:
		v.child("protocol").fail(`"h2c" is HTTP/2 without TLS: with tls it is "h2"`)
	}
}

// Files returns the absolute paths of the files beside the plugins that the gateway reads when it is built, sorted: a change of one
// of them is a change of the config.
func (c *Config) Files() []string {
	files := c.Admin.files()
	for _, l := range c.Server.Listen {
		files = append(files, l.TLS.files()...)
	}
	for _, u := range c.Upstreams {
		files = append(files, u.TLS.files()...)
	}
	for _, s := range c.Stores {
		files = append(files, s.Redis.TLS.files()...)
	}
	if o := c.Metrics.OTLP; o != nil {
		files = append(files, o.TLS.files()...)
	}
	if c.Tracing != nil {
		files = append(files, c.Tracing.OTLP.TLS.files()...)
	}
	for _, p := range c.Passwords {
		files = append(files, p.File)
	}
	for _, s := range c.Schemas {
		files = append(files, s.File)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	return slices.DeleteFunc(files, func(file string) bool { return file == "" })
}

// files returns what it names; t may be nil.
func (t *UpstreamTLS) files() []string {
	if t == nil {
		return nil
	}
	return []string{t.CA, t.Cert, t.Key}
}
