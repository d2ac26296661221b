package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/config"
)

const root = "../.."

// blocks returns the README's code blocks of a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		found = append(found, match[1])
	}
	if len(found) == 0 {
		t.Fatalf("no block of %s in the README", language)
	}
	return found
}

func TestReadmeShowsTheFirstPlugin(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, "examples/first-plugin-go/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if got := blocks(t, "go")[0]; got != string(source) {
		t.Error("the README's plugin is not examples/first-plugin-go/main.go")
	}
}

// The five minutes: new, test, build, test in the sandbox, name it in a route, check.
func TestReadmePlugin(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a plugin with stock Go")
	}
	offline(t)
	t.Setenv("SALLYPORT_TEST_PROCESS", "1") // the test binary is the command then
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin/plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(os.Args[0], filepath.Join(dir, "bin/sallyport")); err != nil {
		t.Fatal(err)
	}
	ran := false
	for _, block := range blocks(t, "sh") {
		if !strings.HasPrefix(block, "bin/sallyport plugin new") {
			continue
		}
		ran = true
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", block)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if !ran {
		t.Error("the README has no block that begins with plugin new")
	}
	file := filepath.Join(dir, "gateway.toml")
	toml := "[server]\nlisten = [\"127.0.0.1:0\"]\n[sandbox]\ndir = \"bin/plugins\"\n[upstreams.sample]\nendpoints = [\"127.0.0.1:9001\"]\n" + blocks(t, "toml")[0]
	if err := os.WriteFile(file, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code := dispatch([]string{"check", "-c", file}, &out, &out); code != 0 {
		t.Errorf("check: %d\n%s", code, out.String())
	}
}

func TestDefaultConfigIsRead(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin/plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first-plugin", "key-auth", "ip-rules"} { // only their names are looked at
		if err := os.WriteFile(filepath.Join(dir, "bin/plugins", name+".wasm"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := config.Parse(filepath.Join(dir, "gateway.toml"), text); err != nil {
		t.Error(err)
	}
}
