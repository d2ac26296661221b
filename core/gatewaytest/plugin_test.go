package gatewaytest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// install writes a guest of testdata into the folder that plugins are dropped in, by writing aside and renaming, as a careful
// user does.
func install(t *testing.T, dir, name, fixture string) {
	t.Helper()
	wasm := wat.Module(t, filepath.Join("..", "..", "testdata", "guests", fixture+".wat"))
	plugins := filepath.Join(dir, "plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(plugins, name+".new")
	if err := os.WriteFile(aside, wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, filepath.Join(plugins, name+".wasm")); err != nil {
		t.Fatal(err)
	}
}

func TestHostilePluginsHarmOnlyTheirRoute(t *testing.T) {
	dir := t.TempDir()
	hostile := []string{"loop", "recurse", "bomb", "exits"}
	toml := "[sandbox]\ndir = \"plugins\"\ncache = \"cache\"\nmemory = \"2MiB\"\nfuel = 20_000_000\ntime_limit = \"20s\"\n"
	for _, name := range hostile {
		install(t, dir, name, name)
		toml += fmt.Sprintf("[[routes]]\nname = %q\npath = \"/%s\"\nfilters = [%q]\nrespond = { status = 200, body = \"through\" }\n", name, name, name)
		toml += fmt.Sprintf("[[routes]]\nname = \"skip-%s\"\npath = \"/skip/%s\"\nfilters = [{ use = %q, on_error = \"skip\" }]\nrespond = { status = 200, body = \"through\" }\n", name, name, name)
	}
	toml += "[[routes]]\nname = \"good\"\npath = \"/good\"\nrespond = { status = 200, body = \"good\" }\n"
	g := StartIn(t, dir, toml)
	goroutines := runtime.NumGoroutine()
	var wait sync.WaitGroup
	for range 4 {
		for _, name := range hostile {
			wait.Go(func() {
				want := 503
				if name == "bomb" { // it takes all it may have, and that is no fault
					want = 200
				}
				if status, _, body := g.Get("/" + name); status != want || strings.Contains(body, "wasm") {
					t.Errorf("%s: got %d %s, want %d and no internals", name, status, body, want)
				}
				if status, _, body := g.Get("/skip/" + name); status != 200 || body != "through" {
					t.Errorf("skip %s: got %d %s", name, status, body)
				}
				if status, _, body := g.Get("/good"); status != 200 || body != "good" {
					t.Errorf("beside %s: got %d %s", name, status, body)
				}
			})
		}
	}
	wait.Wait()
	for name, p := range g.Status().Plugins {
		for _, pool := range p.Pools {
			if name != "bomb" && pool.Instances != 0 {
				t.Errorf("%s: %d instances are left", name, pool.Instances)
			}
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
}

func TestABadReloadChangesNothing(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "p", "bare")
	const toml = "[[routes]]\nname = \"r\"\npath = \"/\"\nfilters = [\"p\"]\nrespond = { status = 200, body = \"one\" }\n"
	g := StartIn(t, dir, toml)
	generation := g.Current().Generation
	for name, change := range map[string]func() error{
		"empty file":  func() error { return os.WriteFile(filepath.Join(dir, "gateway.toml"), nil, 0o600) },
		"broken toml": func() error { return os.WriteFile(filepath.Join(dir, "gateway.toml"), []byte("[server"), 0o600) },
		"missing plugin": func() error {
			return os.WriteFile(filepath.Join(dir, "gateway.toml"), []byte(complete(strings.Replace(toml, `"p"`, `"q"`, 1))), 0o600)
		},
		"truncated plugin": func() error {
			return os.WriteFile(filepath.Join(dir, "plugins", "p.wasm"), wat.Module(t, "../../testdata/guests/bare.wat")[:50], 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if err := g.Reload(); err == nil {
				t.Error("it was taken")
			}
			if status, _, body := g.Get("/"); status != 200 || body != "one" || g.Current().Generation != generation {
				t.Errorf("got %d %s, generation %d", status, body, g.Current().Generation)
			}
			install(t, dir, "p", "bare")
			if err := os.WriteFile(filepath.Join(dir, "gateway.toml"), []byte(complete(toml)), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// No request may fail because of a reload, whether it changes the config or a plugin.
func TestReloadUnderLoadLosesNothing(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "p", "bare")
	backend := Backend(t, Echo)
	toml := func(i int) string {
		return routes(backend, fmt.Sprintf("[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\nfilters = [\"p\", { use = \"headers\", response = { set = { \"X-Round\" = \"%d\" } } }]\n", i))
	}
	g := StartIn(t, dir, toml(0))
	var stop atomic.Bool
	var served atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for !stop.Load() {
				status, header, body := g.Do("POST", "/x", "hello", "X-Api-Key: secret") // twocalls wants it
				if status != 200 || header.Get("X-Round") == "" || !strings.Contains(body, "body=5") {
					t.Errorf("got %d %v %s", status, header, body)
					return
				}
				served.Add(1)
			}
		})
	}
	for i := range 60 {
		install(t, dir, "p", []string{"twocalls", "bare"}[i%2])
		if err := g.ApplyText(toml(i + 1)); err != nil {
			t.Errorf("reload %d: %v", i, err)
		}
		before := served.Load()
		Until(t, "requests went through the new generation", func() bool { return served.Load() > before+8 || t.Failed() })
	}
	stop.Store(true)
	wait.Wait()
	if t.Failed() {
		t.Log(g.Logs())
	}
	if _, header, _ := g.Get("/"); header.Get("X-Round") != "60" {
		t.Errorf("the last generation does not serve: %v", header)
	}
}
