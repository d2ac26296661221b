package config

import (
	"net"
	"strings"
)

// Admin is the [admin] table.
type Admin struct {
	Listen string    // host:port, or "unix:" and an absolute path
	Token  Secret    `json:",omitzero"` // what clients show as a bearer; without text: none is asked for
	Hosts  []string  `json:",omitempty"`
	TLS    *AdminTLS `json:",omitempty"` // nil: plain
}

// AdminTLS is the admin table's tls.
type AdminTLS struct {
	Cert, Key string // absolute paths of PEM files
	ClientCA  string // absolute path; "": clients show no certificate
}

// Open reports whether whoever reaches the address may do everything: neither a token nor a certificate is asked for.
func (a *Admin) Open() bool {
	return a.Token.Reveal() == "" && (a.TLS == nil || a.TLS.ClientCA == "")
}

// files returns the paths that a names; none for nil.
func (a *Admin) files() []string {
	if a == nil || a.TLS == nil {
		return nil
	}
	return []string{a.TLS.Cert, a.TLS.Key, a.TLS.ClientCA}
}

// minToken is how many bytes a token has at least: what is shorter can be guessed.
const minToken = 16

func readAdmin(v value, c *Config) {
	a := &Admin{Listen: "127.0.0.1:9901"}
	c.Admin = a
	adminKeys().read(v, a)
	// What is there but wrong has been told already.
	if a.Open() && !isPrivate(a.Listen) && !v.has("token") && !v.has("tls") {
		v.child("listen").fail(`others than this machine can reach %s: set token = { env = "NAME" } or { file = "path" } (16 bytes or more), or tls with a client_ca, or listen on 127.0.0.1 or a unix: socket`, a.Listen)
	}
	if a.Open() && !isPrivate(a.Listen) && a.TLS != nil && !v.has("token") && !v.child("tls").has("client_ca") {
		v.child("tls").fail("lacks client_ca: others than this machine can reach %s, and the certificate alone keeps nobody out (a token would do, too)", a.Listen)
	}
}

func adminKeys() keys[Admin] {
	return keys[Admin]{
		{"listen", func(v value, a *Admin) { v.serverAddress(&a.Listen) }},
		{"token", func(v value, a *Admin) { readToken(v, &a.Token) }},
		{"hosts", func(v value, a *Admin) { v.texts(&a.Hosts, `host names such as "gateway.internal"`, checkAdminHost) }},
		{"tls", func(v value, a *Admin) { a.TLS = readAdminTLS(v) }},
	}
}

// isPrivate reports whether only this machine can reach an address.
func isPrivate(address string) bool {
	if strings.HasPrefix(address, unixPrefix) {
		return true
	}
	host, _, _ := net.SplitHostPort(address) // it has been checked
	return isLoopback(host)
}

// readToken reads what is never written into the file itself: that is copied, mailed and kept in repositories.
func readToken(v value, dst *Secret) {
	v.r.config.secrets[v.key] = true
	if !v.isReference() {
		v.fail(`must be { env = "NAME" } or { file = "path" }: a token does not stand in the file itself`)
		return
	}
	s, ok := v.resolve()
	switch {
	case !ok:
	case len(s) < minToken:
		v.fail("has %d bytes, and %d are the least: such as `openssl rand -hex 32` makes", len(s), minToken)
	case strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) >= 0:
		v.fail("holds something other than visible ASCII characters, which cannot be sent in a field")
	default:
		*dst = Secret{&s}
	}
}

func checkAdminHost(v value, s string) (string, bool) {
	host := canonicalHost(strings.TrimSuffix(s, "."))
	if !isHost(host) {
		v.fail("%q is neither an IP address nor a host name: leave the port out, and there is no wildcard", s)
		return "", false
	}
	return host, true
}

func readAdminTLS(v value) *AdminTLS {
	t := &AdminTLS{}
	adminTLSKeys().read(v, t)
	if v.holdsKeys() {
		v.need("cert", "the PEM file of the certificate, with those between it and the root behind it")
		v.need("key", "the PEM file of the certificate's key")
	}
	return t
}

func adminTLSKeys() keys[AdminTLS] {
	return keys[AdminTLS]{
		{"cert", func(v value, t *AdminTLS) { v.path(&t.Cert) }},
		{"key", func(v value, t *AdminTLS) { v.path(&t.Key) }},
		{"client_ca", func(v value, t *AdminTLS) { v.path(&t.ClientCA) }},
	}
}
