package gatewaytest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

const validateTOML = `[schemas.order]
assert_formats = true
schema = '''{"type":"object","required":["id"],"properties":{"id":{"type":"integer","maximum":9007199254740992},"tags":{"$ref":"tags"},"next":{"$ref":"#"}}}'''
[schemas.tags]
schema = '''{"type":"array","uniqueItems":true,"items":{"type":"string"}}'''
[schemas.any]
schema = "true"
[plugins.validate]
grants = ["schema:order", "schema:any"]
time_limit = "1m"
[[routes]]
name = "orders"
path = "/orders/:id"
upstream = "b"
  [[routes.filters]]
  use = "validate"
  [routes.filters.config]
  unknown_query = "refuse"
  body = { schema = "order" }
  parameters = [
    { name = "id", in = "path", type = "integer", maximum = 1000 },
    { name = "limit", in = "query", type = "integer", minimum = 0 },
    { name = "q", in = "query", max_length = 10 },
    { name = "ids", in = "query", type = "array", max_items = 10, items = { type = "integer" } },
    { name = "X-Count", in = "header", type = "integer" },
    { name = "theme", in = "cookie", enum = ["dark", "light"] },
  ]
[[routes]]
name = "report"
path = "/report"
upstream = "b"
filters = [{ use = "validate", config = { report_only = true, unknown_query = "refuse", body = { schema = "any" } } }]
`

// validateUpstream counts what comes through.
type validateUpstream struct {
	mu   sync.Mutex
	seen int
}

func (u *validateUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	u.seen++
	u.mu.Unlock()
	Echo(w, r)
}

// What is not as it should be never reaches the upstream, in whatever disguise; what is, does.
func TestValidateUnderAttack(t *testing.T) {
	eachGoBuild(t, "../../plugins/validate", func(t *testing.T, wasm []byte) {
		upstream := &validateUpstream{}
		g := startPlugin(t, "validate", wasm, upstreamsTOML("b", Backend(t, upstream.ServeHTTP))+validateTOML)
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, _ = z.Write([]byte(`{"id":1}`)) // into memory: it cannot fail
		_ = z.Close()
		const json = "Content-Type: application/json"
		passed := 0
		for _, tt := range []struct {
			name, method, path, body string
			fields                   []string
			status                   int
		}{
			{"good", "POST", "/orders/7?limit=0&q=a+b&ids=1&ids=2", `{"id":1,"tags":["a"]}`, []string{json}, 200},
			{"no body", "GET", "/orders/7", "", nil, 200},
			{"body of a GET", "GET", "/orders/7", `{"id":1}`, []string{json}, 200},
			{"bad body of a GET", "GET", "/orders/7", `{"id":"1"}`, []string{json}, 400},
			{"bad body of a DELETE", "DELETE", "/orders/7", `{}`, []string{json}, 400},
			{"path", "GET", "/orders/1001", "", nil, 400},
			{"path, encoded", "GET", "/orders/%31001", "", nil, 400},
			{"path with unicode digits", "GET", "/orders/%D9%A7", "", nil, 400},
			{"path that leads on", "GET", "/orders/7%2F..%2F8", "", nil, 400},
			{"twice", "GET", "/orders/7?limit=1&limit=1", "", nil, 400},
			{"twice, once encoded", "GET", "/orders/7?limit=1&lim%69t=x", "", nil, 400},
			{"name in capitals", "GET", "/orders/7?LIMIT=1", "", nil, 400},
			{"name with brackets", "GET", "/orders/7?limit[]=1", "", nil, 400},
			{"semicolon", "GET", "/orders/7?limit=1;limit=2", "", nil, 400},
			{"encoded separator", "GET", "/orders/7?q=abc%26limit=x", "", nil, 400}, // one value, and too long
			{"plus", "GET", "/orders/7?limit=+1", "", nil, 400},
			{"encoded plus", "GET", "/orders/7?limit=%2B1", "", nil, 400},
			{"space", "GET", "/orders/7?limit=%201", "", nil, 400},
			{"empty", "GET", "/orders/7?limit=", "", nil, 400},
			{"no value", "GET", "/orders/7?limit", "", nil, 400},
			{"encoded twice", "GET", "/orders/7?limit=%2531", "", nil, 400},
			{"no encoding", "GET", "/orders/7?q=%zz", "", nil, 400},
			{"overlong", "GET", "/orders/7?q=%c0%80", "", nil, 400},
			{"NUL", "GET", "/orders/7?q=%00", "", nil, 400},
			{"minus zero", "GET", "/orders/7?limit=-0", "", nil, 200},
			{"exponent", "GET", "/orders/7?limit=1e400", "", nil, 400},
			{"many elements", "GET", "/orders/7?" + strings.Repeat("ids=1&", 1000), "", nil, 400},
			{"huge number in a body", "POST", "/orders/7", `{"id":1e400}`, []string{json}, 400},
			{"a number that a float does not tell from another", "POST", "/orders/7", `{"id":9007199254740993}`, []string{json}, 400},
			{"an exponent beyond all", "POST", "/orders/7", `{"id":1e999999999}`, []string{json}, 413},
			{"member twice", "POST", "/orders/7", `{"id":1,"id":2}`, []string{json}, 400},
			{"member twice, once escaped", "POST", "/orders/7", `{"id":1,"i\u0064":"x"}`, []string{json}, 400},
			{"mark", "POST", "/orders/7", "\ufeff" + `{"id":1}`, []string{json}, 400},
			{"NUL in front", "POST", "/orders/7", "\x00" + `{"id":1}`, []string{json}, 400},
			{"NUL behind", "POST", "/orders/7", `{"id":1}` + "\x00", []string{json}, 400},
			{"two documents", "POST", "/orders/7", `{"id":1}{"id":"x"}`, []string{json}, 400},
			{"deep", "POST", "/orders/7", strings.Repeat(`{"id":1,"next":`, 50_000), []string{json}, 413},
			{"deeper than is looked at", "POST", "/orders/7", strings.Repeat(`{"id":1,"next":`, 65) + `{"id":1}` + strings.Repeat("}", 65), []string{json}, 413},
			{"as deep as may be", "POST", "/orders/7", strings.Repeat(`{"id":1,"next":`, 63) + `{"id":1}` + strings.Repeat("}", 63), []string{json}, 200},
			{"deep arrays", "POST", "/orders/7", strings.Repeat("[", 1_000_000), []string{json}, 413},
			{"many elements in a body", "POST", "/orders/7", `{"id":1,"tags":[` + strings.Repeat("1,", 200_000) + `1]}`, []string{json}, 413},
			{"gzip", "POST", "/orders/7", zipped.String(), []string{json, "Content-Encoding: gzip"}, 415},
			{"gzip that is none", "POST", "/orders/7", `{"id":1}`, []string{json, "Content-Encoding: gzip"}, 415},
			{"two codings", "POST", "/orders/7", `{"id":1}`, []string{json, "Content-Encoding: identity", "Content-Encoding: gzip"}, 415},
			{"identity", "POST", "/orders/7", `{"id":1}`, []string{json, "Content-Encoding: identity"}, 200},
			{"type in capitals", "POST", "/orders/7", `{"id":1}`, []string{"Content-Type: APPLICATION/JSON; charset=UTF-8"}, 200},
			{"another type", "POST", "/orders/7", `{"id":1}`, []string{"Content-Type: text/plain"}, 415},
			{"a type that begins so", "POST", "/orders/7", `{"id":1}`, []string{"Content-Type: application/json5"}, 415},
			{"two types", "POST", "/orders/7", `{"id":1}`, []string{json, "Content-Type: text/plain"}, 415},
			{"two types in one", "POST", "/orders/7", `{"id":1}`, []string{"Content-Type: application/json, text/plain"}, 415},
			{"no type", "POST", "/orders/7", `{"id":1}`, nil, 415},
			{"another charset", "POST", "/orders/7", `{"id":1}`, []string{"Content-Type: application/json; charset=utf-7"}, 415},
			{"another charset behind white space", "POST", "/orders/7", `{"id":1}`, []string{"Content-Type: application/json; charset =utf-16"}, 415},
			{"another charset in parts", "POST", "/orders/7", `{"id":1}`, []string{"Content-Type: application/json; charset*0=utf; charset*1=-16"}, 415},
			{"header", "GET", "/orders/7", "", []string{"X-Count: 5"}, 200},
			{"header with an underscore", "GET", "/orders/7", "", []string{"X-Count: 5", "X_Count: x"}, 400},
			{"header with an underscore alone", "GET", "/orders/7", "", []string{"x_count: 5"}, 400},
			{"cookie", "GET", "/orders/7", "", []string{"Cookie: theme=dark"}, 200},
			{"cookie with white space", "GET", "/orders/7", "", []string{"Cookie: theme =evil"}, 400},
			{"many pairs", "GET", "/orders/7?" + strings.Repeat("&a", 3500), "", nil, 400},
			{"report only", "POST", "/report?x=1", `{"a":1,"a":2}`, []string{json}, 200},
			{"report only, another type", "POST", "/report", `<a/>`, []string{"Content-Type: text/xml"}, 200},
		} {
			status, header, body := g.Do(tt.method, tt.path, tt.body, tt.fields...)
			if status != tt.status {
				t.Errorf("%s: got %d, want %d\n%s", tt.name, status, tt.status, body)
			}
			if status >= 400 && (header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"errors":[{"in":"`)) {
				t.Errorf("%s: the answer is %v %s", tt.name, header, body)
			}
			if status == 200 {
				passed++
			}
		}
		if upstream.seen != passed {
			t.Errorf("%d reached the upstream, want %d", upstream.seen, passed)
		}
		testValidateChunked(t, g)
	})
}

// testValidateChunked: a body without a length is looked at as well.
func testValidateChunked(t *testing.T, g *Gateway) {
	for body, want := range map[string]int{`{"id":1}`: 200, `{"id":"x"}`: 400, `{"id":1`: 400} {
		r, err := http.NewRequest("POST", g.URL+"/orders/7", struct{ *strings.Reader }{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = -1
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s in chunks: got %d, want %d", body, resp.StatusCode, want)
		}
	}
}

// eachGoBuild runs a test with both toolchains.
func eachGoBuild(t *testing.T, dir string, test func(t *testing.T, wasm []byte)) {
	t.Run("TinyGo", func(t *testing.T) { test(t, toolchain.TinyGo(t, dir)) })
	t.Run("StockGo", func(t *testing.T) { test(t, toolchain.StockGo(t, dir)) })
}

// A faulty schema refuses the config with its place, and a new text of a file takes effect.
func TestSchemasOfTheConfig(t *testing.T) {
	g := newPlugin(t, "validate", toolchain.TinyGo(t, "../../plugins/validate"))
	file := filepath.Join(g.Dir, "a.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	toml := func(text string) string {
		return fmt.Sprintf("[schemas.a]\nfile = \"a.json\"\n[schemas.b]\nschema = '%s'\n[plugins.validate]\ngrants = [\"schema:a\", \"schema:b\"]\n", text) +
			"[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = { status = 200 }\nfilters = [{ use = \"validate\", config = { body = { schema = \"a\" } } }]\n"
	}
	write(`{"pattern":"(?<!a)"}`)
	err := g.ApplyText(toml(`{"$ref":"https://example.com/x"}`))
	if err == nil || !strings.Contains(err.Error(), "schemas.a.file: at /pattern") || !strings.Contains(err.Error(), "nothing is fetched") {
		t.Errorf("got %v", err)
	}
	write(`{"type":"string"}`)
	if err := g.ApplyText(toml(`{"$ref":"a"}`)); err != nil {
		t.Fatal(err)
	}
	g.URL = "http://" + g.Addresses()[listen]
	post := func(body string) int {
		status, _, _ := g.Do("POST", "/", body, "Content-Type: application/json")
		return status
	}
	if a, b := post(`"x"`), post(`1`); a != 200 || b != 400 {
		t.Errorf("got %d and %d", a, b)
	}
	write(`{"type":"integer"}`)
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if a, b := post(`"x"`), post(`1`); a != 400 || b != 200 {
		t.Errorf("after the change: got %d and %d", a, b)
	}
}

// Documents that take all the work that may be do not keep others from being served.
func TestValidateWhileOthersAreServed(t *testing.T) {
	g := startPlugin(t, "validate", toolchain.TinyGo(t, "../../plugins/validate"), upstreamsTOML("b", Backend(t, Echo))+validateTOML)
	heavy := `{"id":1,"tags":[` + strings.Repeat(`"a`+strings.Repeat("b", 20)+`",`, 30_000) + `"a"]}`
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 3 {
				if status, _, body := g.Do("POST", "/orders/7", heavy, "Content-Type: application/json"); status != 400 {
					t.Errorf("got %d %.200s", status, body)
				}
			}
		})
	}
	for range 50 {
		if status, _, _ := g.Do("POST", "/orders/7", `{"id":1}`, "Content-Type: application/json"); status != 200 {
			t.Errorf("got %d", status)
		}
	}
	wait.Wait()
}
