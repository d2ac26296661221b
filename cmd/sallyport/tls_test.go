package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest"
	"github.com/sallyport/sallyport/core/gatewaytest/certs"
	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// copyFile puts a copy of a file in another's place.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(to+".new", to); err != nil {
		t.Fatal(err)
	}
}

// TestCertificatesAreWatched: a process takes up new files by itself, keeps the old ones when the new are no good, and finds the way back.
func TestCertificatesAreWatched(t *testing.T) {
	first, second := certs.New(t, "a.example"), certs.New(t, "a.example")
	addr := free.Address(t)
	r := launch(t, "")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	listener := fmt.Sprintf("listen = [{ address = %q, tls = { certificates = [{ cert = %q, key = %q }] } },", addr, first.Cert, first.Key)
	text, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	r.save(strings.Replace(string(text), "listen = [", listener, 1))
	serves := func(p *certs.Pair) func() bool {
		return func() bool {
			nc, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "a.example", RootCAs: p.Pool})
			if err == nil {
				nc.Close()
			}
			return err == nil
		}
	}
	gatewaytest.Until(t, "the first is served", serves(first))
	copyFile(t, second.Cert, first.Cert)
	gatewaytest.Until(t, "the half is refused", func() bool { return strings.Contains(r.log.String(), "private key does not match public key") })
	if !serves(first)() {
		t.Error("a faulty file has ended the old one's service")
	}
	copyFile(t, second.Key, first.Key)
	gatewaytest.Until(t, "the second is served", serves(second))
}

// TestFilesOfARefusedConfigAreWatched: the certificate that it lacks may come later.
func TestFilesOfARefusedConfigAreWatched(t *testing.T) {
	pair := certs.New(t, "a.example")
	addr, folder := free.Address(t), t.TempDir()
	cert := filepath.Join(folder, "later.pem")
	r := launch(t, "")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	listener := fmt.Sprintf("listen = [{ address = %q, tls = { certificates = [{ cert = %q, key = %q }] } },", addr, cert, pair.Key)
	text, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	r.save(strings.Replace(string(text), "listen = [", listener, 1))
	gatewaytest.Until(t, "it is refused", func() bool { return strings.Contains(r.log.String(), "later.pem: no such file") })
	copyFile(t, pair.Cert, cert)
	gatewaytest.Until(t, "it is served", func() bool {
		nc, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool})
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
}

func TestCheckLoadsCertificates(t *testing.T) {
	pair, other := certs.New(t, "a.example"), certs.New(t, "b.example")
	file := filepath.Join(t.TempDir(), "gateway.toml")
	for _, c := range []struct {
		key, want string
		code      int
	}{
		{pair.Key, "", 0},
		{other.Key, "server.listen[0].tls.certificates[0]: no certificate with its key: private key does not match public key", 1},
		{"none.key", "server.listen[0].tls.certificates[0].key: cannot read: ", 1},
	} {
		text := fmt.Sprintf("[server]\nlisten = [{ address = \":8443\", tls = { certificates = [{ cert = %q, key = %q }] } }]\n", pair.Cert, c.key)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if code := dispatch([]string{"check", "-c", file}, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: exit code %d, %s", c.key, code, stderr.String())
		}
	}
}

// TestUpstreamCertificatesAreWatched: an authority that a server's certificate comes from is trusted as soon as its file says so.
func TestUpstreamCertificatesAreWatched(t *testing.T) {
	server, other := certs.New(t, "127.0.0.1"), certs.NewAuthority(t)
	backend := httptest.NewUnstartedServer(http.HandlerFunc(gatewaytest.Echo))
	backend.Config.ErrorLog = log.New(io.Discard, "", 0)
	backend.TLS = &tls.Config{Certificates: []tls.Certificate{server.TLS}}
	backend.StartTLS()
	t.Cleanup(backend.Close)
	r := launch(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\ntls = { ca = %q }\n[[routes]]\nname = \"r\"\npath = \"/\"\nupstream = \"b\"\n",
		backend.Listener.Addr().String(), other.File))
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	answers := func(want int) func() bool {
		return func() bool { status, _ := r.get("http://" + r.addr + "/"); return status == want }
	}
	gatewaytest.Until(t, "the server is not trusted", answers(502))
	copyFile(t, server.CA, other.File)
	gatewaytest.Until(t, "the server is trusted", answers(200))
	copyFile(t, certs.NewAuthority(t).File, other.File)
	gatewaytest.Until(t, "the server is not trusted any more", answers(502))
}
