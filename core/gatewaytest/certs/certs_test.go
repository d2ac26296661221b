package certs

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
)

// TestHandshake: files and objects agree, both ends verify each other, and another authority's pool refuses.
func TestHandshake(t *testing.T) {
	server, client := New(t, "a.example", "127.0.0.1"), New(t, "someone")
	pair, err := tls.LoadX509KeyPair(server.Cert, server.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		pool *x509.CertPool
		want bool
	}{{"a.example", server.Pool, true}, {"127.0.0.1", server.Pool, true}, {"b.example", server.Pool, false}, {"a.example", client.Pool, false}} {
		a, b := net.Pipe()
		go func() {
			_ = tls.Server(a, &tls.Config{
				Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: client.Pool,
			}).Handshake()
			a.Close()
		}()
		err := tls.Client(b, &tls.Config{ServerName: c.name, RootCAs: c.pool, Certificates: []tls.Certificate{client.TLS}}).Handshake()
		b.Close()
		if got := err == nil; got != c.want {
			t.Errorf("%s: got %v, want %v (%v)", c.name, got, c.want, err)
		}
	}
}
