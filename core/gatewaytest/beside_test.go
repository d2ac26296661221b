package gatewaytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// steadyClient asks one thing after the other on one connection, and takes the time of each.
type steadyClient struct {
	t    testing.TB
	conn net.Conn
	read *bufio.Reader
}

func newSteadyClient(t testing.TB, address string) *steadyClient {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &steadyClient{t, c, bufio.NewReader(c)}
}

// ask returns how long an answer took, which must be 200.
func (c *steadyClient) ask(path string) time.Duration {
	began := time.Now()
	if _, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path); err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.ReadResponse(c.read, nil)
	if err != nil || resp.StatusCode != 200 {
		c.t.Fatalf("%s: got %+v, %v", path, resp, err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		c.t.Fatal(err)
	}
	return time.Since(began)
}

// times asks for a while and returns how long half and 99 of 100 answers took at most, and how many there were.
func (c *steadyClient) times(path string, d time.Duration) (median, p99 time.Duration, n int) {
	began := time.Now()
	return c.timesUntil(path, func() bool { return time.Since(began) >= d })
}

// timesUntil does the same until it is enough.
func (c *steadyClient) timesUntil(path string, enough func() bool) (median, p99 time.Duration, n int) {
	all := []time.Duration{c.ask(path)}
	for !enough() {
		all = append(all, c.ask(path))
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100], len(all)
}

// Guests that burn what they are given do not keep routes without them from answering. How quickly is printed, and judged by whoever measures on a
// machine that has nothing else to do.
func TestLatencyBesideHostileGuests(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "hostile", "hostile")
	backend := Backend(t, Echo)
	toml, paths := hostileRoutes(backend)
	g := StartIn(t, dir, toml)
	client := newSteadyClient(t, g.Addr)
	client.times("/good", 100*time.Millisecond)
	_, quiet, _ := client.times("/good", 500*time.Millisecond)
	stop := attackWith(g, paths)
	median, p99, n := client.times("/good", time.Second)
	if attacks := stop(); attacks == 0 {
		t.Error("nobody attacked")
	} else {
		t.Logf("99 of 100 within %v; beside %d attacks %v, half of %d within %v", quiet, attacks, p99, n, median)
	}
}

// hostileRoutes are a route without plugins, and one for all that a guest can do wherever it can; their paths are returned, too.
func hostileRoutes(backend string) (toml string, paths []string) {
	toml = fmt.Sprintf("[sandbox]\ndir = \"plugins\"\ncache = \"cache\"\n[plugins.hostile]\ngrants = [\"fetch:auth\"]\n[upstreams.auth]\nendpoints = [%q]\n", backend) +
		routes(backend, "[[routes]]\nname = \"good\"\npath = \"/good\"\nupstream = \"b\"\n")
	for _, at := range evilPlaces {
		for _, do := range evilDeeds {
			toml += evilRoute(at, do, "deny")
			paths = append(paths, fmt.Sprintf("/deny/%c%c", at, do))
		}
	}
	return toml, paths
}

// attackWith asks for the paths from two sides until it is stopped, and says then how often it has.
func attackWith(g *Gateway, paths []string) (stop func() int64) {
	var over atomic.Bool
	var beside sync.WaitGroup
	var attacks atomic.Int64
	for range 2 {
		beside.Go(func() {
			for !over.Load() {
				visit(g, paths[int(attacks.Add(1))%len(paths)])
			}
		})
	}
	return func() int64 {
		over.Store(true)
		beside.Wait()
		return attacks.Load()
	}
}
