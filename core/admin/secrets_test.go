package admin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// install puts a guest of testdata into a folder's plugins.
func install(t *testing.T, dir, name, guest string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	wasm := wat.Module(t, filepath.Join("..", "..", "testdata", "guests", guest+".wat"))
	if err := os.WriteFile(filepath.Join(dir, "plugins", name+".wasm"), wasm, 0o644); err != nil {
		t.Fatal(err)
	}
}

// secretive has a secret wherever one can stand. HUSH is put before each, so that they can be told apart when one is shown.
const secretive = `
[admin]
token = { env = "HUSH_TOKEN" }
[secrets]
inline = "HUSH-inline"
env = { env = "HUSH_ENV" }
file = { file = "secret.txt" }
[jwt.symmetric]
secrets = ["HUSH-jwt-0123456789abcdef0123456789", { env = "HUSH_ENV" }]
[stores.shared]
redis = { addresses = ["127.0.0.1:1"], username = "HUSH-user", password = { env = "HUSH_ENV" } }
[upstreams.u]
endpoints = ["127.0.0.1:1"]
[[filters]]
use = "headers"
request = { set = { Authorization = "Bearer HUSH-literal", X-Partner = { env = "HUSH_ENV" } } }
[[routes]]
name = "r"
path = "/"
headers = { X-Api-Key = "HUSH-key", X-Plain = "1" }
query = { token = "HUSH-query" }
respond = { headers = { X-Secret = { file = "secret.txt" }, Set-Cookie = "HUSH-cookie" } }
  [[routes.filters]]
  use = "p"
  config = { password = "HUSH-password", nested = { api_key = "HUSH-api", list = [{ secret = "HUSH-list" }] }, from = { env = "HUSH_ENV" }, keys = ["HUSH-keys"] }
`

// What was put into a config as a secret is in no answer and in no log.
func TestNoSecretIsTold(t *testing.T) {
	for name, value := range map[string]string{"HUSH_TOKEN": "HUSH-token-0123456789", "HUSH_ENV": "HUSH-env-0123456789abcdef0123456789abcdef"} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("HUSH-file-one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	install(t, dir, "p", "bare")
	l := startIn(t, dir, "", secretive)
	for n, change := range [][2]string{{"HUSH-", "HUSH-other-"}, {`"X-Plain`, `nonsense = "HUSH`}, {"X-Plain", "X-Planer"}} {
		err := l.ApplyText(strings.ReplaceAll(secretive, change[0], change[1]))
		l.note("file", "", err)
		if n == 0 && err != nil {
			t.Fatal(err)
		}
	}
	answers := 0
	for _, path := range []string{
		"/livez", "/readyz", "/openapi.json", "/status", "/metrics", "/stats", "/refusals", "/routes", "/plugins", "/plugins/p", "/upstreams", "/upstreams/u", "/config", "/config/history", "/config/diff",
		"/config/diff?from=1&to=2", "/log-level", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1", "/explain?url=/", "/explain?url=/&header=X-Api-Key:no",
		"/explain?url=/?token=no&header=X-Api-Key:HUSH-key", "/nothing", "/plugins/none",
	} {
		resp, text := l.ask("GET", path, "")
		if resp.StatusCode == 200 {
			answers++
		}
		if strings.Contains(path, "HUSH") { // of what is asked, no more than that is told
			text = strings.ReplaceAll(text, "HUSH-key", "")
		}
		if strings.Contains(text, "HUSH-") {
			t.Errorf("%s tells a secret: %s", path, around(text))
		}
	}
	for _, change := range []string{"POST /reload", "PUT /log-level", "POST /upstreams/u/endpoints/127.0.0.1:1/drain"} {
		method, path, _ := strings.Cut(change, " ")
		if _, text := l.ask(method, path, `{"drain": true}`, sent); strings.Contains(text, "HUSH-") {
			t.Errorf("%s tells a secret: %s", path, around(text))
		}
	}
	if logs := l.Logs() + l.log.String(); strings.Contains(logs, "HUSH-") {
		t.Errorf("the log tells a secret: %s", around(logs))
	}
	if _, text := l.ask("GET", "/config", ""); strings.Count(text, `"***"`) < 18 {
		t.Errorf("%d secrets are hidden: %s", strings.Count(text, `"***"`), text)
	}
	if answers < 20 {
		t.Errorf("only %d answers were looked at", answers)
	}
}

func around(text string) string {
	at := strings.Index(text, "HUSH-")
	return text[max(0, at-100):min(len(text), at+60)]
}

func TestPluginsAndTheirFailures(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "loop", "loop")
	install(t, dir, "bare", "bare")
	l := startIn(t, dir, "", `
[sandbox]
dir = "plugins"
cache = "cache"
fuel = 1_000_000
[plugins.bare]
grants = ["kv"]
[[routes]]
name = "stuck"
path = "/stuck"
filters = ["loop"]
respond = {}
[[routes]]
name = "fine"
path = "/fine"
filters = [{ use = "bare", on_error = "skip" }]
respond = {}
`)
	if status, _, _ := l.Get("/stuck", "X-Request-Id: asked-1"); status != 503 {
		t.Fatalf("got %d", status)
	}
	if status, _, _ := l.Get("/fine"); status != 200 {
		t.Fatalf("got %d", status)
	}
	var p struct {
		Name, Hash, File string
		Hooks            []string
		Limits           struct{ Fuel int64 }
		Filters          []struct {
			Route, Where  string
			Calls, Failed int64
		}
		Failures []struct {
			Cause, Export, Route, Where, Error string
			RequestID                          string `json:"request_id"`
		}
	}
	l.get("/plugins/loop", &p)
	if p.Name != "loop" || len(p.Hash) != 64 || p.Limits.Fuel != 1_000_000 || len(p.Filters) != 1 || p.Filters[0].Failed != 1 {
		t.Errorf("got %+v", p)
	}
	if len(p.Failures) != 1 {
		t.Fatalf("got %+v", p.Failures)
	}
	f := p.Failures[0]
	if f.Cause != "fuel" || f.Route != "stuck" || f.Where != "routes[0].filters[0]" || f.RequestID == "" || !strings.Contains(f.Error, "on_request") {
		t.Errorf("got %+v", f)
	}
	var all struct {
		Plugins []struct {
			Name   string
			Grants []string
		}
	}
	l.get("/plugins", &all)
	if got := fmt.Sprint(all); got != "{[{bare [kv]} {loop []}]}" {
		t.Errorf("got %s", got)
	}
}
