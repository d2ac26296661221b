package meter

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "compile testdata/*.wat to *.hex")

// fixture returns a module of testdata. The binary lies beside its text as hex, since few machines have wat2wasm.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func TestFixturesMatchTheirText(t *testing.T) {
	wat2wasm, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("no wat2wasm (apt-get install wabt): the binaries are taken as they are")
	}
	texts, _ := filepath.Glob("testdata/*.wat")
	if len(texts) == 0 {
		t.Fatal("no fixtures")
	}
	for _, text := range texts {
		name := strings.TrimSuffix(filepath.Base(text), ".wat")
		out := filepath.Join(t.TempDir(), "a.wasm")
		if msg, err := exec.Command(wat2wasm, "--debug-names", "-o", out, text).CombinedOutput(); err != nil {
			t.Fatalf("%s: %s", text, msg)
		}
		want, _ := os.ReadFile(out)
		if *update {
			writeHex(t, name, want)
		}
		if got := fixture(t, name); !bytes.Equal(got, want) {
			t.Errorf("%s.hex is not %s: run go test -update", name, text)
		}
	}
}

func writeHex(t *testing.T, name string, wasm []byte) {
	var b strings.Builder
	for s := hex.EncodeToString(wasm); s != ""; {
		n := min(len(s), 100)
		b.WriteString(s[:n] + "\n")
		s = s[n:]
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".hex"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
