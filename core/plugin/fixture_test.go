package plugin

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "compile testdata/*.wat anew")

// TestFixturesAreCompiled holds the modules in testdata to their sources. Only this test needs wat2wasm.
func TestFixturesAreCompiled(t *testing.T) {
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm (package wabt) is not installed; the compiled modules are used as they are")
	}
	sources, err := filepath.Glob("testdata/*.wat")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, source := range sources {
		target := strings.TrimSuffix(source, ".wat") + ".wasm"
		compiled := filepath.Join(t.TempDir(), "out.wasm")
		if out, err := exec.Command(tool, source, "-o", compiled).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", source, err, out)
			continue
		}
		want, err := os.ReadFile(compiled)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(target, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(target); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what %s compiles to (%v): run with -update", target, source, err)
		}
	}
}
