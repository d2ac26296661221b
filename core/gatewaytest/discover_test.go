package gatewaytest

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gateway"
)

// named starts a server that says its name, at an address if one is given.
func named(t *testing.T, name, address string) string {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// putFile puts a file in another's place at once.
func putFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// overwrite writes over a file with something longer in one step: it is never empty, which could count as a mistake of its own.
func overwrite(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// census asks over and over, and counts who answers. Whatever is no answer of a server fails the test.
type census struct {
	stop  chan struct{}
	group sync.WaitGroup
	total atomic.Int64
	mu    sync.Mutex
	last  map[int64]string // some of the latest answers, by number
}

// latest is how many answers a census remembers.
const latest = 200

func startCensus(t *testing.T, g *Gateway) *census {
	c := &census{stop: make(chan struct{}), last: map[int64]string{}}
	for range 8 {
		c.group.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
			defer client.CloseIdleConnections()
			for c.ask(t, client, g.URL) {
			}
		})
	}
	return c
}

func (c *census) ask(t *testing.T, client *http.Client, url string) bool {
	select {
	case <-c.stop:
		return false
	default:
	}
	resp, err := client.Get(url)
	if err != nil {
		t.Errorf("a request was lost: %v", err)
		return false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("a request was lost: %d %s %v", resp.StatusCode, text, err)
		return false
	}
	n := c.total.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[n%latest] = string(text)
	return true
}

// until waits until all of those named answer, and nobody else.
func (c *census) until(t *testing.T, names ...string) {
	t.Helper()
	Until(t, fmt.Sprintf("%v answer", names), func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		seen := map[string]bool{}
		for _, name := range c.last {
			seen[name] = true
		}
		for _, name := range names {
			if !seen[name] {
				return false
			}
		}
		return len(seen) == len(names) && len(c.last) == latest
	})
}

func (c *census) end() {
	close(c.stop)
	c.group.Wait()
}

// addresses are those of the upstream u at one moment.
func addresses(g *Gateway) []string {
	list := []string{}
	for _, e := range g.Status().Upstreams["b"] {
		list = append(list, e.Address)
	}
	return list
}

func expectEndpoints(t *testing.T, g *Gateway, want ...string) {
	t.Helper()
	slices.Sort(want)
	Until(t, fmt.Sprintf("the endpoints are %v", want), func() bool { return slices.Equal(addresses(g), want) })
}

// Traffic follows a file, and no request is lost.
func TestEndpointFile(t *testing.T) {
	a, b, c := named(t, "a", ""), named(t, "b", ""), named(t, "c", "")
	dir := t.TempDir()
	file := filepath.Join(dir, "servers.json")
	putFile(t, file, fmt.Sprintf("[%q]", a))
	g := StartIn(t, dir, "[upstreams.b.discover]\nfile = \"servers.json\"\n"+allToB)
	load := startCensus(t, g)
	defer load.end()
	load.until(t, "a")
	for range 3 {
		putFile(t, file, fmt.Sprintf("[%q, %q]", b, c))
		load.until(t, "b", "c")
		overwrite(t, file, fmt.Sprintf("[%q, %q, \"127.", a, b)) // half of it
		Until(t, "the failure is shown", func() bool { return g.Status().Discovery["b"].Error != "" })
		load.until(t, "b", "c")
		putFile(t, file, fmt.Sprintf(`{"endpoints": [{"address": %q, "weight": 3}]}`, a))
		load.until(t, "a")
	}
	s := g.Status().Discovery["b"]
	if s.Kind != "file" || s.Name != file || s.Changes != 7 || s.Failures != 3 || s.Success.Before(s.Failure) || s.Error != "" ||
		len(s.Endpoints) != 1 || s.Endpoints[0].Address != a || s.Endpoints[0].Weight != 3 {
		t.Errorf("status %+v", s)
	}
	for _, want := range []string{`"msg":"endpoints have changed","source":"file","name":"` + file, `"added":["` + a + `"]`, `"msg":"discovery failed`} {
		if !strings.Contains(g.Logs(), want) {
			t.Errorf("the log lacks %s:\n%s", want, g.Logs())
		}
	}
}

// What is found goes together with the endpoints of the config; those of the config come first.
func TestEndpointsOfBoth(t *testing.T) {
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "servers.toml"), `endpoints = [{ address = "127.0.0.1:1", weight = 5 }, "127.0.0.1:2"]`)
	g := StartIn(t, dir, "[upstreams.b]\nendpoints = [\"127.0.0.1:3\", { address = \"127.0.0.1:1\", weight = 2 }]\ndiscover = { file = \"servers.toml\" }\n"+allToB)
	if got, want := addresses(g), []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}; !slices.Equal(got, want) {
		t.Errorf("right after the start: %v, want %v", got, want)
	}
	if got := g.Status().Upstreams["b"][0].Weight; got != 2 {
		t.Errorf("weight %d, want 2", got)
	}
}

// An upstream without endpoints does not keep the gateway from starting, and serves as soon as there are some. Reloads leave a source
// and what it has found alone, unless its own table changes; a source that nobody needs any more is gone.
func TestSourcesAndReloads(t *testing.T) {
	a := named(t, "a", "")
	dir := t.TempDir()
	file := filepath.Join(dir, "servers.toml")
	g := StartIn(t, dir, "[upstreams.b]\nendpoints = [\"127.0.0.1:1\"]\n"+allToB)
	goroutines := runtime.NumGoroutine()
	apply := func(upstream string) {
		t.Helper()
		if err := g.ApplyText(upstream + allToB); err != nil {
			t.Fatal(err)
		}
	}
	apply("[upstreams.b.discover]\nfile = \"servers.toml\"\n")
	if status, _, _ := g.Get("/"); status != 503 {
		t.Errorf("status %d without endpoints, want 503", status)
	}
	if s := g.Status().Discovery["b"]; s.Error == "" || !s.Success.IsZero() || s.Failures != 1 {
		t.Errorf("status %+v", s)
	}
	putFile(t, file, fmt.Sprintf("endpoints = [%q]", a))
	expectEndpoints(t, g, a)
	if status, _, text := g.Get("/"); status != 200 || text != "a" {
		t.Errorf("got %d %s", status, text)
	}

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	Until(t, "the failure is shown", func() bool { return g.Status().Discovery["b"].Failures == 2 })
	before := g.Status().Discovery["b"]
	apply("[upstreams.b]\nretries = 0\ndiscover = { file = \"servers.toml\" }\n")
	if status, _, _ := g.Get("/"); status != 200 {
		t.Errorf("status %d after another option has changed", status)
	}
	if got := g.Status().Discovery["b"]; got.Failures != before.Failures || !got.Success.Equal(before.Success) {
		t.Errorf("the source was made anew: %+v, before %+v", got, before)
	}
	if err := g.ApplyText("[upstreams.b]\ndiscover = { file = \"others.toml\" }\n[[routes]]\n"); err == nil {
		t.Error("a faulty config was taken")
	}
	if status, _, _ := g.Get("/"); status != 200 {
		t.Errorf("status %d after a faulty config", status)
	}
	apply("[upstreams.b]\ndiscover = { file = \"others.toml\" }\n")
	if status, _, _ := g.Get("/"); status != 503 {
		t.Errorf("status %d from another file, want 503", status)
	}

	apply("[upstreams.b]\nendpoints = [\"127.0.0.1:1\"]\n")
	if n := len(g.Status().Discovery); n != 0 {
		t.Errorf("%d sources", n)
	}
	Until(t, "no goroutine is left", func() bool {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine() <= goroutines
	})
}

// A DNS server that says nothing holds a start up for a while only; a check does not ask it.
func TestSilentDNS(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	toml := fmt.Sprintf("[upstreams.b.discover]\ndns = \"a.test:80\"\nresolver = %q\ntimeout = \"1m\"\n", silent.LocalAddr()) + allToB
	dir := t.TempDir()
	file := filepath.Join(dir, "gateway.toml")
	putFile(t, file, complete(toml))
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Check(slog.New(slog.DiscardHandler), cfg); err != nil {
		t.Error(err)
	}
	if err := silent.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, _, err := silent.ReadFrom(make([]byte, 512)); err == nil {
		t.Errorf("a check has asked with %d bytes", n)
	}
	g := StartIn(t, dir, toml) // the bound is a fraction of the timeout
	if status, _, _ := g.Get("/"); status != 503 {
		t.Errorf("status %d, want 503", status)
	}
	if !strings.Contains(g.Logs(), "endpoints are still being looked up") {
		t.Errorf("the log does not say so:\n%s", g.Logs())
	}
}
