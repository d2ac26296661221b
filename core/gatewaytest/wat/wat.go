// Package wat gives tests their WebAssembly modules: text (.wat) in the tree, with what it compiles to beside it as hex, since
// few machines have wat2wasm.
package wat

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Module returns the module of a .wat file, from the .hex file beside it.
func Module(t testing.TB, file string) []byte {
	t.Helper()
	wasm, err := read(hexFile(file))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// Check holds the .hex files of a folder to their texts; with update it writes them anew. Only this needs wat2wasm.
func Check(t testing.TB, folder string, update bool) {
	t.Helper()
	if _, err := exec.LookPath("wat2wasm"); err != nil {
		Missing(t, "wat2wasm (package wabt)")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.wat"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no .wat files in %s: %v", folder, err)
	}
	for _, file := range files {
		want := compile(t, file)
		if update {
			write(t, hexFile(file), want)
		}
		if got, err := read(hexFile(file)); err != nil || string(got) != string(want) {
			t.Errorf("%s is not what %s compiles to (%v): run go test -update", hexFile(file), file, err)
		}
	}
}

// Missing skips a test whose tool is not installed; in CI, where SALLYPORT_CI is set, it fails instead.
func Missing(t testing.TB, tool string) {
	t.Helper()
	if os.Getenv("SALLYPORT_CI") != "" {
		t.Fatalf("%s is not installed, and CI must have it", tool)
	}
	t.Skipf("%s is not installed", tool)
}

func hexFile(file string) string { return strings.TrimSuffix(file, ".wat") + ".hex" }

func compile(t testing.TB, file string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.wasm")
	if text, err := exec.Command("wat2wasm", "--debug-names", "-o", out, file).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func read(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
}

// write keeps lines short, so that a change shows where it is.
func write(t testing.TB, file string, wasm []byte) {
	t.Helper()
	const width = 100
	var b strings.Builder
	for text := hex.EncodeToString(wasm); text != ""; {
		n := min(width, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
