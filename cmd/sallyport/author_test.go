package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// tool runs the command in process and returns its exit code and all that it wrote.
func tool(args ...string) (code int, out string) {
	var b bytes.Buffer
	code = dispatch(args, &b, &b)
	return code, b.String()
}

// must runs the command and fails the test if it does.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, out := tool(args...)
	if code != 0 {
		t.Fatalf("sallyport %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// offline makes sure that no toolchain asks the network for anything.
func offline(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	t.Setenv("CARGO_NET_OFFLINE", "true")
}

// The author's way, from an empty folder: new, the unit tests, build, test, inspect.
func TestAuthorsWay(t *testing.T) {
	if testing.Short() {
		t.Skip("builds plugins")
	}
	tests := []struct {
		name, language, needs string
		build                 []string
		unit                  []string
		builtBy               string
	}{
		{"stock Go", "go", "go", []string{"--toolchain", "go"}, []string{"go", "test", "./..."}, "Go cmd/compile"},
		{"TinyGo", "go", "tinygo", []string{"--toolchain", "tinygo"}, []string{"go", "vet", "./..."}, "TinyGo"},
		{"Rust", "rust", "cargo", nil, []string{"cargo", "test", "--quiet"}, "rustc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := exec.LookPath(tt.needs); err != nil {
				wat.Missing(t, tt.needs)
			}
			offline(t)
			parent := t.TempDir()
			dir := filepath.Join(parent, "my-plugin")
			must(t, "plugin", "new", "my-plugin", "--lang", tt.language, "--dir", parent)
			unit := exec.Command(tt.unit[0], tt.unit[1:]...)
			unit.Dir = dir
			if out, err := unit.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", tt.unit, err, out)
			}
			code, out := tool(append([]string{"plugin", "build", dir}, tt.build...)...)
			if strings.Contains(out, "rustup target add") {
				wat.Missing(t, "a Rust standard library for WebAssembly")
			}
			if code != 0 {
				t.Fatalf("build: %d\n%s", code, out)
			}
			if out := must(t, "plugin", "test", dir); !strings.Contains(out, "3 cases passed") {
				t.Errorf("test: %s", out)
			}
			inspected := must(t, "plugin", "inspect", filepath.Join(dir, "my-plugin.wasm"))
			for _, want := range []string{"ABI level 1", "hooks       request, response", "grants      none", tt.builtBy} {
				if !strings.Contains(inspected, want) {
					t.Errorf("inspect: no %q in\n%s", want, inspected)
				}
			}
			hasNames(t, filepath.Join(dir, "my-plugin.wasm"))
		})
	}
}

// hasNames checks that a module has the names of its functions and nothing for debuggers.
func hasNames(t *testing.T, file string) {
	t.Helper()
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(wasm, []byte("\x04name")) || bytes.Contains(wasm, []byte(".debug_")) {
		t.Errorf("%s: names of functions must be there, .debug_ sections must not", file)
	}
}

// Every plugin that comes with the gateway has cases, and passes them, whatever it is built with.
func TestShippedPlugins(t *testing.T) {
	for _, plugin := range []struct{ name, folder string }{
		{"key-auth", "plugins/key-auth"},
		{"ip-rules", "plugins/ip-rules"},
		{"acl", "plugins/acl"},
		{"agent-rules", "plugins/agent-rules"},
		{"cors", "plugins/cors"},
		{"forward-auth", "plugins/forward-auth"},
		{"hmac-auth", "plugins/hmac-auth"},
		{"jwt-auth", "plugins/jwt-auth"},
		{"security-headers", "plugins/security-headers"},
		{"transform", "plugins/transform"},
		{"first-plugin", "examples/first-plugin-go"},
	} {
		for _, built := range []string{"plugins", "plugins-go", "plugins-tinygo"} {
			t.Run(built+"/"+plugin.name, func(t *testing.T) {
				wasm := filepath.Join(root, "bin", built, plugin.name+".wasm")
				if _, err := os.Stat(wasm); err != nil {
					wat.Missing(t, wasm)
				}
				t.Log(must(t, "plugin", "test", filepath.Join(root, plugin.folder), "--wasm", wasm))
			})
		}
	}
}

func TestPluginInC(t *testing.T) {
	wasm := filepath.Join(t.TempDir(), "plugin-c.wasm")
	if err := os.WriteFile(wasm, toolchain.C(t, filepath.Join(root, "examples/plugin-c/plugin.c")), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Log(must(t, "plugin", "test", filepath.Join(root, "examples/plugin-c"), "--wasm", wasm))
}

func TestEveryShippedPluginHasCases(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(root, "plugins/*/README.md"))
	if err != nil || len(sources) < 3 {
		t.Fatalf("%v, %v", sources, err)
	}
	examples, _ := filepath.Glob(filepath.Join(root, "examples/first-plugin-*/README.md")) // a constant pattern
	for _, readme := range append(sources, examples...) {
		if found, _ := filepath.Glob(filepath.Join(filepath.Dir(readme), "*"+caseSuffix)); len(found) == 0 {
			t.Errorf("%s has no %s", filepath.Dir(readme), caseSuffix)
		}
	}
}

func TestFirstPluginInRust(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a plugin")
	}
	offline(t)
	folder := filepath.Join(root, "examples/first-plugin-rust")
	wasm := filepath.Join(t.TempDir(), "first-plugin.wasm")
	code, out := tool("plugin", "build", folder, "-o", wasm)
	if strings.Contains(out, "rustup") {
		wat.Missing(t, "a Rust standard library for WebAssembly")
	}
	if code != 0 {
		t.Fatal(out)
	}
	t.Log(must(t, "plugin", "test", folder, "--wasm", wasm))
}

func TestDefaultGatewayPassesItsCases(t *testing.T) {
	for _, name := range []string{"first-plugin", "key-auth", "ip-rules"} {
		if _, err := os.Stat(filepath.Join(root, "bin/plugins", name+".wasm")); err != nil {
			wat.Missing(t, "bin/plugins/"+name+".wasm")
		}
	}
	t.Log(must(t, "test", "-c", filepath.Join(root, "gateway.toml"), filepath.Join(root, "examples/gateway.test.toml")))
}

// guest writes a guest of testdata beside cases for it, and returns the folder.
func guest(t *testing.T, name, cases string) string {
	t.Helper()
	dir := t.TempDir()
	wasm := wat.Module(t, filepath.Join(root, "testdata/guests", name+".wat"))
	if err := os.WriteFile(filepath.Join(dir, "p.wasm"), wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "p.test.toml"), []byte(cases), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const passing = "[[cases]]\nname = \"a\"\n[cases.expect]\nverdict = \"continue\"\n"

func TestPluginTestTargets(t *testing.T) {
	dir := guest(t, "bare", passing)
	if err := os.WriteFile(filepath.Join(dir, "p.more.test.toml"), []byte(passing), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{".", "p.wasm", "p.test.toml"} {
		want := map[string]int{"p.test.toml": 1}[target]
		if want == 0 {
			want = 2
		}
		if out := must(t, "plugin", "test", filepath.Join(dir, target)); strings.Count(out, "1 case passed") != want {
			t.Errorf("%s:\n%s", target, out)
		}
	}
	if code, out := tool("plugin", "test", filepath.Join(dir, "p.test.toml"), "--wasm", filepath.Join(dir, "q.wasm")); code != 1 || !strings.Contains(out, "plugin build") {
		t.Errorf("got %d: %s", code, out)
	}
}

func TestPluginTestFailsAndUpdates(t *testing.T) {
	dir := guest(t, "bare", strings.Replace(passing, "continue", "respond", 1))
	code, out := tool("plugin", "test", dir)
	if code != 1 || !strings.Contains(out, "want \"respond\"\n       got  \"continue\"") || !strings.Contains(out, "p.test.toml:1)") {
		t.Errorf("got %d:\n%s", code, out)
	}
	if out := must(t, "plugin", "test", dir, "--update"); !strings.Contains(out, "1 of 1 cases updated") {
		t.Errorf("got %s", out)
	}
	must(t, "plugin", "test", dir)
}

// A case that could not be run cannot be updated, and is no success.
func TestPluginTestCannotUpdateWhatIsStuck(t *testing.T) {
	dir := guest(t, "bare", "[[cases]]\nname = \"above\"\n[cases.request]\npath = \"/../x\"\n"+passing)
	code, out := tool("plugin", "test", dir, "--update")
	if code != 1 || !strings.Contains(out, "0 of 2 cases updated") || !strings.Contains(out, "FAIL above") || !strings.Contains(out, "request.path: the gateway would refuse it") {
		t.Errorf("got %d:\n%s", code, out)
	}
}

func TestInspect(t *testing.T) {
	dir := guest(t, "twocalls", passing)
	file := filepath.Join(dir, "p.wasm")
	var got inspection
	if err := json.Unmarshal([]byte(must(t, "plugin", "inspect", "--json", file)), &got); err != nil {
		t.Fatal(err)
	}
	if !got.OK || got.ABI != 1 || !slices.Equal(got.Hooks, []string{"request"}) || len(got.Grants) != 0 || got.Memory.Initial != 64<<10 ||
		len(got.SHA256) != 64 || got.Metered <= got.Size || len(got.Imports) != 2 || got.Imports[1].Signature != "(i32, i32, i32) -> i32" {
		t.Errorf("got %+v", got)
	}
	asking := filepath.Join(dir, "asks.wasm")
	if err := os.WriteFile(asking, wat.Module(t, filepath.Join(root, "core/cases/testdata/asks.wat")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := must(t, "plugin", "inspect", asking); !strings.Contains(out, "grants      fetch\n") {
		t.Errorf("got\n%s", out)
	}
}

// A module that the gateway refuses is described all the same, and the reason is the gateway's.
func TestInspectWhatIsRefused(t *testing.T) {
	for name, want := range map[string]string{
		"badsignature": "on_request is ",
		"proxywasm":    "built for proxy-wasm",
		"startloop":    "start failed (fuel)",
		"wantsmissing": "is not exported",
	} {
		file := filepath.Join(guest(t, name, passing), "p.wasm")
		if code, out := tool("plugin", "inspect", file); code != 1 || !strings.Contains(out, "the gateway would refuse it") || !strings.Contains(out, want) || !strings.Contains(out, "SHA-256") {
			t.Errorf("%s: got %d:\n%s", name, code, out)
		}
		if code, out := tool("plugin", "inspect", "--json", file); code != 1 || !strings.Contains(out, `"ok": false`) {
			t.Errorf("%s: got %d:\n%s", name, code, out)
		}
	}
}

func TestPluginVerbs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bad.wasm"), []byte("no module"), 0o600); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "there")
	if err := os.MkdirAll(filepath.Join(there, "something"), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"plugin"}, 2, "plugin build"},
		{[]string{"plugin", "help"}, 0, "plugin build"},
		{[]string{"plugin", "-h"}, 0, "plugin build"},
		{[]string{"plugin", "dance"}, 2, `"dance"`},
		{[]string{"plugin", "new", "-h"}, 0, "NAME is what"},
		{[]string{"plugin", "new"}, 2, "--lang"},
		{[]string{"plugin", "new", "x"}, 2, "in which language? sallyport plugin new x --lang go"},
		{[]string{"plugin", "new", "x", "--lang", "c", "--dir", dir}, 1, "go and rust are known"},
		{[]string{"plugin", "new", "there", "--lang", "go", "--dir", dir}, 1, "is there already"},
		{[]string{"plugin", "new", "ratelimit", "--lang", "go", "--dir", dir}, 1, "native filter"},
		{[]string{"plugin", "new", "../x", "--lang", "go", "--dir", dir}, 1, "no name"},
		{[]string{"plugin", "build", there}, 1, "plugin new"},
		{[]string{"plugin", "build", filepath.Join(dir, "missing")}, 1, "no such file"},
		{[]string{"plugin", "build", "a", "b"}, 2, "--toolchain"},
		{[]string{"plugin", "test"}, 2, "--update"},
		{[]string{"plugin", "test", there}, 1, "no cases"},
		{[]string{"plugin", "test", filepath.Join(dir, "bad.wasm")}, 1, "no cases"},
		{[]string{"plugin", "test", filepath.Join(dir, "missing")}, 1, "no such file"},
		{[]string{"plugin", "test", "author_test.go"}, 1, "neither a folder"},
		{[]string{"plugin", "inspect"}, 2, "--config"},
		{[]string{"plugin", "inspect", filepath.Join(dir, "bad.wasm")}, 1, "not a WebAssembly module"},
		{[]string{"plugin", "inspect", filepath.Join(dir, "bad.wasm"), "--config", "[1]"}, 2, "no JSON object"},
		{[]string{"plugin", "inspect", filepath.Join(dir, "missing")}, 1, "no such file"},
		{[]string{"test"}, 2, "CASES.toml"},
		{[]string{"test", "-c", filepath.Join(dir, "missing"), "x"}, 1, "no such file"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			if code, out := tool(tt.args...); code != tt.code || !strings.Contains(out, tt.want) {
				t.Errorf("got %d, want %d and %q:\n%s", code, tt.code, tt.want, out)
			}
		})
	}
	if entries, _ := os.ReadDir(there); len(entries) != 1 {
		t.Error("a refused plugin new wrote something")
	}
}
