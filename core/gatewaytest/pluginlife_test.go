package gatewaytest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An upstream that begins an answer and does not go on holds a plugin no longer than one that says nothing.
func TestFetchEndsInTimeWhateverTheUpstreamDoes(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "asks", "asks")
	release := make(chan struct{})
	backend := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.WriteHeader(200)
		_, _ = w.Write([]byte("begun"))
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	t.Cleanup(func() { close(release) })
	g := StartIn(t, dir, `
[plugins.asks]
grants = ["fetch:auth"]
[upstreams.auth]
endpoints = ["`+backend+`"]
[[routes]]
name = "r"
path = "/"
filters = ["asks"]
respond = { status = 204 }
`)
	answered := make(chan int, 1)
	go func() { status, _, _ := g.Get("/"); answered <- status }()
	select {
	case status := <-answered:
		if status != 506 {
			t.Errorf("got %d, want 506: the fetch timed out", status)
		}
	case <-time.After(20 * time.Second): // the content's own patience is 30 s
		t.Error("the fetch holds its exchange")
	}
}

// A tunnel may outlive many generations: it keeps nothing of the one that it began with.
func TestTunnelsDoNotHoldUpReloads(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "bound", "bound")
	toml := routes(Backend(t, echoSocket), `
[[routes]]
name = "ws"
path = "/*rest"
upstream = "b"
filters = [{ use = "bound", config = { round = ROUND } }]
`)
	round := func(n string) string { return strings.ReplaceAll(toml, "ROUND", n) }
	g := StartIn(t, dir, round("1"))
	c := openSocket(t, g, nil)
	done := make(chan error, 1)
	go func() {
		for _, n := range []string{"2", "3", "4"} {
			if err := g.ApplyText(round(n)); err != nil {
				done <- err
				return
			}
			g.Get("/")
		}
		done <- nil
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("a reload waits for a tunnel")
		c.CloseNow()
		<-done
	}
	if err := exchangeMessage(c, []byte("still there")); err != nil {
		t.Error(err)
	}
}

// A guest that may run for a minute is stopped when the time for draining is over.
func TestDrainStopsGuests(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "loop", "loop")
	g := StartIn(t, dir, `
[sandbox]
dir = "plugins"
cache = "cache"
fuel = 1_000_000_000_000
time_limit = "1m"
[[routes]]
name = "r"
path = "/"
filters = ["loop"]
respond = { status = 204 }
`)
	c, err := net.Dial("tcp", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	Until(t, "the guest runs", func() bool {
		return g.Status().Plugins["loop"].Pools[0].Instances == 1 && g.Status().Plugins["loop"].Pools[0].Idle == 0
	})
	over, cancel := context.WithCancel(context.Background())
	cancel()
	drained := make(chan struct{})
	go func() { _ = g.Drain(over); close(drained) }()
	select {
	case <-drained:
	case <-time.After(30 * time.Second):
		t.Fatal("draining waits for a guest")
	}
}
