package cases

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gatewaytest/golden"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// TestMain fails if a case leaves a goroutine behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	for deadline := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "%d goroutines left, %d at the start\n", runtime.NumGoroutine(), before)
			code = 1
			break
		}
	}
	os.Exit(code)
}

const guests = "../../testdata/guests"

// fuel makes what a plugin costs, which depends on the meter and not on this package, one and the same.
var fuel = regexp.MustCompile(`(request|response|end|p) \d+( \d{3})*`)

// run runs the cases of a text with a guest and returns the report.
func run(t *testing.T, text, guest string) (*config.Cases, []Result, string) {
	t.Helper()
	cs, err := config.ParseCases("p.test.toml", []byte(text), config.PluginCases)
	if err != nil {
		t.Fatal(err)
	}
	results, err := RunPlugin(cs, "p", wat.Module(t, guest))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	(&Report{Out: &out}).Write(cs, results)
	return cs, results, fuel.ReplaceAllString(out.String(), "$1 N")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWatIsUpToDate(t *testing.T) { wat.Check(t, "testdata", *golden.Update) }

// What --update writes is what was seen, and passes ever after.
func TestUpdate(t *testing.T) {
	const guest = "testdata/asks.wat"
	cs, results, report := run(t, read(t, "testdata/asks.toml"), guest)
	golden.Compare(t, "testdata/asks.report.golden", report)
	text, changed, err := Update(cs, results)
	if err != nil || changed != 5 {
		t.Fatalf("%d changed, %v", changed, err)
	}
	golden.Compare(t, "testdata/asks.updated.golden", string(text))
	cs, results, report = run(t, string(text), guest)
	if !Passed(results) {
		t.Errorf("what was written does not pass:\n%s", report)
	}
	again, changed, err := Update(cs, results)
	if err != nil || changed != 0 || string(again) != string(text) {
		t.Errorf("an update of what passes changes %d: %v", changed, err)
	}
}

func TestUpdateKeepsWhatIsNamed(t *testing.T) {
	const text = `[[cases]]
name = "a"
  [cases.request]
  headers = { X-Api-Key = "secret" }
  [cases.expect]
  # only these
  verdict = "respond"
  attributes = { a = "b", c = false }
  [cases.expect.response]
  status = 404
  headers = { "X-A" = "b", X-B = false }
`
	cs, results, _ := run(t, text, guests+"/twocalls.wat")
	got, _, err := Update(cs, results)
	want := `[[cases]]
name = "a"
  [cases.request]
  headers = { X-Api-Key = "secret" }
  # only these
  [cases.expect]
  verdict = "continue"
  attributes = { a = false, c = false }
  [cases.expect.response]
  status = 200
  headers = { X-A = false, X-B = false }
`
	if err != nil || string(got) != want {
		t.Errorf("%v, got\n%s", err, got)
	}
}

func TestReport(t *testing.T) {
	tests := []struct{ name, guest, text string }{
		{"passes", "bare", `
[[cases]]
name = "short"
  [cases.expect]
  verdict = "continue"
[[cases]]
name = "everything as it was sent"
  [cases.request]
  method = "POST"
  path = "/a?b=c"
  host = "h"
  headers = { A = "b", C = ["d", "e"] }
  body = "f"
  [cases.response]
  status = 201
  headers = { G = "h" }
  body = "i"
  [cases.expect]
  log = []
  fetches = []
  [cases.expect.request]
  host = "h"
  path = "/a"
  query = "b=c"
  headers = { a = "b", c = ["d", "e"], x = false, A = true }
  body = "f"
  [cases.expect.response]
  status = 201
  headers = { g = ["h"] }
  body = "i"
`},
		{"differs", "bare", `
[[cases]]
name = "one line and several"
  [cases.request]
  headers = { C = ["d", "e"] }
  [cases.response]
  body = "first\nsecond\nthird\n"
  [cases.expect]
  verdict = "respond"
  log = ["info: hello"]
  attributes = { consumer = "jo" }
  [cases.expect.request]
  path = "/x"
  headers = { C = ["d", "f"], X = true }
  [cases.expect.response]
  status = 404
  body = "first\n2nd\nthird\n"
[[cases]]
name = "not refused"
  [cases.expect]
  refused = "because"
[[cases]]
name = "expects nothing"
`},
		{"fails", "exits", `
[[cases]]
name = "unexpected"
  [cases.expect.request]
  path = "/"
[[cases]]
name = "expected"
  [cases.expect]
  verdict = "fail"
  [cases.expect.response]
  status = 503
`},
		{"fails-at-the-end", "testdata/ends", `
[[cases]]
name = "an end that fails is a failure"
  [cases.expect.response]
  status = 200
`},
		{"granted", "testdata/granted", `
[[cases]]
name = "everything is there"
kv = { n = "41", other = "x" }
stores.shared = { a = "b" }
secrets = { hmac = "hush" }
tokens.main = { abc = '{"sub":"jo"}' }
limits.login = 1
  [cases.expect]
  verdict = "continue"
  log = ['info: {"sub":"jo"}']
  kv = { n = "42", hmac = "hush", a = "b", other = true, nothing = false }
[[cases]]
name = "nothing is granted but a store of its own"
  [cases.expect]
  verdict = "respond"
  kv = { n = "1", hmac = false }
  [cases.expect.response]
  status = 403
[[cases]]
name = "the token has expired"
stores.shared = { a = "b" }
secrets = { hmac = "hush" }
tokens.main = { abc = "expired" }
  [cases.expect.response]
  status = 406
[[cases]]
name = "the token is another one"
stores.shared = { a = "b" }
secrets = { hmac = "hush" }
tokens.main = { abd = "{}" }
  [cases.expect.response]
  status = 402
[[cases]]
name = "what is stored differs"
kv = { n = "x" }
  [cases.expect]
  kv = { n = "y", a = "b" }
`},
		{"path", "bare", `
[[cases]]
name = "no client could send it"
  [cases.request]
  path = "/../x"
  [cases.expect]
  verdict = "continue"
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			guest := filepath.Join(guests, tt.guest+".wat")
			if strings.HasPrefix(tt.guest, "testdata/") {
				guest = tt.guest + ".wat"
			}
			_, _, report := run(t, tt.text, guest)
			golden.Compare(t, "testdata/report-"+tt.name+".golden", report)
		})
	}
}

func TestColoursAndNotes(t *testing.T) {
	cs, results, _ := run(t, "[[cases]]\nname = \"a\"\n[cases.expect]\nverdict = \"fail\"\n", guests+"/exits.wat")
	var out bytes.Buffer
	(&Report{Out: &out, Colour: true, Verbose: true}).Write(cs, results)
	for _, want := range []string{green + "ok  " + plain, "log: error: plugin failed", "note: proc_exit"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestRunPluginRefusesWhatIsNone(t *testing.T) {
	cs, err := config.ParseCases("p.test.toml", []byte("[[cases]]\nname = \"a\"\n"), config.PluginCases)
	if err != nil {
		t.Fatal(err)
	}
	_, err = RunPlugin(cs, "p", wat.Module(t, guests+"/noabi.wat"))
	if err == nil || !strings.Contains(err.Error(), "sallyport_abi") {
		t.Errorf("got %v", err)
	}
}

func TestQuoteIsReadBack(t *testing.T) {
	for _, s := range []string{"", "plain", `"`, `""`, `"""`, `\`, `a"b`, `it's "x"`, "\n", "\n\"", "a\n\"b\"\n", "tab\t", "\x00\x7f\u2028", `'`, `'"`, `''' """`, "\r\n", `"x\`, `x"`} {
		text := "[[cases]]\nname = \"a\"\n[cases.expect.response]\nbody = " + quote(s) + "\n"
		cs, err := config.ParseCases("p.test.toml", []byte(text), config.PluginCases)
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if got := cs.List[0].Expect[0].Want; got != s {
			t.Errorf("%q is read back as %q from %s", s, got, quote(s))
		}
	}
}

func TestRoutes(t *testing.T) {
	dir := t.TempDir()
	gatewayFile := filepath.Join(dir, "gateway.toml")
	toml := `[server]
listen = ["192.0.2.1:80"] # no address of this machine: it must not be opened
[admin]
[upstreams.b]
endpoints = ["192.0.2.2:80"]
[[filters]]
use = "headers"
response = { set = { X-Through = "yes" } }
[[routes]]
name = "proxied"
path = "/p/*rest"
upstream = "b"
strip_prefix = "/p"
[[routes]]
name = "limited"
path = "/limited"
filters = [{ use = "ratelimit", rate = "1/h" }]
respond = { status = 204 }
`
	if err := os.WriteFile(gatewayFile, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(gatewayFile)
	if err != nil {
		t.Fatal(err)
	}
	runRoutes := func(text string) (*config.Cases, []Result, string) {
		cs, err := config.ParseCases("routes.toml", []byte(text), config.RouteCases)
		if err != nil {
			t.Fatal(err)
		}
		results, err := RunRoutes(cs, cfg)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		(&Report{Out: &out}).Write(cs, results)
		return cs, results, out.String()
	}
	cs, results, report := runRoutes(read(t, "testdata/routes.toml"))
	golden.Compare(t, "testdata/routes.report.golden", report)
	text, _, err := Update(cs, results)
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/routes.updated.golden", string(text))
	// of the case that names an upstream that is not there, nothing was seen
	mended := strings.NewReplacer("upstreams.nobody", "upstreams.b").Replace(string(text))
	if _, results, report = runRoutes(mended); !Passed(results) {
		t.Errorf("what was written does not pass:\n%s", report)
	}
	if len(cfg.Server.Listen) != 1 || cfg.Upstreams["b"].Endpoints[0].Address != "192.0.2.2:80" {
		t.Error("the config was changed")
	}
}

// What is wrong with the config is told as sallyport check does.
func TestRoutesOfABadConfig(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plugins", "bad.wasm"), []byte("bad"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "gateway.toml")
	cfg, err := config.Parse(file, []byte("[server]\nlisten = [\"127.0.0.1:0\"]\n[[routes]]\nname = \"r\"\npath = \"/\"\nfilters = [\"bad\"]\nrespond = { status = 200 }\n"))
	if err != nil {
		t.Fatal(err)
	}
	cs, err := config.ParseCases("routes.toml", []byte("[[cases]]\nname = \"a\"\n"), config.RouteCases)
	if err != nil {
		t.Fatal(err)
	}
	_, err = RunRoutes(cs, cfg)
	var wrong config.Errors
	if !errors.As(err, &wrong) || wrong[0].Line != 6 {
		t.Errorf("got %v", err)
	}
}
