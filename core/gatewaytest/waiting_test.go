//go:build unix

package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// waitingExchanges is how many the promise speaks of. The race detector knows 8128 goroutines at most.
const waitingExchanges = 10_000

// Exchanges that wait for a slow upstream hold no instance, though their response hooks are still to come. Each takes a file of the gateway, for
// the upstream; the clients' requests share connections.
func TestWaitingExchangesHoldNoInstances(t *testing.T) {
	all := min(waitingExchanges, mayOpen(t)-1000)
	if raceEnabled {
		all = min(all, 500)
	}
	dir := t.TempDir()
	for i := range 3 {
		install(t, dir, fmt.Sprintf("p%d", i), "bothways")
	}
	backend := free.Address(t)
	backendProcess(t, backend)
	g := StartIn(t, dir, routes(backend, "[[routes]]\nname = \"r\"\npath = \"/held\"\nupstream = \"b\"\ntimeout = \"5m\"\nfilters = [\"p0\", \"p1\", \"p2\"]\n"))
	ask, finish := clients(t, g.URL+"/held")
	for sent := 0; sent < all; { // few at a time: a crowd at the door would be no crowd that waits
		few := min(4*runtime.GOMAXPROCS(0), all-sent)
		ask(few)
		sent += few
		Until(t, "they have come to the upstream", func() bool { return waitingAt(t, backend) == sent })
	}
	most := 4 * runtime.GOMAXPROCS(0)
	for name, p := range g.Status().Plugins {
		t.Logf("%s: %d instances while %d exchanges wait", name, p.Pools[0].Instances, all)
		if pool := p.Pools[0]; pool.Instances > most || pool.Calls != int64(all) || pool.Instances != pool.Idle {
			t.Errorf("%s: %+v, want at most %d instances, all idle", name, pool, most)
		}
	}
	textOf(t, "http://"+backend+"/release")
	finish()
	for name, p := range g.Status().Plugins {
		pool := p.Pools[0]
		t.Logf("%s: %d instances after the answers, which came all at once", name, pool.Instances)
		if pool.Calls != 2*int64(all) || pool.Instances != pool.Idle {
			t.Errorf("%s: %+v", name, pool)
		}
	}
}

// clients returns what sends requests side by side over HTTP/2, and what waits for all answers.
func clients(t *testing.T, url string) (ask func(n int), finish func()) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	t.Cleanup(transport.CloseIdleConnections)
	var all sync.WaitGroup
	one := func() {
		resp, err := (&http.Client{Transport: transport}).Get(url)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 || resp.Header.Get("X-Seen") != "3" {
			t.Errorf("got %+v, %v", resp, err)
		}
	}
	return func(n int) {
		for range n {
			all.Go(one)
		}
	}, all.Wait
}

func waitingAt(t *testing.T, backend string) int {
	n, err := strconv.Atoi(textOf(t, "http://"+backend+"/waiting"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func textOf(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
