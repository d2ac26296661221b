// Package toolchain builds plugins that tests have as source, as docs/PLUGINS.md tells authors to. Each function skips the test if its
// tools are not installed; in CI that fails.
package toolchain

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// TinyGo builds a Go plugin with TinyGo.
func TinyGo(t testing.TB, dir string) []byte {
	t.Helper()
	tool, err := exec.LookPath("tinygo")
	if err != nil {
		wat.Missing(t, "tinygo")
	}
	file := filepath.Join(t.TempDir(), "p.wasm")
	run(t, dir, nil, tool, "build", "-target=wasm-unknown", "-opt=s", "-gc=precise", "-scheduler=none", "-no-debug",
		"-buildmode=c-shared", "-o", file, ".")
	return read(t, file)
}

// StockGo builds a Go plugin with the Go toolchain at hand.
func StockGo(t testing.TB, dir string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.wasm")
	run(t, dir, []string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", file, ".")
	return read(t, file)
}

const rustTarget = "wasm32-unknown-unknown"

// Rust builds a Rust plugin without a network.
func Rust(t testing.TB, dir string) []byte {
	t.Helper()
	bin := rustFolder()
	if bin == "" {
		wat.Missing(t, "cargo with the target "+rustTarget)
	}
	out := t.TempDir()
	run(t, dir, []string{"RUSTC=" + filepath.Join(bin, "rustc"), "CARGO_TARGET_DIR=" + out},
		filepath.Join(bin, "cargo"), "build", "--quiet", "--release", "--offline", "--target", rustTarget)
	files, err := filepath.Glob(filepath.Join(out, rustTarget, "release", "*.wasm"))
	if err != nil || len(files) != 1 {
		t.Fatalf("cargo made %q in %s, want one module (%v)", files, dir, err)
	}
	return read(t, files[0])
}

// C builds a plugin of one C file without a library.
func C(t testing.TB, source string) []byte {
	t.Helper()
	tool, err := exec.LookPath("clang-14")
	if err != nil {
		wat.Missing(t, "clang-14")
	}
	file := filepath.Join(t.TempDir(), "p.wasm")
	run(t, filepath.Dir(source), nil, tool, "--target=wasm32", "-O2", "-nostdlib", "-Wall", "-Wextra", "-Werror",
		"-Wl,--no-entry", "-Wl,--strip-debug", "-o", file, filepath.Base(source))
	return read(t, file)
}

// rustFolder returns the folder of the first cargo and rustc that have the target, "" if there is none. Debian's lie beside the
// maker's, which may not have it.
func rustFolder() string {
	folders := []string{"/usr/bin"}
	if cargo, err := exec.LookPath("cargo"); err == nil {
		folders = []string{filepath.Dir(cargo), "/usr/bin"}
	}
	for _, bin := range folders {
		libs, err := exec.Command(filepath.Join(bin, "rustc"), "--print", "target-libdir", "--target", rustTarget).Output()
		if err != nil {
			continue
		}
		std, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(libs)), "libstd-*.rlib"))
		if err == nil && len(std) > 0 {
			return bin
		}
	}
	return ""
}

func run(t testing.TB, dir string, env []string, tool string, args ...string) {
	t.Helper()
	cmd := exec.Command(tool, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s in %s: %v\n%s", tool, dir, err, out)
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}
