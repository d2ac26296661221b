package gatewaytest

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// ending is what a line says of how its exchange ended.
type ending struct {
	Status                                       int
	Reason_code, Answered_by, Filter, Limit      string
	Route, Upstream, Fault, Blame, Cause, Reason string
}

func (e ending) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s %s %s", e.Status, e.Reason_code, e.Answered_by, e.Filter, e.Limit))
}

// provocation is a way to bring an exchange to an end: what is asked, in turn, and what the line of the last one says.
type provocation struct {
	name, toml string
	requests   []string // each over a connection of its own
	holds      bool     // the first one is not answered
	leaves     bool     // the client hangs up as soon as the upstream has the request
	ready      func(g *Gateway) bool
	want       string
}

const (
	simplePost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
	direct     = "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nrespond = { status = 200 }\n"
)

func provocations(t *testing.T) []provocation {
	answers := func(text string) string {
		return server(t, func(c *net.TCPConn, _ *bufio.Reader) { _, _ = io.WriteString(c, text) })
	}
	stays := func(text string) string {
		return server(t, func(c *net.TCPConn, r *bufio.Reader) { _, _ = io.WriteString(c, text); _, _ = io.Copy(io.Discard, r) })
	}
	streams := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "more\n")
			w.(http.Flusher).Flush()
		}
	})
	fails := Backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	once, dead := []string{simpleGet}, free.Address(t)
	with := func(address, upstream, route string) string {
		return routes(address, upstream+"\n"+allToB+route)
	}
	limited := func(limit string) string { return direct + "filters = [{ use = \"ratelimit\", " + limit + " }]\n" }
	return []provocation{
		{name: "all well", toml: with(Backend(t, Echo), "", ""), requests: once, want: "200  upstream"},
		{name: "route's own", toml: direct, requests: once, want: "200  route"},
		{name: "upstream's own error", toml: with(fails, "", ""), requests: once, want: "503  upstream"},
		{name: "no route", toml: strings.Replace(direct, "/*rest", "/there", 1), requests: once, want: "404 NR gateway"},
		{name: "no route for the method", toml: direct + "methods = [\"PUT\"]\n", requests: once, want: "405 NR gateway"},
		{
			name: "no healthy endpoint", requests: once, want: "503 UH gateway",
			toml: with(dead, "panic_threshold = 0\nhealth = { kind = \"tcp\", interval = \"100ms\" }", ""),
			ready: func(g *Gateway) bool {
				status, err := json.Marshal(g.Status().Upstreams["b"])
				return err == nil && strings.Contains(string(status), `"usable":false`)
			},
		},
		{name: "no connection", toml: with(dead, "retries = 0", ""), requests: once, want: "502 UF gateway"},
		{name: "no secure connection", toml: with(Backend(t, Echo), "retries = 0\ntls = {}", ""), requests: once, want: "502 UF gateway"},
		{
			name: "all tries", requests: once, want: "502 URX gateway",
			toml: fmt.Sprintf("[upstreams.b]\nendpoints = [%q, %q]\nretries = 1\n%s", dead, free.Address(t), allToB),
		},
		{
			name: "all tries of a policy", requests: once, want: "502 URX gateway",
			toml: with(dead, "retries = 1\nretry = { on = [\"connect\"] }", ""),
		},
		{
			name: "all tries, answered", requests: once, want: "503 URX upstream",
			toml: with(fails, "retries = 1\nretry = { on = [\"503\"] }", ""),
		},
		{
			name: "overflow", requests: []string{simpleGet, simpleGet}, holds: true, want: "503 UO gateway",
			toml: with(mute(t), "limits = { max_requests = 1, max_pending = 0 }", ""),
		},
		{
			name: "breaker", requests: []string{simpleGet, simpleGet}, want: "503 UO gateway",
			toml: with(fails, "retries = 0\nbreaker = { failures = 1, open_for = \"1m\" }", ""),
		},
		{name: "no answer in time", toml: with(mute(t), "", "timeout = \"1s\"\n"), requests: once, want: "504 UT gateway"},
		{name: "cut before the answer", toml: with(answers(""), "", ""), requests: []string{simplePost}, want: "502 UC gateway"},
		{name: "cut within the answer", toml: with(answers(ok200+"Content-Length: 9\r\n\r\na"), "", ""), requests: once, want: "200 UC upstream"},
		{name: "nonsense", toml: with(answers("nonsense\r\n\r\n"), "", ""), requests: once, want: "502 UPE gateway"},
		{name: "too long in all", toml: with(streams, "", "total_timeout = \"3s\"\n"), requests: once, want: "200 DT upstream"},
		{name: "no progress", toml: with(stays(ok200+"Content-Length: 9\r\n\r\na"), "", "idle_timeout = \"50ms\"\n"), requests: once, want: "200 SI upstream"},
		{name: "rate limit", toml: limited(`rate = "1/h"`), requests: []string{simpleGet, simpleGet}, want: "429 RL filter ratelimit r.filters[0].default"},
		{
			name: "limit by what is not there", requests: once, want: "403 RL filter ratelimit",
			toml: limited(`rate = "1/h", key = "header:X-Key", missing = "deny"`),
		},
		{
			name: "limit's store", requests: once, want: "503 RLSE filter ratelimit r.filters[0].default",
			toml: limited(`rate = "1/h", store = "s", on_store_error = "deny"`) + fmt.Sprintf("[stores.s]\nredis = { addresses = [%q] }\n", dead),
		},
		{
			name: "overload", requests: []string{simpleGet, simpleGet}, holds: true, want: "503 OM gateway concurrency",
			toml: with(mute(t), "", "concurrency = { limit = 1, queue = 0 }\n"),
		},
		{
			name: "plugin's limit", requests: []string{simpleGet, simpleGet}, want: "429 RL plugin granted login",
			toml: "[secrets]\nhmac = \"x\"\n[kv.shared]\n[limits.login]\nrate = \"1/h\"\n" + allGrants + direct + "filters = [\"granted\"]\n",
		},
		{
			name: "plugin refuses", requests: once, want: "507 PL plugin asks",
			toml: fmt.Sprintf("[upstreams.auth]\nendpoints = [%q]\n[plugins.asks]\ngrants = [\"fetch:auth\"]\n", dead) + direct + "filters = [\"asks\"]\n",
		},
		{name: "plugin answers", requests: once, want: "200  plugin granted", toml: "[secrets]\nhmac = \"x\"\n[kv.shared]\n[limits.login]\nrate = \"9/h\"\n" + allGrants + direct + "filters = [\"granted\"]\n"},
		{name: "plugin fails", toml: direct + "filters = [\"exits\"]\n", requests: once, want: "503 PF gateway exits"},
		{name: "plugin is skipped", toml: direct + "filters = [{ use = \"exits\", on_error = \"skip\" }]\n", requests: once, want: "200  route"},
		{name: "client leaves", toml: with(mute(t), "", ""), requests: once, leaves: true, want: "499 DC gateway"},
		{
			name: "slow head", requests: []string{"GET / HTTP/1.1\r\nHost"}, want: "408 CT gateway",
			toml: "[server]\nlisten = [{ address = \"127.0.0.1:0\", limits = { head_timeout = \"50ms\" } }]\n" + direct,
		},
		{name: "malformed", toml: direct, requests: []string{"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"}, want: "400 DPE gateway"},
		{name: "long target", toml: direct, requests: []string{"GET /" + strings.Repeat("a", 9000) + " HTTP/1.1\r\nHost: a\r\n\r\n"}, want: "414 TL gateway"},
		{
			name: "large content", toml: with(Backend(t, Echo), "", "max_body = \"1B\"\n"), want: "413 TL gateway",
			requests: []string{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"},
		},
		{
			name: "to HTTPS", requests: once, want: "308  gateway",
			toml: "[server]\nlisten = [{ address = \"127.0.0.1:0\", redirect_https = 443 }]\n" + direct,
		},
	}
}

// Whoever reads a line sees by its code why the exchange ended as it did, and who answered.
func TestReasonCodes(t *testing.T) {
	for _, p := range provocations(t) {
		t.Run(p.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, guest := range []string{"asks", "exits", "granted"} {
				install(t, dir, guest, guest)
			}
			g := StartIn(t, dir, accessFile+p.toml)
			if p.ready != nil {
				Until(t, "the upstream is as it should be", func() bool { return p.ready(g) })
			}
			for i, request := range p.requests {
				p.ask(t, g, request, i == 0)
				if !p.holds { // what an answer taught the gateway may come after the answer, but not after its line
					_ = line(t, filepath.Join(dir, "access.log"), i)
				}
			}
			number := len(p.requests) - 1
			if p.holds {
				number = 0
			}
			var got ending
			text := line(t, filepath.Join(dir, "access.log"), number)
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if got.String() != p.want {
				t.Errorf("got  %s\nwant %s\nin %s", got, p.want, text)
			}
		})
	}
}

func (p *provocation) ask(t *testing.T, g *Gateway, request string, first bool) {
	t.Helper()
	c := dialRaw(t, g, request)
	if p.leaves || p.holds && first {
		Until(t, "the upstream has the request", func() bool { return g.Status().Upstreams["b"][0].Active == 1 })
		if p.leaves {
			c.Close()
		}
		return
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // some are cut off
	resp.Body.Close()
}

// linesOf returns the lines of the access log once there are as many.
func linesOf(t *testing.T, dir string, number int) []map[string]any {
	t.Helper()
	var lines []map[string]any
	_ = line(t, filepath.Join(dir, "access.log"), number-1)
	data := must(os.ReadFile(filepath.Join(dir, "access.log")))
	for text := range strings.Lines(string(data)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, fields)
	}
	return lines
}

// What is captured is shown, what is secret is not, and each filter's time is there when it is asked for.
func TestCapturedAndRedacted(t *testing.T) {
	dir := t.TempDir()
	g := StartIn(t, dir, `[log]
access = "access.log"
filters = true
request_headers = ["User-Agent", "Authorization", "X-Set", "Referer"]
response_headers = ["Server", "Set-Cookie"]
redact_query = ["ticket"]
`+routes(Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "b")
		w.Header().Set("Set-Cookie", "sid=hush")
	}), allToB+`filters = [{ use = "headers", request = { set = { X-Set = "here" } } }, { use = "ratelimit", rate = "100/s" }]`+"\n"))
	_, _, _ = g.Get("/a?ticket=hush&token=shown", "User-Agent: me", "Authorization: Bearer hush", "Referer: http://u:hush@x/?ticket=hush")
	got := linesOf(t, dir, 1)[0]
	for name, want := range map[string]string{
		"query":            `"ticket=[redacted]&token=shown"`,
		"request_headers":  `{"authorization":"[redacted]","referer":"http://[redacted]@x/?ticket=[redacted]","user-agent":"me","x-set":"here"}`,
		"response_headers": `{"server":"b","set-cookie":"[redacted]"}`,
	} {
		if text := strings.ReplaceAll(string(must(json.Marshal(got[name]))), `\u0026`, "&"); text != want {
			t.Errorf("%s: got %s, want %s", name, text, want)
		}
	}
	var names []string
	took, _ := got["filters"].([]any)
	for _, one := range took {
		entry := one.(map[string]any)
		if _, ok := entry["us"].(float64); !ok {
			t.Errorf("no time in %v", entry)
		}
		names = append(names, entry["name"].(string))
	}
	if strings.Join(names, " ") != "headers ratelimit" {
		t.Errorf("got filters %v", names)
	}
	if data := must(os.ReadFile(filepath.Join(dir, "access.log"))); strings.Contains(string(data), "hush") {
		t.Errorf("the log holds a secret: %s", data)
	}
}

// Routes may go without, and shares are kept: what is dropped by them and what is not can be counted.
func TestWhatIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	g := StartIn(t, dir, `[log]
access = "access.log"
fields = ["status", "path", "sample"]
sample = { "2xx" = 0.0, "4xx" = 1.0 }
[[routes]]
name = "quiet"
path = "/quiet"
access_log = false
respond = { status = 500 }
[[routes]]
name = "loud"
path = "/loud"
respond = { status = 200 }
`)
	for _, path := range []string{"/quiet", "/loud", "/none"} {
		_, _, _ = g.Get(path)
	}
	got := linesOf(t, dir, 1)
	if len(got) != 1 || len(got[0]) != 2 || got[0]["path"] != "/none" || got[0]["status"] != 404.0 {
		t.Errorf("got %v", got)
	}
}

// A reload changes the format, and the file, while requests come in: each has one line in one of them.
func TestReloadOfTheAccessLogLosesNothing(t *testing.T) {
	dir := t.TempDir()
	toml := func(file, more string) string {
		return fmt.Sprintf("[log]\naccess = %q\n%s%s", file, more, direct)
	}
	g := StartIn(t, dir, toml("a.log", ""))
	stop, sent := make(chan struct{}), make(chan int)
	for range 4 {
		go func() {
			c := dialQuietly(g)
			defer c.Close()
			n, r := 0, bufio.NewReader(c)
			for ended := false; !ended; n++ {
				_, _ = io.WriteString(c, simpleGet)
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					sent <- n
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				select {
				case <-stop:
					ended = true
				default:
				}
			}
			sent <- n
		}()
	}
	for i := range 12 {
		if err := g.ApplyText(toml([]string{"a.log", "b.log", "b.log"}[i%3], []string{"", "fields = [\"status\"]\n"}[i%2])); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	want := 0
	for range 4 {
		want += <-sent
	}
	Until(t, "each request has its line", func() bool {
		got := 0
		for _, name := range []string{"a.log", "b.log"} {
			data, _ := os.ReadFile(filepath.Join(dir, name))
			got += strings.Count(string(data), "\n")
		}
		if got > want {
			t.Fatalf("%d lines of %d requests", got, want)
		}
		return got == want
	})
	t.Logf("%d requests", want)
	if want == 0 || g.AccessDropped() != 0 {
		t.Errorf("%d requests, %d dropped", want, g.AccessDropped())
	}
}

func dialQuietly(g *Gateway) net.Conn { return must(net.Dial("tcp", g.Addr)) }

// Over TLS a line says how the connection was made, and for whom; a host that it does not serve has a code of its own.
func TestLinesOverTLS(t *testing.T) {
	pair, root := certs.New(t, "a.example"), certs.NewAuthority(t)
	dir := t.TempDir()
	g := StartIn(t, dir, accessFile+secured(pair, fmt.Sprintf(", client_auth = \"require\", client_ca = %q", root.File))+direct)
	config := &tls.Config{
		ServerName: "a.example", RootCAs: pair.Pool, ClientSessionCache: tls.NewLRUClientSessionCache(1), Certificates: []tls.Certificate{root.Issue(t, "me").TLS},
	}
	for i, protocols := range [][]string{{"http/1.1"}, {"http/1.1"}, {"h2"}} {
		config.NextProtos = protocols
		transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: i == 2}
		r := must(http.NewRequest("GET", "https://"+g.Addr+"/", nil))
		r.Host = "a.example"
		resp := must(transport.RoundTrip(r))
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		got := linesOf(t, dir, i+1)[i]
		transport.CloseIdleConnections()
		cipher, _ := got["tls_cipher"].(string)
		client, _ := got["tls_client"].(string)
		if got["tls_version"] != "TLS 1.3" || !strings.HasPrefix(cipher, "TLS_") || got["tls_server_name"] != "a.example" || !strings.Contains(client, "me") {
			t.Errorf("%v: got %v", protocols, got)
		}
		if resumed := got["tls_resumed"] == true; resumed != (i > 0) {
			t.Errorf("%v: resumed %v", protocols, resumed)
		}
	}
	config.NextProtos = nil
	nc := dialTLS(t, g.Addr, config)
	status, _ := askOver(t, nc, bufio.NewReader(nc), "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")
	if got := linesOf(t, dir, 4)[3]; status != 421 || got["reason_code"] != "MD" {
		t.Errorf("got %d, %v", status, got)
	}
}

// Codes over HTTP/2 to both sides are those of HTTP/1.1.
func TestReasonCodesOverHTTP2(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		switch r.URL.Path {
		case "/cut":
			panic(http.ErrAbortHandler)
		case "/idle", "/total":
			<-r.Context().Done()
		}
	}
	dir := t.TempDir()
	toml := accessFile + fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nprotocol = \"h2c\"\n", backendOf(t, "h2c", nil, handler).Listener.Addr())
	for _, more := range []string{"", "idle_timeout = \"50ms\"\n", "total_timeout = \"3s\"\n"} {
		name := map[string]string{"": "cut", "i": "idle", "t": "total"}[more[:min(len(more), 1)]]
		toml += fmt.Sprintf("[[routes]]\nname = %q\npath = \"/%s\"\nupstream = \"b\"\n%s", name, name, more)
	}
	g := StartIn(t, dir, toml)
	client := http2Client(t)
	for i, test := range []struct{ path, want string }{{"/cut", "UC"}, {"/idle", "SI"}, {"/total", "DT"}, {"/none", "NR"}} {
		resp := must(client.Get(g.URL + test.path))
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if got := linesOf(t, dir, i+1)[i]; got["reason_code"] != test.want {
			t.Errorf("%s: got %v", test.path, got)
		}
	}
}
