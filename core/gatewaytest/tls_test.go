package gatewaytest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gatewaytest/certs"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// secured is a [server] with one listener over TLS; more are further keys of its tls.
func secured(pair *certs.Pair, more string) string {
	return fmt.Sprintf("[server]\nlisten = [{ address = %q, tls = { certificates = [{ cert = %q, key = %q }]%s } }]\ndrain_timeout = \"5s\"\n",
		listen, pair.Cert, pair.Key, more)
}

// dialTLS opens a connection with a deadline.
func dialTLS(t testing.TB, addr string, config *tls.Config) *tls.Conn {
	t.Helper()
	nc, err := tls.Dial("tcp", addr, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return nc
}

// askOver sends a request over a connection that stays open, and returns the answer's status and body.
func askOver(t testing.TB, nc net.Conn, r *bufio.Reader, request string) (int, string) {
	t.Helper()
	if _, err := io.WriteString(nc, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

const fromA = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"

// replace puts a file in another's place, as certbot does.
func replace(t testing.TB, from, to string) {
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

const hello = "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nrespond = { status = 200, body = \"hello\" }\n"

func TestCertificatesAreSwappedUnderConnections(t *testing.T) {
	old, next := certs.New(t, "a.example"), certs.New(t, "a.example")
	g := Start(t, secured(old, "")+hello)
	before := &tls.Config{ServerName: "a.example", RootCAs: old.Pool, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	open := dialTLS(t, g.Addr, before)
	r := bufio.NewReader(open)
	serves := func(when string) {
		t.Helper()
		if status, body := askOver(t, open, r, fromA); status != 200 || body != "hello" {
			t.Errorf("%s: got %d %q", when, status, body)
		}
	}
	serves("at first")
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	serves("after a reload")
	if nc := dialTLS(t, g.Addr, before); !nc.ConnectionState().DidResume {
		t.Error("a reload that changes nothing ends sessions")
	}

	replace(t, next.Cert, old.Cert) // the key is not there yet
	var wrong config.Errors
	if err := g.Reload(); !errors.As(err, &wrong) || len(wrong) != 1 ||
		wrong[0].Key != "server.listen[0].tls.certificates[0]" || !strings.Contains(wrong[0].Message, "private key does not match") {
		t.Errorf("got %v, want the pair refused at its place", err)
	}
	dialTLS(t, g.Addr, &tls.Config{ServerName: "a.example", RootCAs: old.Pool}) // the old one is still served
	replace(t, next.Key, old.Key)
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	nc := dialTLS(t, g.Addr, &tls.Config{ServerName: "a.example", RootCAs: next.Pool})
	if status, body := askOver(t, nc, bufio.NewReader(nc), fromA); status != 200 || body != "hello" {
		t.Errorf("got %d %q", status, body)
	}
	serves("after the swap")
}

// TestSessionsEndWithTheirClientAuthority: who was let in by an authority that is trusted no more does not get in on a ticket.
func TestSessionsEndWithTheirClientAuthority(t *testing.T) {
	pair := certs.New(t, "a.example")
	oldCA, newCA := certs.NewAuthority(t), certs.NewAuthority(t)
	client := oldCA.Issue(t, "someone")
	g := Start(t, secured(pair, fmt.Sprintf(`, client_auth = "require", client_ca = %q`, oldCA.File))+hello)
	c := &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &client.TLS, nil }
	for _, resumes := range []bool{false, true} {
		nc := dialTLS(t, g.Addr, c)
		if status, _ := askOver(t, nc, bufio.NewReader(nc), fromA); status != 200 || nc.ConnectionState().DidResume != resumes {
			t.Fatalf("got %d, resumed %v", status, nc.ConnectionState().DidResume)
		}
	}
	replace(t, newCA.File, oldCA.File)
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	nc, err := tls.Dial("tcp", g.Addr, c)
	if err == nil {
		_, err = nc.Read(make([]byte, 1))
	}
	if err == nil || !strings.Contains(err.Error(), "remote error: tls: ") {
		t.Errorf("got %v, want the handshake refused", err)
	}
}

// TestClientCertGoesUpstream holds what a backend sees of a client's certificate to RFC 9440, byte for byte.
func TestClientCertGoesUpstream(t *testing.T) {
	pair, root := certs.New(t, "a.example"), certs.NewAuthority(t)
	between := root.Between(t)
	direct, chained := root.Issue(t, "direct"), between.Issue(t, "chained")
	seen := make(chan []string, 1)
	addr := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		var got []string
		for name, values := range r.Header {
			if strings.Contains(strings.ToLower(strings.ReplaceAll(name, "_", "-")), "client-cert") {
				got = append(got, name+": "+strings.Join(values, " | "))
			}
		}
		slices.Sort(got)
		seen <- got
	})
	forged := "Client-Cert: :Zm9yZ2Vk:\r\nclient-cert: :Zm9yZ2Vk:\r\nCLIENT_CERT: :Zm9yZ2Vk:\r\nClient-Cert-Chain: :Zm9yZ2Vk:\r\nclient_cert-Chain: :Zm9yZ2Vk:\r\n"
	request := "GET / HTTP/1.1\r\nHost: a.example\r\n" + forged + "\r\n"
	of := func(c *certs.Pair) string { return ":" + base64.StdEncoding.EncodeToString(c.TLS.Certificate[0]) + ":" }
	for _, c := range []struct {
		name, auth string
		client     *certs.Pair
		want       []string
	}{
		{"no certificate asked for", "none", direct, nil},
		{"not verified", "request", direct, nil},
		{"none given", "verify_if_given", nil, nil},
		{"verified", "verify_if_given", direct, []string{"Client-Cert: " + of(direct)}},
		{"required", "require", direct, []string{"Client-Cert: " + of(direct)}},
		{"by another between", "require", chained, []string{
			"Client-Cert-Chain: :" + base64.StdEncoding.EncodeToString(between.DER()) + ":", "Client-Cert: " + of(chained),
		}},
	} {
		more := fmt.Sprintf(", client_auth = %q", c.auth)
		if c.auth == "require" || c.auth == "verify_if_given" {
			more += fmt.Sprintf(", client_ca = %q", root.File)
		}
		g := Start(t, secured(pair, more)+routes(addr, allToB))
		config := &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		if c.client != nil {
			config.Certificates = []tls.Certificate{c.client.TLS}
		}
		for _, resumes := range []bool{false, true} {
			nc := dialTLS(t, g.Addr, config)
			r := bufio.NewReader(nc)
			for range 2 {
				askOver(t, nc, r, request)
				if got := <-seen; !slices.Equal(got, c.want) {
					t.Errorf("%s:\ngot  %q\nwant %q", c.name, got, c.want)
				}
			}
			if got := nc.ConnectionState().DidResume; got != resumes {
				t.Errorf("%s: resumed %v, want %v", c.name, got, resumes)
			}
		}
	}
	// On a plain listener, with its peer trusted or not.
	for _, trust := range []string{"", ", trusted_proxies = [\"127.0.0.1\"]"} {
		g := Start(t, fmt.Sprintf("[server]\nlisten = [{ address = %q%s }]\n", listen, trust)+routes(addr, allToB))
		nc := dialRaw(t, g, "")
		askOver(t, nc, bufio.NewReader(nc), request)
		if got := <-seen; got != nil {
			t.Errorf("plain%s: got %q", trust, got)
		}
	}
}

func TestPluginsReadTLS(t *testing.T) {
	pair, ca := certs.New(t, "a.example"), certs.NewAuthority(t)
	verified, stranger := ca.Issue(t, "someone"), certs.New(t, "stranger")
	dir := t.TempDir()
	install(t, dir, "fields", "tlsfields")
	route := routes(Backend(t, Echo), allToB+"filters = [\"fields\"]\n")
	for _, c := range []struct {
		auth, want string
		client     *certs.Pair
	}{
		{`, client_auth = "request"`, "", stranger},
		{fmt.Sprintf(`, client_auth = "verify_if_given", client_ca = %q`, ca.File), "", nil},
		{fmt.Sprintf(`, client_auth = "require", client_ca = %q`, ca.File), "CN=someone", verified},
	} {
		g := StartIn(t, dir, secured(pair, c.auth)+route)
		config := &tls.Config{ServerName: "a.example", RootCAs: pair.Pool}
		if c.client != nil {
			config.Certificates = []tls.Certificate{c.client.TLS}
		}
		nc := dialTLS(t, g.Addr, config)
		_, body := askOver(t, nc, bufio.NewReader(nc), fromA)
		for _, want := range []string{"X-Name: a.example\n", "X-Subject: " + c.want + "\n", "X-Forwarded-Proto: https\n"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: got\n%swant %s", c.auth, body, want)
			}
		}
	}
}

func TestRedirectHTTPS(t *testing.T) {
	const two = "127.0.0.2:0"
	g := Start(t, fmt.Sprintf("[server]\nlisten = [{ address = %q, redirect_https = 443 }, { address = %q, redirect_https = 8443 }]\n", listen, two)+hello)
	for _, c := range []struct{ addr, request, status, location string }{
		{listen, "GET /a/../b%20c?x=1&y HTTP/1.1\r\nHost: A.example:8080\r\n\r\n", "308 Permanent Redirect", "https://a.example/b%20c?x=1&y"},
		{two, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "308 Permanent Redirect", "https://a.example:8443/"},
		{two, "GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "308 Permanent Redirect", "https://[::1]:8443/x"},
		{listen, "GET /x HTTP/1.1\r\nHost: [::1]\r\n\r\n", "308 Permanent Redirect", "https://[::1]/x"},
		{listen, "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc", "308 Permanent Redirect", "https://a.example/x"},
		{listen, "GET /x HTTP/1.0\r\n\r\n", "400 Bad Request", ""},
		{listen, "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", "400 Bad Request", ""},
		{listen, "GET //evil.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", "308 Permanent Redirect", "https://a.example/evil.example/"},
	} {
		nc, err := net.Dial("tcp", g.Addresses()[c.addr])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(nc, c.request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
		nc.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Location"); resp.Status != c.status || got != c.location {
			t.Errorf("%q: got %s %q, want %s %q", c.request, resp.Status, got, c.status, c.location)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s.sock")
	at := func(more string) string {
		return fmt.Sprintf("[server]\nlisten = [{ address = \"unix:%s\"%s }]\ndrain_timeout = \"5s\"\n", socket, more) +
			routes(Backend(t, Echo), allToB)
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	g := Start(t, at(""))
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("got %v, %v, want the mode 0660", info, err)
	}
	ask := func() string {
		nc, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_, body := askOver(t, nc, bufio.NewReader(nc), "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
		return body
	}
	if body := ask(); strings.Contains(body, "X-Forwarded-For") || !strings.Contains(body, "X-Forwarded-Host: a.example\n") {
		t.Errorf("a peer that is not trusted:\n%s", body)
	}
	if err := g.ApplyText(at(", trusted_proxies = [\"unix\"]")); err != nil {
		t.Fatal(err)
	}
	if body := ask(); !strings.Contains(body, "X-Forwarded-For: 192.0.2.1\n") {
		t.Errorf("a trusted peer:\n%s", body)
	}
	if err := newIn(t, t.TempDir()).ApplyText(at("")); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a socket in use: got %v", err)
	}
	if err := g.ApplyText("[server]\nlisten = [\"127.0.0.1:0\"]\n"); err != nil {
		t.Fatal(err)
	}
	Until(t, "the socket file is gone", func() bool { _, err := os.Lstat(socket); return errors.Is(err, os.ErrNotExist) })
}

func TestFaultyCertificates(t *testing.T) {
	good, other := certs.New(t, "a.example"), certs.New(t, "b.example")
	expired := certs.NewAuthority(t).IssueAs(t, x509.Certificate{NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}, "a.example")
	dir := t.TempDir()
	junk, empty := filepath.Join(dir, "junk"), filepath.Join(dir, "empty")
	if err := errors.Join(os.WriteFile(junk, []byte("junk"), 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, cert, key, more, wantKey, want string }{
		{"missing", filepath.Join(dir, "none"), good.Key, "", ".certificates[0].cert", "no such file"},
		{"missing key", good.Cert, filepath.Join(dir, "none"), "", ".certificates[0].key", "no such file"},
		{"empty", empty, good.Key, "", ".certificates[0].cert", "is empty"},
		{"no PEM", junk, good.Key, "", ".certificates[0]", "failed to find any PEM data"},
		{"another's key", good.Cert, other.Key, "", ".certificates[0]", "private key does not match public key"},
		{"turned round", good.Key, good.Cert, "", ".certificates[0]", "PEM"},
		{"no authority", good.Cert, good.Key, fmt.Sprintf(`, client_auth = "require", client_ca = %q`, junk), ".client_ca", "holds no certificate"},
		{"a folder", dir, good.Key, "", ".certificates[0].cert", "is a directory"},
	} {
		var wrong config.Errors
		if err := newIn(t, t.TempDir()).ApplyText(secured(&certs.Pair{Cert: c.cert, Key: c.key}, c.more) + hello); !errors.As(err, &wrong) || len(wrong) != 1 || wrong[0].Key != "server.listen[0].tls"+c.wantKey ||
			!strings.Contains(wrong[0].Message, c.want) || wrong[0].Col == 1 || strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: got %v, want %s: %s", c.name, err, c.wantKey, c.want)
		}
	}
	g := Start(t, secured(expired, "")+hello)
	if !strings.Contains(g.Logs(), "a certificate has expired") || strings.Contains(g.Logs(), keyText(t, expired)) {
		t.Errorf("got %s", g.Logs())
	}
	dialTLS(t, g.Addr, &tls.Config{InsecureSkipVerify: true}) // it is out of date
}

// keyText is a piece of a key's text.
func keyText(t *testing.T, p *certs.Pair) string {
	t.Helper()
	text, err := os.ReadFile(p.Key)
	block, _ := pem.Decode(text)
	if err != nil || block == nil {
		t.Fatal(err)
	}
	return string(bytes.Split(text, []byte("\n"))[1][:32])
}

func TestCurlOverTLS(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		wat.Missing(t, "curl")
	}
	pair := certs.New(t, "a.example")
	g := Start(t, strings.Replace(secured(pair, ""), "tls =", "http2 = false, tls =", 1)+routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}), allToB))
	_, port, _ := net.SplitHostPort(g.Addr)
	content := strings.Repeat("0123456789", 100_000)
	file := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"--tls-max=1.2", "--tlsv1.3", "--http1.0"} {
		flags := []string{"-sS", "--cacert", pair.CA, "--resolve", "a.example:" + port + ":127.0.0.1", "--data-binary", "@" + file}
		if name, max, ok := strings.Cut(version, "="); ok {
			flags = append(flags, name, max)
		} else {
			flags = append(flags, version)
		}
		got, err := exec.Command(curl, append(flags, "https://a.example:"+port+"/x")...).CombinedOutput()
		if err != nil || string(got) != content {
			t.Errorf("%s: %v, got %d bytes: %.200s", version, err, len(got), got)
		}
	}
}

// TestClientGoneOverTLS: who hangs up while the upstream thinks ends the exchange.
func TestClientGoneOverTLS(t *testing.T) {
	pair := certs.New(t, "a.example")
	asked, gone := make(chan struct{}), make(chan struct{})
	backend := server(t, func(c *net.TCPConn, _ *bufio.Reader) {
		close(asked)
		_, _ = c.Read(make([]byte, 1)) // until the gateway gives up
		close(gone)
	})
	g := Start(t, secured(pair, "")+routes(backend, allToB))
	nc := dialTLS(t, g.Addr, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool})
	if _, err := io.WriteString(nc, fromA); err != nil {
		t.Fatal(err)
	}
	wait(t, asked) // an exchange in flight may not have got to it yet
	nc.Close()
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		t.Error("the upstream's exchange goes on")
	}
}

// TestCutAnswerOverTLS: an answer that the upstream cuts short is no whole one to a client over TLS.
func TestCutAnswerOverTLS(t *testing.T) {
	pair := certs.New(t, "a.example")
	backend := server(t, func(c *net.TCPConn, _ *bufio.Reader) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 50_000))
	})
	g := Start(t, secured(pair, "")+routes(backend, allToB))
	nc := dialTLS(t, g.Addr, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool})
	if _, err := io.WriteString(nc, fromA); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(nc)
	if err == nil || len(got) > 60_000 {
		t.Errorf("got %d bytes and %v, want an error", len(got), err)
	}
}
