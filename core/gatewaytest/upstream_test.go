package gatewaytest

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// signer is an authority of a test's own. Its certificates are for localhost's address.
type signer struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newSigner(t testing.TB) *signer {
	t.Helper()
	s := &signer{t: t}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	s.cert = s.sign(template, template, s.key)
	return s
}

func (s *signer) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	s.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return cert
}

func (s *signer) server() tls.Certificate {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	cert := s.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, s.cert, key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// write puts the authority's certificate into a file.
func (s *signer) write(file string) {
	s.t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// backendOf starts a server that speaks the protocol, over TLS with the certificate if there is one.
func backendOf(t testing.TB, protocol string, cert *tls.Certificate, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(protocol == "http/1.1")
	s.Config.Protocols.SetHTTP2(protocol == "h2")
	s.Config.Protocols.SetUnencryptedHTTP2(protocol == "h2c")
	if cert == nil {
		s.Start()
	} else {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
		s.EnableHTTP2 = protocol == "h2"
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

func upstreamTOML(address, protocol, tls, more string) string {
	if tls != "" {
		tls = "tls = " + tls + "\n"
	}
	return fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nprotocol = %q\n%s[[routes]]\nname = \"all\"\npath = \"/*rest\"\nupstream = \"b\"\n%s", address, protocol, tls, more)
}

// kinds are the ways to an upstream.
var kinds = []struct {
	name, protocol, proto string
	secure                bool
}{
	{"http/1.1 over TLS", "http/1.1", "HTTP/1.1", true}, {"h2", "h2", "HTTP/2.0", true}, {"h2c", "h2c", "HTTP/2.0", false},
}

// startWith starts a gateway before a backend of that kind.
func startWith(t testing.TB, protocol string, secure bool, handler http.HandlerFunc) (*Gateway, *httptest.Server) {
	t.Helper()
	dir, table := t.TempDir(), ""
	var cert *tls.Certificate
	if secure {
		s := newSigner(t)
		s.write(filepath.Join(dir, "ca.pem"))
		made := s.server()
		cert, table = &made, `{ ca = "ca.pem" }`
	}
	b := backendOf(t, protocol, cert, handler)
	return StartIn(t, dir, upstreamTOML(b.Listener.Addr().String(), protocol, table, "")), b
}

// TestUpstreamProtocols: clients that speak HTTP/1.1 do not notice what the server speaks.
func TestUpstreamProtocols(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			g, _ := startWith(t, kind.protocol, kind.secure, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Sum", r.Proto+" "+r.Method+" "+r.RequestURI+" "+sum(r.Body))
				if r.Method == "GET" {
					_, _ = io.Copy(w, &pattern{3 << 20})
				}
			})
			status, fields, body := g.Get("/a%2Fb?c=d")
			if want := kind.proto + " GET /a%2Fb?c=d " + sum(&pattern{0}); status != 200 || fields.Get("X-Sum") != want || sum(strings.NewReader(body)) != sum(&pattern{3 << 20}) {
				t.Errorf("GET: got %d, %q, want %q; %d bytes", status, fields.Get("X-Sum"), want, len(body))
			}
			for _, length := range []int64{5 << 20, -1} { // a length, and chunks
				r, err := http.NewRequest("POST", g.URL+"/", &pattern{5 << 20})
				if err != nil {
					t.Fatal(err)
				}
				r.ContentLength = length
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if want := kind.proto + " POST / " + sum(&pattern{5 << 20}); resp.Header.Get("X-Sum") != want {
					t.Errorf("POST: got %d, %q, want %q", resp.StatusCode, resp.Header.Get("X-Sum"), want)
				}
			}
		})
	}
}

// TestUpstreamKilled: a server that dies in the middle of an answer leaves the client a transfer that is seen to be cut short.
func TestUpstreamKilled(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			g, b := startWith(t, kind.protocol, kind.secure, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "some")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			resp, err := http.Get(g.URL + "/")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			p := make([]byte, 4)
			if _, err := io.ReadFull(resp.Body, p); err != nil || string(p) != "some" {
				t.Fatalf("got %q, %v", p, err)
			}
			b.CloseClientConnections()
			if rest, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("got %q and a proper end", rest)
			}
		})
	}
}

// TestUnverifiedUpstream: the client learns nothing of what is wrong with a certificate, the log does; a new CA file is all it takes.
func TestUnverifiedUpstream(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			dir := t.TempDir()
			right, wrong := newSigner(t), newSigner(t)
			wrong.write(filepath.Join(dir, "ca.pem"))
			cert := right.server()
			b := backendOf(t, protocol, &cert, func(http.ResponseWriter, *http.Request) {})
			g := StartIn(t, dir, "[log]\naccess = \"./access.log\"\n"+upstreamTOML(b.Listener.Addr().String(), protocol, `{ ca = "ca.pem" }`, ""))
			status, _, body := g.Get("/")
			if status != 502 || strings.Contains(body, "x509") || strings.Contains(body, "127.0.0.1") || !strings.Contains(body, "no secure connection to upstream") {
				t.Errorf("got %d %s", status, body)
			}
			Until(t, "the cause is in the log", func() bool {
				text, _ := os.ReadFile(filepath.Join(dir, "access.log"))
				return bytes.Contains(text, []byte("unknown authority"))
			})
			for range 2 { // to the right one, and back
				right.write(filepath.Join(dir, "ca.pem"))
				if err := g.Reload(); err != nil {
					t.Fatal(err)
				}
				if status, _, _ := g.Get("/"); status != 200 {
					t.Errorf("the right authority: got %d", status)
				}
				wrong.write(filepath.Join(dir, "ca.pem"))
				if err := g.Reload(); err != nil {
					t.Fatal(err)
				}
				if status, _, _ := g.Get("/"); status != 502 {
					t.Errorf("the wrong authority: got %d, although no connection may be reused", status)
				}
			}
		})
	}
}

// TestReuseAcrossReloads: unchanged files keep their connections.
func TestReuseAcrossReloads(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			g, _ := startWith(t, kind.protocol, kind.secure, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })
			_, _, first := g.Get("/")
			if err := g.Reload(); err != nil {
				t.Fatal(err)
			}
			if _, _, second := g.Get("/"); first != second {
				t.Errorf("got another connection: %s, then %s", first, second)
			}
		})
	}
}

func TestInsecureUpstreamWarns(t *testing.T) {
	cert := newSigner(t).server()
	b := backendOf(t, "http/1.1", &cert, func(http.ResponseWriter, *http.Request) {})
	g := Start(t, upstreamTOML(b.Listener.Addr().String(), "http/1.1", "{ insecure = true }", ""))
	if status, _, _ := g.Get("/"); status != 200 {
		t.Errorf("got %d", status)
	}
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(g.Logs(), "INSECURE"); n != 2 || !strings.Contains(g.Logs(), `"level":"WARN"`) {
		t.Errorf("%d warnings after two builds:\n%s", n, g.Logs())
	}
}

// TestTunnelToSecureUpstream: WebSocket clients reach servers that insist on TLS.
func TestTunnelToSecureUpstream(t *testing.T) {
	g, _ := startWith(t, "http/1.1", true, func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(c, rw)
		_, _ = io.WriteString(c, "!")
	})
	c, err := net.Dial("tcp", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("got %v, %v", resp, err)
	}
	sent := sum(&pattern{1 << 20})
	go func() {
		_, _ = io.Copy(c, &pattern{1 << 20})
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(in)
	if err != nil || len(got) == 0 || sum(bytes.NewReader(got[:len(got)-1])) != sent || got[len(got)-1] != '!' {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestUnixUpstream(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "app.sock"))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(Echo)}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	g := StartIn(t, dir, upstreamTOML("unix:app.sock", "http/1.1", "", "upstream_host = \"upstream\"\n"))
	if status, _, body := g.Get("/x"); status != 200 || !strings.HasPrefix(body, "GET /x host=localhost ") {
		t.Errorf("got %d %s", status, body)
	}
}
