package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// What testdata/guests/hostile.wat can do, and where while it serves.
const (
	evilDeeds  = "lrigfcbnwuxyhk"
	evilPlaces = "qmrpse"
)

func evilRoute(at, do rune, onError string) string {
	return fmt.Sprintf("[[routes]]\nname = \"%[1]c%[2]c-%[3]s\"\npath = \"/%[3]s/%[1]c%[2]c\"\nupstream = \"b\"\n"+
		"filters = [{ use = \"hostile\", on_error = %[3]q, config = { at = \"%[1]c\", do = \"%[2]c\" } }]\n", at, do, onError)
}

// Whatever a guest does in whatever hook, its own exchanges end as designed and all others go on: of those beside it, none fails.
func TestHostileGuestEverywhere(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "hostile", "hostile")
	backend := Backend(t, Echo)
	var toml strings.Builder
	fmt.Fprintf(&toml, "[sandbox]\ndir = \"plugins\"\ncache = \"cache\"\nmemory = \"2MiB\"\nfuel = 10_000_000\ntime_limit = \"20s\"\nmax_instances = 200\n"+
		"[plugins.hostile]\ngrants = [\"fetch:auth\"]\n[upstreams.auth]\nendpoints = [%q]\n", backend)
	toml.WriteString(routes(backend, "[[routes]]\nname = \"good\"\npath = \"/good\"\nupstream = \"b\"\n"))
	for _, at := range evilPlaces {
		for _, do := range evilDeeds {
			toml.WriteString(evilRoute(at, do, "deny") + evilRoute(at, do, "skip"))
		}
	}
	g := StartIn(t, dir, toml.String())
	var over atomic.Bool
	var beside sync.WaitGroup
	rounds := 0
	beside.Go(func() {
		for ; !over.Load() || rounds == 0; rounds++ {
			if status, _, _ := g.Get("/good"); status != 200 {
				t.Errorf("beside: got %d", status)
				return
			}
		}
	})
	for _, at := range evilPlaces {
		for _, do := range evilDeeds {
			if got, want := visit(g, fmt.Sprintf("/deny/%c%c", at, do)), evilOutcome(at); got != want {
				t.Errorf("deny, %c in %c: got %s, want %s", do, at, got, want)
			}
			if got := visit(g, fmt.Sprintf("/skip/%c%c", at, do)); got != "200 whole" {
				t.Errorf("skip, %c in %c: got %s", do, at, got)
			}
		}
	}
	over.Store(true)
	beside.Wait()
	t.Logf("%d exchanges beside them", rounds)
	Until(t, "no instance is held", func() bool { // the last on_end may run behind the answer
		for _, pool := range g.Status().Plugins["hostile"].Pools {
			if pool.Instances != pool.Idle {
				return false
			}
		}
		return true
	})
}

// evilOutcome is what the client of a guest that fails gets with on_error = "deny".
func evilOutcome(at rune) string {
	switch {
	case at == 'e':
		return "200 whole"
	case at == 's':
		return "200 cut short"
	}
	return "503 whole"
}

// visit sends a request with content and says how the answer looked.
func visit(g *Gateway, path string) string {
	resp, err := http.Post(g.URL+path+"?"+strings.Repeat("%61&", 1000), "text/plain", strings.NewReader("content"))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	how := "whole"
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		how = "cut short"
	case strings.Contains(string(text), "wasm") || strings.Contains(string(text), "fuel"):
		how = "tells internals"
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, how)
}

// What fails while it starts refuses the config, with the reason at its place, and what serves goes on.
func TestHostileStartsRefuseTheConfig(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "hostile", "hostile")
	backend := Backend(t, Echo)
	head := fmt.Sprintf("[sandbox]\ndir = \"plugins\"\ncache = \"cache\"\nfuel_start = 20_000_000\n"+
		"[plugins.hostile]\ngrants = [\"fetch:auth\"]\n[upstreams.auth]\nendpoints = [%q]\n", backend) + routes(backend, "")
	g := StartIn(t, dir, head+"[[routes]]\nname = \"good\"\npath = \"/good\"\nupstream = \"b\"\n")
	for at, export := range map[rune]string{'t': "start", 'i': "_initialize", 'a': "sallyport_abi", 'c': "on_configure"} {
		for _, do := range "lrigfcbnwux" {
			err := g.ApplyText(head + evilRoute(at, do, "deny"))
			if err == nil || !strings.Contains(err.Error(), "routes[0].filters[0]: plugin hostile: ") || !strings.Contains(err.Error(), export+" failed (") {
				t.Errorf("%c in %c: got %v", do, at, err)
			}
		}
	}
	if status, _, _ := g.Get("/good"); status != 200 {
		t.Errorf("got %d", status)
	}
}

// A folder full of rubbish that no route names is told of, and harms nobody.
func TestRubbishInTheFolder(t *testing.T) {
	dir := t.TempDir()
	good := wat.Module(t, filepath.Join("..", "..", "testdata", "guests", "bare.wat"))
	rubbish := map[string][]byte{
		"empty": {}, "text": []byte("#!/bin/sh\n"), "magic": good[:4], "head": good[:8], "cut": good[:len(good)-1], "noise": []byte(strings.Repeat("\x00asm\x01\x00\x00\x00", 999)),
		"component": []byte("\x00asm\x0d\x00\x01\x00"), "longer": append(append([]byte{}, good...), 0xff),
	}
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, wasm := range rubbish {
		if err := os.WriteFile(filepath.Join(dir, "plugins", name+".wasm"), wasm, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g := StartIn(t, dir, "[[routes]]\nname = \"good\"\npath = \"/good\"\nrespond = { status = 200 }\n")
	if status, _, _ := g.Get("/good"); status != 200 {
		t.Errorf("got %d", status)
	}
	for name := range rubbish {
		if !strings.Contains(g.Logs(), name+".wasm") {
			t.Errorf("nothing is told of %s", name)
		}
		if err := g.ApplyText(fmt.Sprintf("[[routes]]\nname = \"good\"\npath = \"/good\"\nfilters = [%q]\nrespond = { status = 200 }\n", name)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
