// Package gatewaytest starts a whole gateway on loopback in one line, for tests.
package gatewaytest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gateway"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
)

// listen is the configured address: the kernel chooses the port.
const listen = "127.0.0.1:0"

// Gateway is a running gateway with a folder of its own for plugins, cache and config.
type Gateway struct {
	*gateway.Gateway
	Addr string // host:port
	URL  string // http://host:port
	Dir  string // holds gateway.toml and the folder plugins

	t    testing.TB
	logs output.Text
}

// Start runs a gateway with the given routes, upstreams and filters in TOML; the tables [server], [log] and [sandbox]
// are added unless they are there. It ends with the test, which fails if the gateway does not stop cleanly.
func Start(t testing.TB, toml string) *Gateway {
	t.Helper()
	return StartIn(t, t.TempDir(), toml)
}

// StartIn is Start in a folder that the caller has prepared, say with plugins.
func StartIn(t testing.TB, dir, toml string) *Gateway {
	t.Helper()
	g := newIn(t, dir)
	if err := g.ApplyText(toml); err != nil {
		t.Fatalf("the gateway did not start:\n%v", err)
	}
	g.Addr = g.Addresses()[listen]
	g.URL = "http://" + g.Addr
	return g
}

// newIn makes a gateway that serves nothing yet.
func newIn(t testing.TB, dir string) *Gateway {
	g := &Gateway{Dir: dir, t: t}
	g.Gateway = gateway.New(slog.New(slog.NewJSONHandler(&g.logs, nil)))
	t.Cleanup(g.stop)
	return g
}

func (g *Gateway) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := g.Drain(ctx); err != nil {
		g.t.Errorf("draining: %v", err)
	}
}

// ApplyText writes gateway.toml anew and applies it, like a reload.
func (g *Gateway) ApplyText(toml string) error {
	file := filepath.Join(g.Dir, "gateway.toml")
	if err := os.WriteFile(file, []byte(complete(toml)), 0o600); err != nil {
		return err
	}
	return g.Reload()
}

// Reload applies gateway.toml and the plugin files as they are.
func (g *Gateway) Reload() error {
	cfg, err := config.Load(filepath.Join(g.Dir, "gateway.toml"))
	if err != nil {
		return err
	}
	return g.Apply(cfg)
}

func complete(toml string) string {
	for table, text := range map[string]string{
		"[server]": "[server]\nlisten = [\"" + listen + "\"]\ndrain_timeout = \"5s\"\n",
		"[log]":    "[log]\naccess = \"off\"\n",
		// A machine that has other work may keep a hook waiting for longer than the usual 100 ms.
		"[sandbox]": "[sandbox]\ndir = \"plugins\"\ncache = \"cache\"\ntime_limit = \"20s\"\n",
	} {
		if !strings.Contains(toml, table) {
			toml = text + toml
		}
	}
	return toml
}

// Logs returns what the gateway has logged so far, a JSON object a line.
func (g *Gateway) Logs() string { return g.logs.String() }

// Get sends a GET with the given fields ("Name: value") and returns the answer's status, fields and body.
func (g *Gateway) Get(path string, fields ...string) (int, http.Header, string) {
	g.t.Helper()
	return g.Do("GET", path, "", fields...)
}

// Do sends a request and returns the answer's status, fields and body.
func (g *Gateway) Do(method, path, body string, fields ...string) (int, http.Header, string) {
	g.t.Helper()
	r, err := http.NewRequest(method, g.URL+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if strings.EqualFold(name, "Host") {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	// No redirects: the gateway's own answer is what tests want to see.
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// Backend starts a server for the test and returns its host:port.
func Backend(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// Echo is a backend's handler that says in text what reached it: request line, Host, fields of interest, body length.
func Echo(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	fmt.Fprintf(w, "%s %s host=%s body=%d err=%v\n", r.Method, r.URL.RequestURI(), r.Host, n, err)
	for name, values := range r.Header {
		for _, value := range values {
			fmt.Fprintf(w, "%s: %s\n", name, value)
		}
	}
}

// Until waits for a condition and fails the test if it does not come true in time.
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
