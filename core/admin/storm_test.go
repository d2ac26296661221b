package admin_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/admin"
	"github.com/sallyport/sallyport/core/gatewaytest"
)

// stormConfig has a route that is always there, and others that come and go.
func stormConfig(backend string, i int) string {
	return fmt.Sprintf(`
[tracing]
sample = 1
trust_incoming = true
otlp = { endpoint = "http://127.0.0.1:1", protocol = "http", timeout = "100ms" }
[upstreams.u]
endpoints = [%q, "127.0.0.1:%d"]
retries = 2
[[routes]]
name = "stays"
path = "/*rest"
upstream = "u"
filters = [{ use = "ratelimit", rate = "%d/s" }]
[[routes]]
name = "comes%d"
path = "/comes/*rest"
upstream = "u"
`, backend, 1+i%2, 100_000+i, i%3)
}

// counters returns the samples of /metrics that must never go down.
func counters(t *testing.T, text string) map[string]float64 {
	t.Helper()
	found, counted := map[string]float64{}, map[string]bool{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 4 && words[1] == "TYPE" && words[3] != "gauge" {
			counted[words[2]] = true
			continue
		}
		name, _, _ := strings.Cut(line, "{")
		name = strings.Fields(name + " ")[0]
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if !counted[base] && !counted[name] || !strings.HasPrefix(name, "http_") && !strings.HasPrefix(name, "sallyport_") {
			continue
		}
		at := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil || value < 0 {
			t.Errorf("%q: %v", line, err)
		}
		found[line[:at]] = value
	}
	return found
}

// Operators, Prometheus and clients that come, go and break off, all at once while the config changes: nothing is counted backwards, and
// nothing is left in flight.
func TestEverythingAtOnce(t *testing.T) {
	backend := gatewaytest.Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "x")
			w.WriteHeader(http.StatusSwitchingProtocols)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	l := start(t, "", stormConfig(backend, 0))
	stop := make(chan struct{})
	var all sync.WaitGroup
	loop := func(do func(i int)) {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					do(i)
				}
			}
		})
	}
	for range 2 {
		loop(func(i int) { strike(l.Addr, i) })
	}
	var once sync.Mutex
	before := map[string]float64{}
	loop(func(int) {
		_, text := l.ask("GET", "/metrics", "")
		now := counters(t, text)
		once.Lock()
		defer once.Unlock()
		for name, value := range now {
			if value < before[name] && !strings.HasPrefix(name, "sallyport_endpoint_") { // an endpoint that goes takes its counts along
				t.Errorf("%s went from %v to %v", name, before[name], value)
			}
			before[name] = value
		}
		for name := range before {
			if strings.Contains(name, `sallyport_route="stays"`) && strings.HasPrefix(name, "http_server") {
				if _, there := now[name]; !there {
					t.Errorf("%s has gone", name)
				}
			}
		}
	})
	loop(func(i int) {
		l.ask("POST", "/upstreams/u/endpoints/"+backend+"/drain", fmt.Sprintf(`{"drain": %v}`, i%2 == 0), sent)
		l.ask("PUT", "/upstreams/u/endpoints/"+backend+"/weight", fmt.Sprintf(`{"weight": %d}`, 1+i%1000), sent)
	})
	loop(func(i int) {
		for _, path := range []string{"/status", "/stats", "/refusals", "/routes", "/plugins", "/upstreams", "/config", "/config/history", "/config/diff", "/explain?url=/comes/x", "/debug/pprof/goroutine", "/readyz"} {
			if resp, text := l.ask("GET", path, ""); resp.StatusCode != 200 && path != "/config/diff" {
				t.Errorf("%s: %d %s", path, resp.StatusCode, text)
			}
		}
	})
	for i := range 25 {
		if err := l.ApplyText(stormConfig(backend, i)); err != nil {
			t.Fatal(err)
		}
		l.note("file", "", nil)
	}
	close(stop)
	all.Wait()
	gatewaytest.Until(t, "nothing is in flight", func() bool {
		_, text := l.ask("GET", "/metrics", "")
		for line := range strings.Lines(text) {
			for _, gauge := range []string{"sallyport_exchanges_active ", "sallyport_endpoint_active{", "sallyport_upstream_pending{", "sallyport_upstream_retrying{"} {
				if strings.HasPrefix(line, gauge) && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
					return false
				}
			}
		}
		return true
	})
	gatewaytest.Until(t, "few goroutines are left", func() bool {
		var s admin.Status
		l.get("/status", &s)
		return s.Goroutines < 200
	})
}

// strike sends one of several requests, most of which end badly.
func strike(address string, i int) {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	const host = " HTTP/1.1\r\nHost: x\r\n"
	heads := []string{
		"GET /a" + host + "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n",
		"POST /b" + host + "Content-Length: 100\r\n\r\nshort",
		"GET /c" + host + "Connection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"GET /comes/x" + host + "tracestate: " + strings.Repeat("a=b,", 100) + "\r\n\r\n",
		"FOO" + strconv.Itoa(i) + " /d" + host + "\r\n",
		"GET /e", "\x00\xff\r\n\r\n",
		"POST /f" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz",
	}
	if _, err := io.WriteString(c, heads[i%len(heads)]); err == nil && i%3 > 0 {
		_, _ = c.Read(make([]byte, 512))
	}
}
