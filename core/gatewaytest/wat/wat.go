// Package wat compiles WebAssembly text for tests.
package wat

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Compile returns the module of a .wat file. Where wat2wasm (Debian's package wabt) is missing the test is skipped, but fails in CI.
func Compile(t testing.TB, file string) []byte {
	t.Helper()
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		Missing(t, "wat2wasm (package wabt)")
	}
	out := filepath.Join(t.TempDir(), "out.wasm")
	if text, err := exec.Command(tool, file, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// Missing skips a test whose tool is not installed; in CI, where SALLYPORT_CI is set, it fails instead.
func Missing(t testing.TB, tool string) {
	t.Helper()
	if os.Getenv("SALLYPORT_CI") != "" {
		t.Fatalf("%s is not installed, and CI must have it", tool)
	}
	t.Skipf("%s is not installed", tool)
}
