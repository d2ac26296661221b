package admin_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/admin"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gatewaytest"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
)

const token = "0123456789abcdef-token"

// live is a gateway with its admin API.
type live struct {
	*gatewaytest.Gateway
	t       *testing.T
	server  *httptest.Server
	history *admin.History
	level   *slog.LevelVar
	log     *output.Text
}

// access is that of an admin table.
func access(t *testing.T, table string) *admin.Access {
	t.Helper()
	t.Setenv("ADMIN_TEST_TOKEN", token)
	cfg, err := config.Parse("gateway.toml", []byte("[server]\nlisten = [\"127.0.0.1:1\"]\n[admin]\n"+table))
	if err != nil {
		t.Fatal(err)
	}
	a, err := admin.NewAccess(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func start(t *testing.T, table, toml string) *live {
	t.Helper()
	return startIn(t, t.TempDir(), table, toml)
}

func startIn(t *testing.T, dir, table, toml string) *live {
	t.Helper()
	l := &live{Gateway: gatewaytest.StartIn(t, dir, toml), t: t, history: &admin.History{}, level: &slog.LevelVar{}, log: &output.Text{}}
	l.note("start", "", nil)
	l.server = httptest.NewServer(admin.Handler(access(t, table), admin.Options{
		Gateway: l.Gateway.Gateway, Version: "test", History: l.history, Level: l.level,
		Log:    slog.New(slog.NewJSONHandler(l.log, &slog.HandlerOptions{Level: l.level})),
		Reload: func(who string) error { err := l.Reload(); l.note("API", who, err); return err },
	}))
	t.Cleanup(l.server.Close)
	return l
}

func (l *live) note(source, who string, err error) {
	s := l.Current()
	cfg := s.Config
	if err != nil {
		cfg = nil
	}
	l.history.Add(admin.Attempt{Generation: s.Generation, Source: source, Who: who}, cfg, err)
}

// ask sends a request with fields as "Name: value", and returns the answer with its content.
func (l *live) ask(method, path, body string, fields ...string) (*http.Response, string) {
	l.t.Helper()
	r, err := http.NewRequest(method, l.server.URL+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp, string(text)
}

const sent = "Content-Type: application/json"

// get decodes an answer that must be 200.
func (l *live) get(path string, into any) {
	l.t.Helper()
	l.do("GET", path, "", into)
}

func (l *live) do(method, path, body string, into any) {
	l.t.Helper()
	resp, text := l.ask(method, path, body, sent)
	if resp.StatusCode != 200 {
		l.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		l.t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

const twoRoutes = `
[upstreams.u]
endpoints = ["127.0.0.1:1", { address = "127.0.0.1:2", weight = 2 }]
[upstreams.sock]
endpoints = ["unix:/run/app.sock"]
[server]
listen = ["127.0.0.1:0"]
concurrency = { limit = 100 }
[[filters]]
use = "headers"
response = { remove = ["Server"] }
[[routes]]
name = "users"
path = "/users/:id"
methods = ["GET"]
headers = { X-Api-Key = "hush-hush" }
upstream = "u"
timeout = "5s"
concurrency = { limit = 5 }
filters = [{ use = "ratelimit", rate = "10/s" }]
[[routes]]
name = "me"
path = "/users/me"
respond = { status = 204 }
`

// The chain that is shown is the one that runs.
func TestRoutes(t *testing.T) {
	l := start(t, "", twoRoutes)
	var answer struct {
		Routes []struct {
			Name  string
			Rank  int
			Line  int
			Chain []struct {
				Name   string
				Global bool
			}
			Target struct {
				Upstream string
				Respond  int
			}
			Headers map[string]string
			Limits  struct{ Timeout string }
		}
	}
	l.get("/routes", &answer)
	if len(answer.Routes) != 2 || answer.Routes[0].Name != "me" || answer.Routes[0].Rank != 1 || answer.Routes[0].Target.Respond != 204 {
		t.Fatalf("got %+v", answer)
	}
	r := answer.Routes[1]
	chain := ""
	for _, step := range r.Chain {
		chain += step.Name
		if step.Global {
			chain += "*"
		}
		chain += " "
	}
	if chain != "concurrency* concurrency headers* ratelimit " || r.Target.Upstream != "u" || r.Limits.Timeout != "5s" || r.Headers["X-Api-Key"] != "***" || r.Line == 0 {
		t.Errorf("got %s %+v", chain, r)
	}
}

func TestExplain(t *testing.T) {
	l := start(t, "", twoRoutes)
	type explained struct {
		Status    int
		Answer    string
		Route     struct{ Name string }
		Params    map[string]string
		Reached   []struct{ Route, Outcome, Why string }
		Endpoints map[string][]struct {
			Address string
			Usable  bool
		}
	}
	tests := []struct{ name, query, route, outcomes, answer string }{
		{"a route", "method=GET&url=http://x/users/7&header=X-Api-Key:hush-hush", "users", "users:matched", ""},
		{"a header", "url=/users/7&header=X-Api-Key:no", "", "users:header", "no route for this host and path"},
		{"a method", "method=POST&url=/users/7&header=X-Api-Key:hush-hush", "", "users:method", "no route for this method: there are routes for GET, HEAD"},
		{"two fit", "url=/users/me&header=X-Api-Key:hush-hush", "me", "me:matched users:precedence", ""},
		{"normalised", "url=/a/../users/%256De", "me", "me:matched users:header", ""},
		{"above the root", "url=/../x", "", "", "the request is refused before it is routed: path leads above the root"},
		{"a bad host", "url=/x&header=Host:a%20b", "", "", "the request is refused before it is routed: invalid Host"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l.t = t
			var e explained
			l.get("/explain?"+test.query, &e)
			var outcomes []string
			for _, r := range e.Reached {
				outcomes = append(outcomes, r.Route+":"+r.Outcome)
				if strings.Contains(r.Why, "hush") {
					t.Errorf("a secret is told: %s", r.Why)
				}
			}
			if got := strings.Join(outcomes, " "); e.Route.Name != test.route || got != test.outcomes || e.Answer != test.answer {
				t.Errorf("got route %q, %s, %q", e.Route.Name, got, e.Answer)
			}
			if test.route == "users" && (e.Params["id"] != "7" || len(e.Endpoints["u"]) != 2 || !e.Endpoints["u"][0].Usable) {
				t.Errorf("got %+v", e)
			}
		})
	}
	for _, query := range []string{"", "url=", "url=/a%20b", "url=/&header=nonsense", "url=/&header=A:b%0d%0aC:d", "url=/&method=G%20ET"} {
		if resp, text := l.ask("GET", "/explain?"+query, ""); resp.StatusCode != 400 {
			t.Errorf("%q: got %d %s", query, resp.StatusCode, text)
		}
	}
}

type endpoint struct {
	Address  string
	Weight   int
	Given    int `json:"configured_weight"`
	Standing struct {
		Usable bool
		Why    []string
	}
}

func TestDrainAndWeigh(t *testing.T) {
	l := start(t, "", twoRoutes)
	var e endpoint
	l.do("POST", "/upstreams/u/endpoints/127.0.0.1:1/drain", `{"drain": true}`, &e)
	if e.Standing.Usable || e.Standing.Why[0] != "drained" {
		t.Errorf("got %+v", e)
	}
	l.do("PUT", "/upstreams/u/endpoints/127.0.0.1:2/weight", `{"weight": 7}`, &e)
	if e.Weight != 7 || e.Given != 2 {
		t.Errorf("got %+v", e)
	}
	l.do("POST", "/upstreams/sock/endpoints/unix:%2Frun%2Fapp.sock/drain", `{"drain": true}`, &e)

	var status any
	l.do("POST", "/reload", "", &status) // both survive it
	var u struct{ Endpoints []endpoint }
	l.get("/upstreams/u", &u)
	if u.Endpoints[0].Standing.Usable || u.Endpoints[1].Weight != 7 {
		t.Errorf("after a reload: %+v", u)
	}
	if err := l.ApplyText(strings.Replace(twoRoutes, "weight = 2", "weight = 3", 1)); err != nil {
		t.Fatal(err)
	}
	l.get("/upstreams/u", &u) // the file is the newer word
	if u.Endpoints[0].Standing.Usable || u.Endpoints[1].Weight != 3 {
		t.Errorf("after the file has changed: %+v", u)
	}
	l.do("PUT", "/upstreams/u/endpoints/127.0.0.1:2/weight", `{"weight": 9}`, &e)
	l.do("PUT", "/upstreams/u/endpoints/127.0.0.1:2/weight", `{"weight": null}`, &e)
	if e.Weight != 3 {
		t.Errorf("taken back: %+v", e)
	}
	for _, line := range []string{`"what":"drain"`, `"what":"weight"`, `"upstream":"u"`, `"endpoint":"127.0.0.1:2"`, `"to":7`, `"what":"reload"`, `"from":"127.0.0.1:`} {
		if !strings.Contains(l.log.String(), line) {
			t.Errorf("the log lacks %s", line)
		}
	}
	tests := []struct {
		name, method, path, body string
		want                     int
	}{
		{"no upstream", "POST", "/upstreams/x/endpoints/127.0.0.1:1/drain", `{"drain": true}`, 404},
		{"no endpoint", "POST", "/upstreams/u/endpoints/127.0.0.1:3/drain", `{"drain": true}`, 404},
		{"nothing said", "POST", "/upstreams/u/endpoints/127.0.0.1:1/drain", `{}`, 400},
		{"no JSON", "POST", "/upstreams/u/endpoints/127.0.0.1:1/drain", `drain`, 400},
		{"an unknown name", "POST", "/upstreams/u/endpoints/127.0.0.1:1/drain", `{"drain": true, "x": 1}`, 400},
		{"something behind", "POST", "/upstreams/u/endpoints/127.0.0.1:1/drain", `{"drain": true} {}`, 400},
		{"too much", "POST", "/upstreams/u/endpoints/127.0.0.1:1/drain", `{"drain": ` + strings.Repeat(" ", 64<<10) + `true}`, 413},
		{"no weight", "PUT", "/upstreams/u/endpoints/127.0.0.1:1/weight", `{}`, 400},
		{"weight 0", "PUT", "/upstreams/u/endpoints/127.0.0.1:1/weight", `{"weight": 0}`, 400},
		{"weight 1001", "PUT", "/upstreams/u/endpoints/127.0.0.1:1/weight", `{"weight": 1001}`, 400},
		{"weight in words", "PUT", "/upstreams/u/endpoints/127.0.0.1:1/weight", `{"weight": "7"}`, 400},
		{"another method", "DELETE", "/upstreams/u/endpoints/127.0.0.1:1/weight", ``, 405},
	}
	for _, test := range tests {
		if resp, text := l.ask(test.method, test.path, test.body, sent); resp.StatusCode != test.want {
			t.Errorf("%s: got %d %s, want %d", test.name, resp.StatusCode, text, test.want)
		}
	}
}

func TestConfigHistoryAndDiff(t *testing.T) {
	l := start(t, "", twoRoutes)
	var effective struct {
		Generation uint64
		Hash       string
		Config     struct {
			Routes []struct {
				Name    string
				MaxBody *int64 `json:"max_body"`
			}
		}
		Origins map[string]string
	}
	l.get("/config", &effective)
	if effective.Generation != 1 || len(effective.Hash) != 64 || effective.Config.Routes[0].MaxBody == nil || effective.Origins["routes[0].timeout"] == "" || effective.Origins["routes[0].max_body"] != "" {
		t.Errorf("got %+v", effective)
	}
	if err := l.ApplyText(strings.Replace(twoRoutes, `"5s"`, `"7s"`, 1)); err != nil {
		t.Fatal(err)
	}
	l.note("file", "", nil)
	resp, text := l.ask("GET", "/config/diff", "")
	if resp.StatusCode != 200 || !strings.Contains(text, `"from": "5s"`) || !strings.Contains(text, `"to": "7s"`) || strings.Count(text, `"kind"`) != 1 {
		t.Errorf("got %d %s", resp.StatusCode, text)
	}
	if err := l.ApplyText("[[routes]]\nnonsense = 1\n"); err == nil {
		t.Fatal("nonsense was taken")
	}
	resp, text = l.ask("POST", "/reload", "", sent)
	if resp.StatusCode != 422 || resp.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(text, `"key": "routes[0].nonsense"`) || !strings.Contains(text, `"line":`) {
		t.Errorf("got %d %s", resp.StatusCode, text)
	}
	var answer struct{ History []admin.Attempt }
	l.get("/config/history", &answer)
	h := answer.History
	if len(h) != 3 || h[0].OK || len(h[0].Errors) == 0 || !strings.HasPrefix(h[0].Who, "127.0.0.1:") || h[1].Source != "file" || h[1].Generation != 2 || h[2].Hash != effective.Hash || !h[2].Comparable {
		t.Errorf("got %+v", h)
	}
	for query, want := range map[string]int{"?from=1&to=2": 200, "?from=2&to=1": 200, "?to=1": 404, "?from=7": 404, "?from=x": 400, "?to=-1": 400} {
		if resp, text := l.ask("GET", "/config/diff"+query, ""); resp.StatusCode != want {
			t.Errorf("%s: got %d %s", query, resp.StatusCode, text)
		}
	}
}

// A file that was saved and reloaded by hand as well makes two generations: what the last reload has changed is still to be told.
func TestDiffReachesBackToWhatDiffers(t *testing.T) {
	l := start(t, "", twoRoutes)
	if resp, text := l.ask("GET", "/config/diff", ""); resp.StatusCode != 404 || !strings.Contains(text, "nothing to compare generation 1 with") {
		t.Errorf("of one generation: %d %s", resp.StatusCode, text)
	}
	for i, timeout := range []string{`"5s"`, `"7s"`, `"7s"`, `"7s"`} {
		if err := l.ApplyText(strings.Replace(twoRoutes, `"5s"`, timeout, 1)); err != nil {
			t.Fatal(err)
		}
		l.note("file", "", nil)
		var d admin.Difference
		l.get("/config/diff", &d)
		if want := i > 0; (len(d.Changes) == 1) != want || want && d.From != 2 {
			t.Errorf("generation %d: got %+v", i+2, d)
		}
	}
	var d admin.Difference
	if l.get("/config/diff?from=4", &d); len(d.Changes) != 0 || d.From != 4 {
		t.Errorf("asked for by number: got %+v", d)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	cfg, err := config.Parse("gateway.toml", []byte("[server]\nlisten = [\"127.0.0.1:1\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	h := &admin.History{}
	for n := range 100 {
		h.Add(admin.Attempt{Generation: uint64(n + 1), Source: "file"}, cfg, nil)
		h.Add(admin.Attempt{Source: "file"}, nil, errors.New("no"))
	}
	list := h.List()
	if len(list) != 32 || h.Config(100) != cfg || h.Config(84) != nil {
		t.Errorf("%d attempts are remembered", len(list))
	}
}

func TestIfMatch(t *testing.T) {
	l := start(t, "", twoRoutes)
	resp, _ := l.ask("GET", "/config", "")
	tag := resp.Header.Get("ETag")
	if resp, text := l.ask("PUT", "/upstreams/u/endpoints/127.0.0.1:2/weight", `{"weight": 7}`, sent, "If-Match: "+tag); resp.StatusCode != 200 {
		t.Errorf("the generation that is: %d %s", resp.StatusCode, text)
	}
	if resp, _ := l.ask("POST", "/reload", "", sent, "If-Match: "+tag); resp.StatusCode != 200 {
		t.Errorf("reload: %d", resp.StatusCode)
	}
	if resp, text := l.ask("PUT", "/upstreams/u/endpoints/127.0.0.1:2/weight", `{"weight": 8}`, sent, "If-Match: "+tag); resp.StatusCode != 412 {
		t.Errorf("the one that was: %d %s", resp.StatusCode, text)
	}
}

func TestLogLevel(t *testing.T) {
	l := start(t, "", twoRoutes)
	var level struct{ Level, Configured string }
	l.do("PUT", "/log-level", `{"level": "error"}`, &level)
	if level.Level != "error" || level.Configured != "info" || l.level.Level() != slog.LevelError || !strings.Contains(l.log.String(), `"what":"log-level"`) {
		t.Errorf("got %+v, log %s", level, l.log.String())
	}
	l.get("/log-level", &level)
	if level.Level != "error" {
		t.Errorf("got %+v", level)
	}
	for _, body := range []string{`{}`, `{"level": "loud"}`, `{"level": 1}`, `{"level": "INFO+2"}`} {
		if resp, _ := l.ask("PUT", "/log-level", body, sent); resp.StatusCode != 400 {
			t.Errorf("%s: got %d", body, resp.StatusCode)
		}
	}
}

func TestProbes(t *testing.T) {
	l := start(t, "listen = \"0.0.0.0:9901\"\ntoken = { env = \"ADMIN_TEST_TOKEN\" }", twoRoutes)
	for _, path := range []string{"/livez", "/readyz"} {
		if resp, text := l.ask("GET", path, "", "Host: 10.1.2.3:9901"); resp.StatusCode != 200 {
			t.Errorf("%s: got %d %s", path, resp.StatusCode, text)
		}
	}
	if err := l.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if resp, text := l.ask("GET", "/readyz", ""); resp.StatusCode != 503 || !strings.Contains(text, "draining") {
		t.Errorf("while draining: got %d %s", resp.StatusCode, text)
	}
	if resp, _ := l.ask("GET", "/livez", ""); resp.StatusCode != 200 {
		t.Errorf("alive while draining: got %d", resp.StatusCode)
	}
}

func TestProfiles(t *testing.T) {
	l := start(t, "", twoRoutes)
	tests := map[string]int{
		"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/nonsense": 404, "/debug/pprof/profile?seconds=1": 200,
		"/debug/pprof/profile?seconds=61": 400, "/debug/pprof/profile?seconds=-1": 400, "/debug/pprof/trace?seconds=11": 400, "/debug/pprof/trace?seconds=x": 400, "/debug/pprof": 307,
		"/debug/pprof/cmdline": 404,
	}
	for path, want := range tests {
		if resp, text := l.ask("GET", path, ""); resp.StatusCode != want || want == 200 && text == "" {
			t.Errorf("%s: got %d, %d bytes", path, resp.StatusCode, len(text))
		}
	}
}
