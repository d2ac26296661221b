package gatewaytest

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// manyRoutes is a config of so many routes /sN/… over the upstreams, all of them with the one endpoint.
func manyRoutes(routes, upstreams int, endpoint string) string {
	var b strings.Builder
	for i := range upstreams {
		fmt.Fprintf(&b, "[upstreams.u%d]\nendpoints = [%q]\nmax_idle = %d\n", i, endpoint, 2+i%100)
	}
	for i := range routes {
		fmt.Fprintf(&b, "[[routes]]\nname = \"r%d\"\npath = \"/s%d/*rest\"\nupstream = \"u%d\"\n", i, i, i%upstreams)
	}
	return b.String()
}

// No request fails while 2 000 routes and 200 upstreams are reloaded, all of them as they were, or all upstreams anew.
func TestManyRoutesReloadUnderLoad(t *testing.T) {
	const routes, upstreams = 2000, 200
	backend := Backend(t, Echo)
	text := manyRoutes(routes, upstreams, backend)
	g := Start(t, text)
	var stop atomic.Bool
	var served atomic.Int64
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			for n := i; !stop.Load(); n += 37 {
				resp, err := http.Get(fmt.Sprintf("%s/s%d/x", g.URL, n%routes))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("request %d: %s", n, resp.Status)
					return
				}
				served.Add(1)
			}
		})
	}
	defer clients.Wait()
	defer stop.Store(true)
	for _, next := range []string{text, strings.ReplaceAll(text, "max_idle = ", "max_idle = 1"), text} {
		Until(t, "requests are served while it is applied", func() bool { // each time but one that was over too soon
			before := served.Load()
			if err := g.ApplyText(next); err != nil {
				t.Fatal(err)
			}
			return served.Load() > before
		})
	}
}

// What a reload allocates is what the collector has to clear away while requests wait for it: about 5 kB in 60 allocations per route when
// this was written.
func TestReloadGarbagePerRoute(t *testing.T) {
	const routes = 2000
	g := Start(t, manyRoutes(routes, 200, "127.0.0.1:1"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	bytes, count := (after.TotalAlloc-before.TotalAlloc)/routes, (after.Mallocs-before.Mallocs)/routes
	t.Logf("%d bytes in %d allocations per route", bytes, count)
	if bytes > 8<<10 {
		t.Errorf("a reload allocates %d bytes per route, want at most 8192", bytes)
	}
	if count > 100 {
		t.Errorf("a reload takes %d allocations per route, want at most 100", count)
	}
}
