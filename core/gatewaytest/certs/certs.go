// Package certs makes certificates for tests: an authority, and what it issues to servers and clients, as PEM files.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Pair is a certificate and its key.
type Pair struct {
	Cert, Key string         // PEM files; Cert holds the authority's certificate, too
	CA        string         // PEM file of the authority's certificate
	Pool      *x509.CertPool // holds the authority
	TLS       tls.Certificate
}

// New returns a certificate for names (DNS names and IP addresses), good for servers and clients, of an authority of its own.
func New(t testing.TB, names ...string) *Pair {
	t.Helper()
	return NewAuthority(t).Issue(t, names...)
}

// Authority issues certificates.
type Authority struct {
	File string // PEM file of its certificate
	Pool *x509.CertPool

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority returns an authority that nobody knows but those who have its Pool or File.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{key: newKey(t), Pool: x509.NewCertPool()}
	template := authority("test authority")
	der := sign(t, template, template, &a.key.PublicKey, a.key)
	a.cert = parse(t, der)
	a.Pool.AddCert(a.cert)
	a.File = filepath.Join(t.TempDir(), "ca.pem")
	write(t, a.File, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func authority(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
}

// Between returns an authority that a vouches for; File and Pool are a's, and what it issues comes with its certificate.
func (a *Authority) Between(t testing.TB) *Authority {
	t.Helper()
	b := &Authority{File: a.File, Pool: a.Pool, key: newKey(t)}
	der := sign(t, authority("test authority between"), a.cert, &b.key.PublicKey, a.key)
	b.cert = parse(t, der)
	return b
}

// DER returns the authority's own certificate.
func (a *Authority) DER() []byte { return a.cert.Raw }

// Issue returns a certificate for names (DNS names and IP addresses), good for servers and clients. The first name is the subject's
// common name.
func (a *Authority) Issue(t testing.TB, names ...string) *Pair {
	t.Helper()
	return a.IssueAs(t, x509.Certificate{}, names...)
}

// IssueAs is Issue with a template, say for another subject or an end that has passed.
func (a *Authority) IssueAs(t testing.TB, template x509.Certificate, names ...string) *Pair {
	t.Helper()
	name(&template, names)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	key := newKey(t)
	der := sign(t, &template, a.cert, &key.PublicKey, a.key)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &Pair{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), CA: a.File, Pool: a.Pool}
	write(t, p.Cert, &pem.Block{Type: "CERTIFICATE", Bytes: der}, &pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	write(t, p.Key, &pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	p.TLS = tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: parse(t, der)}
	return p
}

// name puts names into the template.
func name(template *x509.Certificate, names []string) {
	if template.Subject.CommonName == "" && len(names) > 0 {
		template.Subject.CommonName = names[0]
	}
	for _, one := range names {
		if ip := net.ParseIP(one); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, one)
		}
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign returns a certificate's DER, with a fresh serial number, good from an hour ago until tomorrow unless the template says otherwise.
func sign(t testing.TB, template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = serial
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(24 * time.Hour)
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func write(t testing.TB, file string, blocks ...*pem.Block) {
	t.Helper()
	var text []byte
	for _, block := range blocks {
		text = append(text, pem.EncodeToMemory(block)...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
