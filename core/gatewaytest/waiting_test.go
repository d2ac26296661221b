package gatewaytest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
)

// Exchanges that wait for a slow upstream hold no instance, though their response hooks are still to come.
func TestWaitingExchangesHoldNoInstances(t *testing.T) {
	const all = 1000 // each takes four files of this process
	dir := t.TempDir()
	toml := ""
	for i := range 3 {
		install(t, dir, fmt.Sprintf("p%d", i), "bothways")
	}
	var asked atomic.Int64
	release := make(chan struct{})
	backend := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		<-release
	})
	toml += routes(backend, "[[routes]]\nname = \"r\"\npath = \"/\"\nupstream = \"b\"\nfilters = [\"p0\", \"p1\", \"p2\"]\n")
	g := StartIn(t, dir, toml)
	conns := make([]net.Conn, all)
	for i := range conns {
		c, err := net.Dial("tcp", g.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		conns[i] = c
	}
	Until(t, "all have come to the upstream", func() bool { return asked.Load() == all })
	most := 4 * runtime.GOMAXPROCS(0)
	for name, p := range g.Status().Plugins {
		if pool := p.Pools[0]; pool.Instances > most || pool.Calls != all || pool.Instances != pool.Idle {
			t.Errorf("%s: %+v, want at most %d instances, all idle", name, pool, most)
		}
	}
	close(release)
	for _, c := range conns {
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("X-Seen") != "3" {
			t.Fatalf("got %+v, %v", resp, err)
		}
	}
	for name, p := range g.Status().Plugins {
		if pool := p.Pools[0]; pool.Instances > most || pool.Calls != 2*all {
			t.Errorf("%s: %+v", name, pool)
		}
	}
}
