package admin_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/admin"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gatewaytest"
	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

const withToken = "listen = \"0.0.0.0:9901\"\nhosts = [\"gateway.internal\"]\ntoken = { env = \"ADMIN_TEST_TOKEN\" }\n"

func TestPermission(t *testing.T) {
	right := "Authorization: Bearer " + token
	drain := "/upstreams/u/endpoints/127.0.0.1:1/drain"
	const yes = `{"drain": true}`
	tests := []struct {
		name, table, method, path, body string
		fields                          []string
		want                            int
	}{
		{"loopback needs nothing", "", "GET", "/status", "", nil, 200},
		{"no token", withToken, "GET", "/status", "", nil, 401},
		{"a wrong token", withToken, "GET", "/status", "", []string{"Authorization: Bearer 0123456789abcdef-tokem"}, 401},
		{"part of the token", withToken, "GET", "/status", "", []string{"Authorization: Bearer 0123456789abcdef"}, 401},
		{"an empty token", withToken, "GET", "/status", "", []string{"Authorization: Bearer "}, 401},
		{"another scheme", withToken, "GET", "/status", "", []string{"Authorization: Basic " + token}, 401},
		{"two tokens", withToken, "GET", "/status", "", []string{"Authorization: Bearer x", right}, 401},
		{"the token in the query", withToken, "GET", "/status?token=" + token, "", nil, 401},
		{"the token", withToken, "GET", "/status", "", []string{right}, 200},
		{"no token for what is not there", withToken, "GET", "/nothing", "", nil, 401},
		{"no token for a change", withToken, "POST", drain, yes, []string{sent}, 401},
		{"the token for a change", withToken, "POST", drain, yes, []string{sent, right}, 200},
		{"a probe needs none", withToken, "GET", "/livez", "", nil, 200},
		{"a token on the loopback, too", "token = { env = \"ADMIN_TEST_TOKEN\" }", "GET", "/routes", "", nil, 401},

		{"DNS rebinding", "", "GET", "/status", "", []string{"Host: attacker.example"}, 421},
		{"DNS rebinding with a port", "", "POST", drain, yes, []string{sent, "Host: attacker.example:9901"}, 421},
		{"a name that begins well", "", "GET", "/status", "", []string{"Host: localhost.attacker.example"}, 421},
		{"an address that is a name", "", "GET", "/status", "", []string{"Host: 127.0.0.1.attacker.example"}, 421},
		{"another address", "", "GET", "/status", "", []string{"Host: 10.1.2.3:9901"}, 421},
		{"rebinding with the token", withToken, "GET", "/status", "", []string{right, "Host: attacker.example"}, 421},
		{"localhost", "", "GET", "/status", "", []string{"Host: localhost:9901"}, 200},
		{"localhost with a dot", "", "GET", "/status", "", []string{"Host: LOCALHOST.:9901"}, 200},
		{"IPv6", "", "GET", "/status", "", []string{"Host: [::1]:9901"}, 200},
		{"a name of its own", withToken, "GET", "/status", "", []string{right, "Host: Gateway.Internal:9901"}, 200},

		{"another origin", "", "POST", drain, yes, []string{sent, "Origin: https://attacker.example"}, 403},
		{"origin null", "", "POST", drain, yes, []string{sent, "Origin: null"}, 403},
		{"another port of this machine", "", "POST", drain, yes, []string{sent, "Origin: http://127.0.0.1:3000"}, 403},
		{"two origins", "", "POST", drain, yes, []string{sent, "Origin: SELF", "Origin: https://attacker.example"}, 403},
		{"its own page", "", "POST", drain, yes, []string{sent, "Origin: SELF", "Sec-Fetch-Site: same-origin"}, 200},
		{"fetched from elsewhere", "", "POST", drain, yes, []string{sent, "Sec-Fetch-Site: cross-site"}, 403},
		{"fetched from beside", "", "POST", drain, yes, []string{sent, "Sec-Fetch-Site: same-site"}, 403},
		{"read from elsewhere", "", "GET", "/debug/pprof/profile?seconds=60", "", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"read by a script from elsewhere", "", "GET", "/config", "", []string{"Origin: https://attacker.example"}, 403},
		{"typed in", "", "GET", "/status", "", []string{"Sec-Fetch-Site: none"}, 200},
		{"a preflight", "", "OPTIONS", drain, "", []string{"Origin: https://attacker.example", "Access-Control-Request-Method: POST"}, 403},
		{"a form", "", "POST", drain, "drain=true", []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		{"a form with files", "", "POST", drain, yes, []string{"Content-Type: multipart/form-data; boundary=x"}, 415},
		{"JSON said to be text", "", "POST", drain, yes, []string{"Content-Type: text/plain"}, 415},
		{"JSON said to be nothing", "", "POST", drain, yes, nil, 415},
		{"JSON of another kind", "", "POST", drain, yes, []string{"Content-Type: text/plain; application/json"}, 415},
		{"JSON with a charset", "", "POST", drain, yes, []string{"Content-Type: application/json; charset=utf-8"}, 200},
		{"a reload by a form", "", "POST", "/reload", "", []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		{"a reload by nothing", "", "POST", "/reload", "", nil, 200},
		{"a reload by a script from elsewhere", "", "POST", "/reload", "", []string{"Origin: https://attacker.example"}, 403},
		{"a reload by a page without an origin", "", "POST", "/reload", "", []string{"Origin: null"}, 403},
		{"a change by GET", "", "GET", drain, "", nil, 405},
		{"a reload by GET", "", "GET", "/reload", "", nil, 405},
		{"a method that pretends", "", "GET", "/reload", "", []string{"X-HTTP-Method-Override: POST"}, 405},

		{"two slashes", "", "GET", "//status", "", nil, 404},
		{"slashes inside", "", "GET", "/config//history", "", nil, 404},
		{"dots", "", "GET", "/livez/../status", "", nil, 404},
		{"encoded dots", "", "GET", "/livez/%2e%2e/status", "", nil, 404},
		{"an encoded slash", "", "GET", "/config%2Fhistory", "", nil, 404},
		{"an encoded letter", "", "GET", "/%73tatus", "", nil, 404},
		{"an encoded NUL", "", "GET", "/plugins/a%00b", "", nil, 404},
		{"another case", "", "GET", "/Status", "", nil, 404},
		{"a slash at the end", "", "GET", "/status/", "", nil, 404},
		{"a probe's way round", withToken, "GET", "/livez/..%2Fstatus", "", nil, 401},
		{"a probe with dots", withToken, "GET", "/livez/../status", "", nil, 401},
		{"the pages of Go", "", "GET", "/debug/vars", "", nil, 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := start(t, test.table, twoRoutes)
			for i := range test.fields {
				test.fields[i] = strings.ReplaceAll(test.fields[i], "SELF", l.server.URL)
			}
			resp, text := l.ask(test.method, test.path, test.body, test.fields...)
			if resp.StatusCode != test.want {
				t.Errorf("got %d %s, want %d", resp.StatusCode, text, test.want)
			}
			changed := !strings.Contains(status(l), `"usable":true`) || l.Current().Generation != 1
			if may := test.want == 200 && test.method == "POST"; changed != may {
				t.Errorf("changed: %v, may: %v", changed, may)
			}
			checkFields(t, resp)
			if strings.Contains(l.log.String(), token) || strings.Contains(text, token) {
				t.Error("the token is told")
			}
		})
	}
}

// status tells of the endpoint 127.0.0.1:1.
func status(l *live) string {
	text, err := json.Marshal(l.Status().Upstreams["u"][0])
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

func checkFields(t *testing.T, resp *http.Response) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	for name := range resp.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s is there", name)
		}
	}
	if resp.StatusCode == 401 && !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Error("401 says not what is needed")
	}
}

// Wrong tokens are logged, not without bound; the right one passes all the same.
func TestWrongTokens(t *testing.T) {
	l := start(t, withToken, twoRoutes)
	limited := 0
	for n := range 60 {
		resp, _ := l.ask("GET", "/status", "", fmt.Sprint("Authorization: Bearer guess-", n))
		switch resp.StatusCode {
		case 429:
			limited++
		case 401:
		default:
			t.Fatalf("got %d", resp.StatusCode)
		}
	}
	logged := strings.Count(l.log.String(), "admin: refused")
	if limited < 20 || logged == 0 || logged > 40 || strings.Contains(l.log.String(), "guess-") {
		t.Errorf("%d of 60 were limited, %d logged", limited, logged)
	}
	if resp, _ := l.ask("GET", "/status", "", "Authorization: Bearer "+token); resp.StatusCode != 200 {
		t.Errorf("the right one got %d", resp.StatusCode)
	}
}

// listen runs a server of its own at an address.
func listen(t *testing.T, g *gatewaytest.Gateway, address string, a *admin.Access) *admin.Server {
	t.Helper()
	s, err := admin.Listen(address, a, admin.Options{Gateway: g.Gateway, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) }) // it may be closed already
	return s
}

func TestClientCertificates(t *testing.T) {
	g := gatewaytest.Start(t, twoRoutes)
	authority, other := certs.NewAuthority(t), certs.NewAuthority(t)
	server := authority.Issue(t, "127.0.0.1")
	a := access(t, fmt.Sprintf("listen = \"0.0.0.0:9901\"\ntls = { cert = %q, key = %q, client_ca = %q }\n", server.Cert, server.Key, authority.File))
	s := listen(t, g, "127.0.0.1:0", a)
	get := func(path string, with *certs.Pair) (int, error) {
		c := &tls.Config{RootCAs: authority.Pool}
		if with != nil {
			c.Certificates = []tls.Certificate{with.TLS}
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
		resp, err := client.Get("https://" + s.Addr().String() + path)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	if status, err := get("/status", nil); status != 401 {
		t.Errorf("without one: %d %v", status, err)
	}
	if status, err := get("/livez", nil); status != 200 {
		t.Errorf("a probe: %d %v", status, err)
	}
	mine, theirs := authority.Issue(t, "ada"), other.Issue(t, "eve")
	if status, err := get("/status", mine); status != 200 {
		t.Errorf("with one: %d %v", status, err)
	}
	if status, err := get("/status", theirs); err == nil && status != 401 {
		t.Errorf("with another's: %d", status)
	}
	if resp, err := http.Get("http://" + s.Addr().String() + "/status"); err == nil && resp.StatusCode == 200 {
		t.Error("it answers without TLS")
	}
	s.SetAccess(access(t, "")) // a reload has taken TLS and certificates away
	if resp, err := http.Get("http://" + s.Addr().String() + "/status"); err != nil || resp.StatusCode != 200 {
		t.Errorf("after a change: %v %v", resp, err)
	}
}

func TestFilesOfTLSAreChecked(t *testing.T) {
	t.Setenv("ADMIN_TEST_TOKEN", token)
	cfg, err := config.Parse("gateway.toml", []byte("[server]\nlisten = [\"127.0.0.1:1\"]\n[admin]\ntls = { cert = \"/none.pem\", key = \"/none.key\", client_ca = \"/none\" }\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = admin.NewAccess(cfg)
	if err == nil || !strings.Contains(err.Error(), "gateway.toml:4:9: admin.tls.cert") || !strings.Contains(err.Error(), "admin.tls.client_ca") {
		t.Errorf("got %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	g := gatewaytest.Start(t, twoRoutes)
	path := filepath.Join(t.TempDir(), "admin.sock")
	s := listen(t, g, "unix:"+path, access(t, fmt.Sprintf("listen = %q", "unix:"+path)))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v %v", info.Mode(), err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	if resp, err := client.Get("http://any/status"); err != nil || resp.StatusCode != 200 {
		t.Errorf("got %v %v", resp, err)
	}
	if _, err := admin.Listen("unix:"+path, access(t, ""), admin.Options{Gateway: g.Gateway, Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a socket in use was taken away")
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is left")
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close() // as a gateway that was killed leaves it
	listen(t, g, "unix:"+path, access(t, ""))
	if err := os.WriteFile(path+".txt", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Listen("unix:"+path+".txt", access(t, ""), admin.Options{Gateway: g.Gateway, Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a file was taken for a socket")
	}
}

// A client that sends its head a byte at a time is cut off; one whose head is huge is refused.
func TestSlowAndHugeHeads(t *testing.T) {
	g := gatewaytest.Start(t, twoRoutes)
	s := listen(t, g, "127.0.0.1:0", access(t, ""))
	slow, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "GET /status HTTP/1.1\r\nHost: localhost\r\nX: "); err != nil {
		t.Fatal(err)
	}
	huge, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer huge.Close()
	go func() { _, _ = io.WriteString(huge, "GET /status HTTP/1.1\r\nX: "+strings.Repeat("x", 1<<20)) }() // it is cut off in between
	if answer, _ := bufio.NewReader(huge).ReadString('\n'); answer != "" && !strings.Contains(answer, "431") {
		t.Errorf("a huge head got %q", answer)
	}
	if err := slow.SetReadDeadline(time.Now().Add(60 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(slow); err != nil {
		t.Errorf("a slow client was not cut off: %v", err)
	}
}
