package meter

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// toolchain builds the guest of testdata; its exports are fib, sum, sorted, matmul and words.
type toolchain struct {
	name, tool string
	env        []string
	args       []string // the output's path comes behind
	source     string
}

var toolchains = []toolchain{
	{"Go", "go", []string{"GOOS=wasip1", "GOARCH=wasm"},
		[]string{"build", "-buildmode=c-shared", "-ldflags=-s -w", "-o"}, "testdata/guest/main.go"},
	{"TinyGo", "tinygo", nil, []string{"build", "-target=wasm-unknown", "-gc=precise", "-scheduler=none", "-no-debug",
		"-buildmode=c-shared", "-o"}, "testdata/guest/main.go"},
	{"Rust", "rustc", nil, []string{"-O", "--target", "wasm32-unknown-unknown", "-C", "panic=abort",
		"-C", "link-arg=-zstack-size=65536", "-o"}, "testdata/rust/guest.rs"},
}

// guest builds the module, or skips the test if the toolchain is not there. Debian's rustc lies beside the maker's,
// which may have no wasm target.
func (c toolchain) guest(t testing.TB) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a guest")
	}
	tool, err := exec.LookPath(c.tool)
	if err != nil {
		t.Skipf("no %s", c.tool)
	}
	out := filepath.Join(t.TempDir(), "guest.wasm")
	var msg []byte
	for _, tool := range []string{tool, "/usr/bin/" + c.tool} {
		cmd := exec.Command(tool, append(slices.Clone(c.args), out, c.source)...)
		cmd.Env = append(os.Environ(), c.env...)
		if msg, err = cmd.CombinedOutput(); err == nil {
			break
		}
	}
	if err != nil {
		t.Skipf("%s does not build for wasm: %s", c.tool, msg)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

var guestWork = []struct {
	export string
	size   uint64
}{{"fib", 22}, {"sum", 300}, {"sorted", 3000}, {"matmul", 30}, {"words", 500}}

// TestToolchains: what Go, TinyGo and Rust build gives the same results metered, and stops when the fuel is spent.
func TestToolchains(t *testing.T) {
	for _, c := range toolchains {
		t.Run(c.name, func(t *testing.T) {
			wasm := c.guest(t)
			h := newHost(t)
			h.cfg = h.cfg.WithStartFunctions("_initialize")
			m := mustRewrite(t, wasm, Limits{})
			p, i := mustStart(t, h, wasm), mustStart(t, h, m.Wasm)
			for _, w := range guestWork {
				want, _, perr := p.call(w.export, w.size)
				got, spent, err := i.call(w.export, w.size)
				if err != nil || perr != nil || !slices.Equal(got, want) {
					t.Errorf("%s: plain %v %v, metered %v %v", w.export, want, perr, got, err)
				}
				if left := uint32(i.depth.Get()); left != DefaultLimits().StackBytes || spent < 10_000 {
					t.Errorf("%s: spent %d, stack left %d", w.export, spent, left)
				}
			}
			h.budget, h.slice = 100_000, 10_000 // stops wherever it happens to be
			if _, _, err := i.call("words", 3000); !errors.Is(err, errFuel) || int64(i.fuel.Get()) >= 0 {
				t.Errorf("got %v with fuel %d, want %v", err, int64(i.fuel.Get()), errFuel)
			}
		})
	}
}
