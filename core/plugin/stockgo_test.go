package plugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
)

// TestStockGo runs a plugin that the Go toolchain at hand compiled, whose runtime needs more of WASI than any other.
func TestStockGo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", file, "./testdata/stockgo")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h, book := newHost(t)
	p, err := h.Load("stockgo", wasm, Limits{TimeLimit: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	filter := configure(t, p, nil).Filter("test", chain.Deny)
	for range 3 {
		x := newExchange()
		if _, err := filter.Request(x, 0); err != nil {
			t.Fatal(err)
		}
		if got := x.Req.Fields.Value("x-key"); len(got) != 16 {
			t.Errorf("x-key is %q", got)
		}
	}
	x := newExchange()
	x.Req.Query = "mode=panic"
	_, err = filter.Request(x, 0)
	if got := failureOf(t, err); got.Cause != Exited && got.Cause != Trap {
		t.Errorf("a panic failed by %s: %v", got.Cause, got)
	}
	var said strings.Builder
	for _, line := range book.lines(t) {
		if text, ok := line["text"].(string); ok {
			said.WriteString(text + "\n")
		}
	}
	for _, want := range []string{"said by println", "panic: asked to"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, said.String())
		}
	}
}
