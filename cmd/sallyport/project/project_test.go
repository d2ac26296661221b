package project

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	for _, name := range []string{"a", "my-plugin", "x2", "a-1-b", strings.Repeat("a", 64)} {
		if err := checkName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "A", "1a", "-a", "a-", "a--b", "a_b", "a.b", "a/b", "ä", "plugin", "ratelimit", "compress", "sallyport", "test", strings.Repeat("a", 65)} {
		if checkName(name) == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
}

// What is written into a folder must be what gofmt makes of it, whatever the name.
func TestTemplatesAreFormatted(t *testing.T) {
	for _, name := range []string{"a", "my-long-plugin-name"} {
		files, err := contents(name, "go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"main.go", "main_test.go"} {
			cmd := exec.Command("gofmt", "-l")
			cmd.Stdin = bytes.NewReader(files[file])
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s of %s: %v %s", file, name, err, out)
			}
		}
	}
}

func TestNewHoldsWhatBuilds(t *testing.T) {
	for language, want := range map[string][]string{
		"go":   {".gitignore", "README.md", "go.mod", "main.go", "main_test.go", "p.test.toml", "sdk/go.mod", "sdk/plugin.go", "sdk/internal/host/imports.go"},
		"rust": {".cargo/config.toml", "Cargo.toml", "README.md", "p.test.toml", "sdk/Cargo.toml", "sdk/src/lib.rs", "src/lib.rs"},
	} {
		files, err := contents("p", language)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range want {
			if len(files[name]) == 0 {
				t.Errorf("%s: no %s", language, name)
			}
		}
		for name, content := range files {
			if strings.HasSuffix(name, ".tmpl") || !strings.HasPrefix(name, "sdk/") && strings.Contains(string(content), "{{") || strings.HasPrefix(name, "sdk/") && (strings.HasSuffix(name, "_test.go") || strings.Contains(string(content), "go:embed")) {
				t.Errorf("%s: %s is not wanted there", language, name)
			}
		}
	}
}

// Without a toolchain the way out is named.
func TestMissingToolchains(t *testing.T) {
	golang, rust := t.TempDir(), t.TempDir()
	for _, file := range []string{filepath.Join(golang, "go.mod"), filepath.Join(rust, "Cargo.toml")} {
		if err := os.WriteFile(file, []byte("module x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	onlyTinyGo := t.TempDir()
	if err := os.WriteFile(filepath.Join(onlyTinyGo, "tinygo"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir, path, toolchain, want string
	}{
		{"no Go at all", golang, t.TempDir(), "", "https://go.dev/dl"},
		{"no TinyGo", golang, t.TempDir(), "tinygo", "https://tinygo.org"},
		{"TinyGo without Go", golang, onlyTinyGo, "", "needs go"},
		{"no cargo", rust, t.TempDir(), "", "https://rustup.rs"},
		{"a Go toolchain for Rust", rust, t.TempDir(), "go", "is for plugins in Go"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", tt.path)
			_, err := Build(tt.dir, BuildOptions{Toolchain: tt.toolchain})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Build(golang, BuildOptions{Toolchain: "gcc"}); err == nil || !strings.Contains(err.Error(), "tinygo and go are known") {
		t.Errorf("got %v", err)
	}
}

func TestBuildShowsWhatTheCompilerSays(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/x\n\ngo 1.25\n", "main.go": "package main\n\nfunc main() { nonsense() }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	_, err := Build(dir, BuildOptions{Toolchain: "go", Messages: &said})
	if err == nil || !strings.Contains(err.Error(), "does not build with go") || !strings.Contains(said.String(), "nonsense") {
		t.Errorf("got %v, %s", err, said.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "x.wasm")); err == nil {
		t.Error("a module was written")
	}
}

func TestReadCrate(t *testing.T) {
	const text = `{"packages": [
		{"name": "lib", "manifest_path": "/w/lib/Cargo.toml", "targets": [{"name": "lib", "crate_types": ["lib"]}]},
		{"name": "my-plugin", "manifest_path": "/w/my/Cargo.toml", "targets": [{"name": "tests", "crate_types": ["bin"]}, {"name": "my_code", "crate_types": ["cdylib", "rlib"]}]}
	], "target_directory": "/w/target"}`
	got, err := readCrate("/w/my", []byte(text))
	if err != nil || *got != (crate{"my-plugin", "my_code", "/w/target"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := readCrate("/w/lib", []byte(text)); err == nil || !strings.Contains(err.Error(), "cdylib") {
		t.Errorf("got %v", err)
	}
}

func TestStripDebug(t *testing.T) {
	head := "\x00asm\x01\x00\x00\x00"
	custom := func(name, content string) string {
		return "\x00" + string(rune(1+len(name)+len(content))) + string(rune(len(name))) + name + content
	}
	tests := []struct{ name, wasm, want string }{
		{"nothing", head, head},
		{"names stay", head + custom("name", "abc"), head + custom("name", "abc")},
		{"debugging goes", head + custom(".debug_info", "abc") + custom("name", "abc") + custom("sourceMappingURL", "x") + "\x01\x01\x00", head + custom("name", "abc") + "\x01\x01\x00"},
		{"cut off", head + custom("name", "abc")[:5], head + custom("name", "abc")[:5]},
		{"no length", head + "\x00", head + "\x00"},
		{"lying name", head + "\x00\x02\x7f.", head + "\x00\x02\x7f."},
		{"no module", "abc", "abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := stripDebug([]byte(tt.wasm)); string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNewer(t *testing.T) {
	dir := t.TempDir()
	module := filepath.Join(dir, "p.wasm")
	if got := Newer(dir, module); got != "" {
		t.Errorf("got %q without a module", got)
	}
	now := time.Now()
	for name, age := range map[string]time.Duration{
		"p.wasm": 0, "main.go": time.Hour, "main.go~": -time.Hour, "target/x.rs": -time.Hour, "p.test.toml": -time.Hour, "src/lib.rs": time.Hour,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if got := Newer(dir, module); got != "" {
		t.Errorf("got %q", got)
	}
	changed := filepath.Join(dir, "src/lib.rs")
	if err := os.Chtimes(changed, now, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := Newer(dir, module); got != changed {
		t.Errorf("got %q, want %q", got, changed)
	}
}
