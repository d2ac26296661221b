package engine

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

// withRSA returns a certificate for name with an RSA key, which it has signed itself.
func withRSA(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// TestKindsOfKeys: of two certificates for one name a client gets the one that it can make use of, the first where both will do.
func TestKindsOfKeys(t *testing.T) {
	o := secureWith(certs.New(t, "a.example"))
	o.Certificates = append(o.Certificates, withRSA(t, "a.example"))
	l, _ := start(t, Options{TLS: NewTLS(o)}, tell)
	for _, c := range []struct {
		suites []uint16
		want   x509.PublicKeyAlgorithm
	}{
		{nil, x509.ECDSA},
		{[]uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, x509.ECDSA},
		{[]uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, x509.RSA},
	} {
		config := &tls.Config{ServerName: "a.example", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: c.suites}
		if got := dialTLS(t, l, config).ConnectionState().PeerCertificates[0].PublicKeyAlgorithm; got != c.want {
			t.Errorf("%v: got %v, want %v", c.suites, got, c.want)
		}
	}
}
