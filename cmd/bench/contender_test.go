package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPayloadIsTheSizeThatIsCompared(t *testing.T) {
	if got := len(payload); got != 259 {
		t.Errorf("got %d bytes, want 259", got)
	}
	if strings.ContainsAny(payload, "'$\\") {
		t.Error("nginx would read the payload otherwise than it is")
	}
}

func TestConfigsAreComplete(t *testing.T) {
	for _, c := range append(contenders(), contender{name: "backend", setUp: backendServer}) {
		t.Run(c.name, func(t *testing.T) {
			at := site{dir: t.TempDir(), address: "127.0.0.1:1111", backend: "127.0.0.1:2222", self: "bench", sallyport: "gateway", plugins: "plugins"}
			server, err := c.setUp(at)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(server.argv, " ")
			files, err := filepath.Glob(filepath.Join(at.dir, "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				said += string(text)
			}
			for _, placeholder := range []string{"{DIR}", "{ADDRESS}", "{BACKEND}", "{PAYLOAD}", "{PLUGINS}", "{CACHE}", "{CERTS}", "{LISTEN}", "{ACCESS}"} {
				if strings.Contains(said, placeholder) {
					t.Errorf("%s was left in:\n%s", placeholder, said)
				}
			}
			if !strings.Contains(said, at.address) || c.name != "backend" && !strings.Contains(said, at.backend) {
				t.Errorf("an address is missing:\n%s", said)
			}
		})
	}
}

func TestMissingNamesTheFirstThing(t *testing.T) {
	at := site{sallyport: filepath.Join(t.TempDir(), "sallyport"), plugins: t.TempDir()}
	c := gatewayWith("x", ipRulesFilter)
	if got := c.missing(at); got != at.sallyport {
		t.Errorf("got %q, want %q", got, at.sallyport)
	}
	if err := os.WriteFile(at.sallyport, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, want := c.missing(at), filepath.Join(at.plugins, "ip-rules.wasm"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := gatewayWith("plain").missing(at); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestReverseProxyPassesOn(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Host+" "+r.URL.Path+" "+r.Header.Get("X-Forwarded-For"))
	}))
	defer backend.Close()
	proxy := httptest.NewServer(newReverseProxy(strings.TrimPrefix(backend.URL, "http://")))
	defer proxy.Close()
	resp, err := http.Get(proxy.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if want := strings.TrimPrefix(proxy.URL, "http://") + " " + path + " 127.0.0.1"; err != nil || string(body) != want {
		t.Errorf("got %q, %v; want %q", body, err, want)
	}
}

func TestReadyTellsWhatAProcessSaid(t *testing.T) {
	p, err := startProcess(t.TempDir(), proxyCore, contender{name: "crash"}, "127.0.0.1:1", server{argv: []string{"sh", "-c", "echo no such port; exit 3"}})
	if err != nil {
		t.Skip(err)
	}
	defer p.stop()
	if err := p.ready(context.Background()); err == nil || !strings.Contains(err.Error(), "no such port") {
		t.Errorf("got %v", err)
	}
}

func TestParseSettings(t *testing.T) {
	for _, bad := range [][]string{{"-rounds", "0"}, {"-seconds", "0"}, {"-seconds", "601"}, {"nginx"}} {
		if _, err := parseSettings(bad); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
	s, err := parseSettings([]string{"-only", "nginx,sallyport+", "-min-busy", "90"})
	if err != nil {
		t.Fatal(err)
	}
	f := field{settings: s}
	if s.rounds != 3 || s.minBusy != 0.9 || !f.wanted("sallyport+ratelimit") || f.wanted("sallyport") || f.wanted("haproxy") {
		t.Errorf("got %+v", s)
	}
}
