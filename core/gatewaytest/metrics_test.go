package gatewaytest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/admin"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

const counted = "[metrics]\nenabled = true\n"

// adminOf is the admin API of a gateway.
func adminOf(g *Gateway) http.Handler {
	cfg := &config.Config{Admin: &config.Admin{Listen: "127.0.0.1:9901"}}
	access, err := admin.NewAccess(cfg)
	if err != nil {
		panic(err)
	}
	return admin.Handler(access, admin.Options{Gateway: g.Gateway, Reload: func(string) error { return g.Reload() }, Version: "test", Log: slog.New(slog.DiscardHandler)})
}

// scrape returns the answer of GET /metrics.
func scrape(t testing.TB, handler http.Handler, accept string) (string, http.Header) {
	t.Helper()
	r := httptest.NewRequest("GET", "http://127.0.0.1/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	return w.Body.String(), w.Header()
}

// seriesOf returns the values in a scrape by series, as it writes them.
func seriesOf(t testing.TB, text string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		space := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if _, twice := all[line[:space]]; twice {
			t.Errorf("twice: %s", line)
		}
		all[line[:space]] = value
	}
	return all
}

// wantSeries waits until the scrape has those values: an exchange is counted after its client has the answer.
func wantSeries(t testing.TB, g *Gateway, want map[string]float64) {
	t.Helper()
	handler := adminOf(g)
	var got map[string]float64
	matches := func() bool {
		text, _ := scrape(t, handler, "")
		got = seriesOf(t, text)
		for name, value := range want {
			if got[name] != value {
				return false
			}
		}
		return true
	}
	defer func() {
		if !t.Failed() {
			return
		}
		for name, value := range want {
			if have, there := got[name]; have != value {
				t.Logf("%s: got %v (there: %v), want %v", name, have, there, value)
			}
		}
	}()
	Until(t, "the metrics are right", matches)
}

func durations(kind, route, path, method, status string) string {
	return fmt.Sprintf(`http_server_request_duration_seconds_%s{http_request_method=%q,http_response_status_code=%q,http_route=%q,sallyport_route=%q,url_scheme="http"}`,
		kind, method, status, path, route)
}

// busyTOML has a bit of everything; its gateway needs the guests granted, loop and ends, as busyDir has them.
const busyTOML = `
[secrets]
hmac = "hush"
other = "hush"
[kv.shared]
entries = 1000
[limits.login]
rate = "4/d"
[sandbox]
dir = "plugins"
cache = "cache"
fuel = 1_000_000
time_limit = "20s"
[plugins.granted]
grants = ["kv:shared", "limit:login", "secret:hmac"]
[upstreams.dead]
endpoints = ["127.0.0.1:1"]
retries = 1
[[routes]]
name = "granted"
path = "/granted"
filters = ["granted"]
respond = { status = 200 }
[[routes]]
name = "loop"
path = "/loop"
filters = ["loop"]
respond = { status = 200 }
[[routes]]
name = "limited"
path = "/limited"
filters = [{ use = "ratelimit", rate = "1/d" }]
respond = { status = 204 }
[[routes]]
name = "dead"
path = "/dead"
upstream = "dead"
[[routes]]
name = "picky"
path = "/picky/*rest"
methods = ["GET"]
reject_encoded = ["%2F"]
respond = { status = 200 }
[[routes]]
name = "bounded"
path = "/bounded"
concurrency = { limit = 10 }
upstream = "b"
mirror = { upstream = "b" }
[[routes]]
name = "split"
path = "/split"
split = [{ name = "one", upstream = "b" }, { name = "two", upstream = "b" }]
[[routes]]
name = "items"
path = "/items/:id"
upstream = "b"
`

func busyDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	install(t, dir, "granted", "granted")
	install(t, dir, "loop", "loop")
	return dir
}

// careful is an upstream with health checks, ejection and a breaker.
func careful(backend string) string {
	return fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nhealth = { path = \"/health\" }\neject = {}\nbreaker = { failures = 1000 }\nretry = { on = [\"503\"] }\n", backend)
}

// makeTraffic sends requests of all kinds.
func makeTraffic(g *Gateway) {
	for range 5 {
		g.Get("/granted")
	}
	for range 3 {
		g.Do("POST", "/items/1", "hello")
		g.Get("/limited")
	}
	g.Get("/items/2")
	for _, path := range []string{"/loop", "/dead", "/nowhere", "/picky/a%2Fb", "/bounded", "/split"} {
		g.Get(path)
	}
	g.Do("POST", "/picky/x", "")
	g.Do("BREW", "/items/3", "")
}

func TestMetricsAreRight(t *testing.T) {
	backend := Backend(t, Echo)
	g := StartIn(t, busyDir(t), counted+careful(backend)+busyTOML)
	makeTraffic(g)
	const client = `http_client_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200",sallyport_upstream="b",server_address="b"}`
	want := map[string]float64{
		durations("count", "items", "/items/:id", "POST", "200"):                                                                                      3,
		durations("bucket", "items", "/items/:id", "POST", "200")[:len(durations("bucket", "items", "/items/:id", "POST", "200"))-1] + `,le="+Inf"}`:  3,
		durations("count", "items", "/items/:id", "GET", "200"):                                                                                       1,
		durations("count", "items", "/items/:id", "_OTHER", "200"):                                                                                    1,
		durations("count", "limited", "/limited", "GET", "204"):                                                                                       1,
		durations("count", "limited", "/limited", "GET", "429"):                                                                                       2,
		durations("count", "granted", "/granted", "GET", "200"):                                                                                       4,
		durations("count", "granted", "/granted", "GET", "429"):                                                                                       1,
		durations("count", "picky", "/picky/*rest", "GET", "400"):                                                                                     1,
		durations("count", "loop", "/loop", "GET", "503"):                                                                                             1,
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404",sallyport_route="",url_scheme="http"}`:  1,
		`http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="405",sallyport_route="",url_scheme="http"}`: 1,
		`sallyport_route_received_bytes_total{sallyport_route="items"}`:                                                                               15,
		`sallyport_route_overhead_seconds_count{sallyport_route="items"}`:                                                                             5,
		`sallyport_route_faults_total{sallyport_fault="not_found",sallyport_route="",sallyport_side="client"}`:                                        1,
		`sallyport_route_faults_total{sallyport_fault="unavailable",sallyport_route="loop",sallyport_side="plugin"}`:                                  1,
		`sallyport_limit_decisions_total{sallyport_limit="limits.login",sallyport_outcome="denied"}`:                                                  1,
		`sallyport_limit_decisions_total{sallyport_limit="limits.login",sallyport_outcome="allowed"}`:                                                 4,
		client: 3,
		`http_client_request_duration_seconds_count{error_type="bad_gateway",http_request_method="GET",sallyport_upstream="dead",server_address="dead"}`: 1,
		`sallyport_plugin_calls_total{sallyport_plugin="granted"}`:                                                                                       5,
		`sallyport_plugin_failures_total{sallyport_cause="fuel",sallyport_plugin="loop"}`:                                                                1,
		`sallyport_filter_calls_total{sallyport_plugin="granted",sallyport_route="granted"}`:                                                             5,
		`sallyport_filter_failed_total{sallyport_plugin="loop",sallyport_route="loop"}`:                                                                  1,
		`sallyport_plugin_own_requests_total{sallyport_plugin="granted"}`:                                                                                4,
		`sallyport_endpoint_usable{sallyport_upstream="dead",server_address="127.0.0.1:1"}`:                                                              1,
		`sallyport_endpoint_breaker{sallyport_upstream="b",server_address="` + backend + `"}`:                                                            0,
		`sallyport_concurrency_limit{sallyport_route="bounded"}`:                                                                                         10,
		`sallyport_mirror_copies_total{sallyport_outcome="sent",sallyport_route="bounded"}`:                                                              1,
		`sallyport_config_generation`:                                        1,
		`sallyport_config_reloads_total{sallyport_outcome="succeeded"}`:      0,
		`sallyport_config_last_reload_successful`:                            1,
		`sallyport_listener_refused_total{sallyport_listener="127.0.0.1:0"}`: 0,
		`sallyport_exchanges_active`:                                         0,
		`sallyport_build_info{service_version="unknown"}`:                    1,
		`target_info{service_name="sallyport",service_version="unknown"}`:    1,
	}
	wantSeries(t, g, want)
	text, _ := scrape(t, adminOf(g), "")
	for _, name := range []string{"go_goroutines", "go_gc_duration_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("%s is missing", name)
		}
	}
}

// What was counted stays, and what was made anew, such as a plugin's pool, goes on from there.
func TestMetricsSurviveReloads(t *testing.T) {
	backend := Backend(t, Echo)
	g := StartIn(t, busyDir(t), counted+careful(backend)+busyTOML)
	makeTraffic(g)
	if err := g.ApplyText("[server]\nlisten = 5\n"); err == nil {
		t.Fatal("a bad config was taken")
	}
	g.NoteRefused() // as the process does, which has read it
	failed := map[string]float64{`sallyport_config_reloads_total{sallyport_outcome="failed"}`: 1, `sallyport_config_last_reload_successful`: 0}
	wantSeries(t, g, failed)
	if err := g.ApplyText(counted + strings.Replace(careful(backend)+busyTOML, `hmac = "hush"`, `hmac = "another"`, 1)); err != nil {
		t.Fatal(err)
	}
	makeTraffic(g)
	want := map[string]float64{
		durations("count", "items", "/items/:id", "POST", "200"):                                     6,
		`sallyport_plugin_calls_total{sallyport_plugin="granted"}`:                                   10,
		`sallyport_filter_calls_total{sallyport_plugin="granted",sallyport_route="granted"}`:         10,
		`sallyport_filter_failed_total{sallyport_plugin="loop",sallyport_route="loop"}`:              2,
		`sallyport_limit_decisions_total{sallyport_limit="limits.login",sallyport_outcome="denied"}`: 6,
		`sallyport_config_reloads_total{sallyport_outcome="succeeded"}`:                              1,
		`sallyport_config_last_reload_successful`:                                                    1,
		`sallyport_config_generation`:                                                                2,
	}
	wantSeries(t, g, want)

	// A route that is gone is told no more, and turning metrics off ends the counting.
	if err := g.ApplyText(counted + routes(backend, allToB)); err != nil {
		t.Fatal(err)
	}
	Until(t, "the old routes are gone", func() bool {
		text, _ := scrape(t, adminOf(g), "")
		return !strings.Contains(text, `sallyport_route="items"`) && !strings.Contains(text, `sallyport_plugin="loop"`)
	})
	if err := g.ApplyText(routes(backend, allToB)); err != nil {
		t.Fatal(err)
	}
	g.Get("/")
	if stats := g.Stats(); stats.Counted || len(stats.Routes) > 1 {
		t.Errorf("counted without being told to: %+v", stats.Routes)
	}
}

func TestTunnelsAndTLSAreCounted(t *testing.T) {
	backend := server(t, func(c *net.TCPConn, r *bufio.Reader) {
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
		io.Copy(c, r)
	})
	pair := certs.New(t, "a.example")
	toml := secured(pair, "") + counted + routes(backend, allToB)
	g := Start(t, toml)
	nc := dialTLS(t, g.Addr, &tls.Config{RootCAs: pair.Pool, ServerName: "a.example"})
	io.WriteString(nc, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
	r := bufio.NewReader(nc)
	if err := readHead(r); err != nil {
		t.Fatal(err)
	}
	open := `sallyport_listener_connections{network_protocol_version="1.1",sallyport_listener="127.0.0.1:0"}`
	wantSeries(t, g, map[string]float64{open: 1, `sallyport_listener_tls_handshakes_total{sallyport_listener="127.0.0.1:0",sallyport_outcome="succeeded"}`: 1})
	if err := g.ApplyText(strings.Replace(toml, "drain_timeout = \"5s\"", "drain_timeout = \"6s\"", 1)); err != nil { // the tunnel outlives its generation
		t.Fatal(err)
	}
	nc.Close()
	raw(t, g.Addr, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n") // plain, and so no handshake
	wantSeries(t, g, map[string]float64{
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="101",http_route="/*rest",sallyport_route="r",url_scheme="https"}`: 1,
		`sallyport_listener_tls_handshakes_total{sallyport_listener="127.0.0.1:0",sallyport_outcome="failed"}`:                                                             1,
		open: 0,
	})
}

// Whatever clients send, the number of series stays.
func TestClientsCannotMakeSeries(t *testing.T) {
	g := Start(t, counted+routes(Backend(t, Echo), allToB+"[[routes]]\nname = \"hosted\"\nhost = \"*.example\"\npath = \"/\"\nrespond = { status = 200 }\n"))
	handler := adminOf(g)
	send := func(from, to int) {
		c, err := net.Dial("tcp", g.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for i := from; i < to; i++ {
			askOver(t, c, r, fmt.Sprintf("M%d /p%d?q=%d HTTP/1.1\r\nHost: h%d.example\r\nUser-Agent: u%d\r\n\r\n", i, i, i, i, i))
			if i%10 == 0 {
				askOver(t, c, r, fmt.Sprintf("GET / HTTP/1.1\r\nHost: h%d.example\r\n\r\n", i))
			}
		}
	}
	send(0, 100)
	count := func() int {
		text, _ := scrape(t, handler, "")
		return strings.Count(text, "\nhttp_") + strings.Count(text, "\nsallyport_")
	}
	Until(t, "all are counted", func() bool {
		return g.Stats().Routes["r"].Durations.Count+g.Stats().Routes["hosted"].Durations.Count == 110
	})
	before := count()
	send(100, 10_000)
	Until(t, "all are counted", func() bool {
		return g.Stats().Routes["r"].Durations.Count+g.Stats().Routes["hosted"].Durations.Count == 11_000
	})
	if after := count(); after != before {
		t.Errorf("%d series, after many kinds of requests %d", before, after)
	}
}

// Scrapes, reloads and requests all at once; what was counted never goes down.
func TestScrapesDuringTraffic(t *testing.T) {
	backend := Backend(t, Echo)
	dir := busyDir(t)
	g := StartIn(t, dir, counted+routes(backend, busyTOML))
	handler := adminOf(g)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					g.Get("/items/1")
					g.Get("/granted")
				}
			}
		})
	}
	last := map[string]float64{}
	steady := []string{
		durations("count", "items", "/items/:id", "GET", "200"), `sallyport_plugin_calls_total{sallyport_plugin="granted"}`,
		`sallyport_filter_calls_total{sallyport_plugin="granted",sallyport_route="granted"}`, `sallyport_plugin_fuel_total{sallyport_plugin="granted"}`,
	}
	for i := range 20 {
		if err := g.ApplyText(counted + routes(backend, strings.Replace(busyTOML, `hmac = "hush"`, fmt.Sprintf("hmac = \"hush-%d\"", i%3), 1))); err != nil {
			t.Error(err)
		}
		for range 3 {
			text, _ := scrape(t, handler, "")
			now := seriesOf(t, text)
			for _, name := range steady {
				if now[name] < last[name] {
					t.Errorf("%s went from %v to %v", name, last[name], now[name])
				}
				last[name] = now[name]
			}
			g.Stats()
		}
	}
	close(stop)
	wait.Wait()
	if last[steady[0]] == 0 || last[steady[2]] == 0 {
		t.Errorf("nothing was counted: %v", last)
	}
}

func TestHTTP2ConnectionsAreCounted(t *testing.T) {
	g := Start(t, counted+routes(Backend(t, Echo), allToB))
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	resp, err := transport.RoundTrip(httptest.NewRequest("GET", g.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	wantSeries(t, g, map[string]float64{
		`sallyport_listener_connections{network_protocol_version="2",sallyport_listener="127.0.0.1:0"}`:      1,
		`sallyport_listener_accepted_total{network_protocol_version="2",sallyport_listener="127.0.0.1:0"}`:   1,
		`sallyport_listener_accepted_total{network_protocol_version="1.1",sallyport_listener="127.0.0.1:0"}`: 0,
		durations("count", "r", "/*rest", "GET", "200"):                                                      1,
	})
	transport.CloseIdleConnections()
	wantSeries(t, g, map[string]float64{`sallyport_listener_connections{network_protocol_version="2",sallyport_listener="127.0.0.1:0"}`: 0})
}

func TestOpenMetricsByAccept(t *testing.T) {
	g := Start(t, counted+routes(Backend(t, Echo), allToB))
	g.Get("/")
	plain, header := scrape(t, adminOf(g), "text/plain")
	if !strings.HasPrefix(header.Get("Content-Type"), "text/plain; version=0.0.4") || strings.Contains(plain, "# EOF") {
		t.Errorf("got %s", header.Get("Content-Type"))
	}
	open, header := scrape(t, adminOf(g), "application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(header.Get("Content-Type"), "application/openmetrics-text") || !strings.HasSuffix(open, "# EOF\n") {
		t.Errorf("got %s", header.Get("Content-Type"))
	}
}
