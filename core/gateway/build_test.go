package gateway

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/exchange"
)

// TestBuildTellsAllThatIsWrong: what only building can find is told with its place, all at once, in the order of the file.
func TestBuildTellsAllThatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.toml")
	const toml = `[server]
listen = ["127.0.0.1:0"]
[plugins.gone]
file = "nowhere.wasm"
[[filters]]
use = "gone"
[[routes]]
name = "a"
path = "/users/:id"
respond = { status = 200 }
[[routes]]
name = "b"
path = "/users/:name"
respond = { status = 200 }
`
	cfg, err := config.Parse(file, []byte(toml))
	if err != nil {
		t.Fatal(err)
	}
	err = Check(slog.New(slog.DiscardHandler), cfg)
	if err == nil {
		t.Fatal("nothing was found wrong")
	}
	lines := strings.Split(err.Error(), "\n")
	want := []string{":6:1: filters[0].use: plugin gone: ", `:11:3: routes[1]: it matches the same requests as route "a"`}
	if len(lines) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%v", len(lines), len(want), err)
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], file+want[i]) {
			t.Errorf("got  %s\nwant %s", lines[i], want[i])
		}
	}
}

// A plugin is named once in what is wrong with it, whether its file cannot be read or is no module.
func TestFaultNamesThePluginOnce(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "text.wasm"), []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	toml := "[server]\nlisten = [\"127.0.0.1:0\"]\n[sandbox]\ncache = \"cache\"\n[plugins.gone]\nfile = \"nowhere.wasm\"\n[plugins.text]\nfile = \"text.wasm\"\n" +
		"[[routes]]\nname = \"a\"\npath = \"/\"\nrespond = {}\nfilters = [\"gone\", \"text\"]\n"
	cfg, err := config.Parse(filepath.Join(dir, "gateway.toml"), []byte(toml))
	if err != nil {
		t.Fatal(err)
	}
	err = Check(slog.New(slog.DiscardHandler), cfg)
	for _, name := range []string{"gone", "text"} {
		if err == nil || strings.Count(err.Error(), "plugin "+name+": ") != 1 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestKeyPath(t *testing.T) {
	for pointer, want := range map[string]string{
		"": "", "/keys/0/name": ".keys[0].name", "/a~1b/c~0d": ".a/b.c~d", "/": "", "nonsense": ".nonsense",
	} {
		if got := keyPath(pointer); got != want {
			t.Errorf("%q: got %q, want %q", pointer, got, want)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	for id, want := range map[string]bool{
		"abc-1.2:3/4_5+6=": true, "": false, "a b": false, "a\nb": false, "é": false, "\"": false,
		strings.Repeat("x", maxRequestID): true, strings.Repeat("x", maxRequestID+1): false,
	} {
		if got := validID(id); got != want {
			t.Errorf("%q: got %v", id, got)
		}
	}
}

func TestOneRequestIDGoesOn(t *testing.T) {
	x := &exchange.Exchange{}
	x.Req.Fields.Add("x-request-id", "first")
	x.Req.Fields.Add("X-Request-Id", "second")
	if stampID(x); x.ID != "first" || x.Req.Fields.Count(requestIDField) != 1 || x.Req.Fields.Value(requestIDField) != "first" {
		t.Errorf("logged %q, upstream gets %v", x.ID, x.Req.Fields.All())
	}
}

// TestUpstreamFiles: what is wrong with the files of a tls table is told at the key that names them.
func TestUpstreamFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "gateway.toml")
	for name, content := range map[string]string{"empty.pem": "", "text.pem": "no certificate"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const toml = `[server]
listen = ["127.0.0.1:0"]
[upstreams.a]
endpoints = ["127.0.0.1:1"]
tls = { ca = "gone.pem", insecure = false }
[upstreams.b]
endpoints = ["127.0.0.1:1"]
tls = { ca = "text.pem", cert = "text.pem", key = "empty.pem" }
[upstreams.c]
endpoints = ["127.0.0.1:1"]
tls = { cert = "empty.pem", key = "gone.key" }
`
	cfg, err := config.Parse(file, []byte(toml))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(cfg.Files()), 4; got != want {
		t.Errorf("%d files, want %d: %v", got, want, cfg.Files())
	}
	err = Check(slog.New(slog.DiscardHandler), cfg)
	if err == nil {
		t.Fatal("nothing was found wrong")
	}
	want := []string{
		":5:9: upstreams.a.tls.ca: cannot read: ", ":8:9: upstreams.b.tls.ca: ", ":8:26: upstreams.b.tls.cert: ", ":11:29: upstreams.c.tls.key: cannot read: ",
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%v", len(lines), len(want), err)
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], file+want[i]) {
			t.Errorf("got  %s\nwant %s", lines[i], want[i])
		}
	}
}
