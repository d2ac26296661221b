package meter

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// TestSpecification runs the actions of WebAssembly's own test suite, which wazero's source carries, on every module of
// it twice: as it is and metered. Results and traps must be the same; a module that only the plain way compiles must be
// one that the meter refuses on purpose.
func TestSpecification(t *testing.T) {
	if testing.Short() {
		t.Skip("runs 60 000 actions")
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Skipf("no Go tool to find wazero's source with: %v", err)
	}
	scripts, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)),
		"internal/integration_test/spectest/v*/testdata/*.json"))
	if len(scripts) == 0 {
		t.Skip("wazero's source has no test suite")
	}
	var s specRun
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".json"), func(t *testing.T) { s.script(t, script) })
	}
	if s.modules < 500 || s.actions < 10_000 {
		t.Errorf("only %d modules and %d actions were compared", s.modules, s.actions)
	}
	t.Logf("%d modules, %d actions", s.modules, s.actions)
}

type specRun struct{ modules, actions int }

type specCommand struct {
	Type     string
	Filename string
	Action   struct {
		Type, Module, Field string
		Args                []specValue
	}
}

type specValue struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    json.RawMessage
}

func (s *specRun) script(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var script struct{ Commands []specCommand }
	if err := json.Unmarshal(text, &script); err != nil {
		t.Fatal(err)
	}
	plain, metered := newSpecHost(t), newSpecHost(t)
	var p, m *instance
	for _, c := range script.Commands {
		switch {
		case c.Type == "module":
			p, m = s.module(t, filepath.Join(filepath.Dir(path), c.Filename), plain, metered)
		case p != nil && c.Action.Type == "invoke" && c.Action.Module == "":
			s.invoke(t, c, p, m)
		}
	}
}

// newSpecHost has the functions that the suite's modules print with.
func newSpecHost(t *testing.T) *host {
	h := newHost(t)
	b := h.rt.NewHostModuleBuilder("spectest")
	for name, params := range map[string][]api.ValueType{"print": nil, "print_i32": {api.ValueTypeI32},
		"print_i64": {api.ValueTypeI64}, "print_f32": {api.ValueTypeF32}, "print_f64": {api.ValueTypeF64},
		"print_i32_f32": {api.ValueTypeI32, api.ValueTypeF32}, "print_f64_f64": {api.ValueTypeF64, api.ValueTypeF64}} {
		b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(context.Context, []uint64) {}), params, nil).Export(name)
	}
	if _, err := b.Instantiate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return h
}

func (s *specRun) module(t *testing.T, path string, plain, metered *host) (p, m *instance) {
	wasm, err := os.ReadFile(path)
	if err != nil {
		return nil, nil
	}
	rewritten, err := Rewrite(wasm, Limits{TableEntries: maxTableEntries, MemoryPages: 1024, BranchTargets: 100_000})
	if err != nil {
		if plain.compiles(wasm) == nil && !refusedOnPurpose(err) {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
		return nil, nil
	}
	p, perr := plain.start(wasm)
	m, merr := metered.start(rewritten.Wasm)
	if (perr == nil) != (merr == nil) {
		t.Errorf("%s: plain %v, metered %v", filepath.Base(path), perr, merr)
	}
	s.modules++
	return p, m
}

func refusedOnPurpose(err error) bool {
	for _, why := range []string{"only functions can be imported", "is not supported", "wants", "behind a prefix"} {
		if strings.Contains(err.Error(), why) {
			return true
		}
	}
	return false
}

func (s *specRun) invoke(t *testing.T, c specCommand, p, m *instance) {
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.bits()...)
	}
	want, _, perr := p.call(c.Action.Field, args...)
	got, _, merr := m.call(c.Action.Field, args...)
	s.actions++
	if (perr == nil) != (merr == nil) || !slices.Equal(want, got) {
		t.Errorf("%s%v: plain %v %v, metered %v %v", c.Action.Field, args, want, perr, got, merr)
	}
}

// bits returns the value as the engine takes it: one word, or two for a vector.
func (v specValue) bits() []uint64 {
	if v.Type != "v128" {
		return []uint64{number(v.Value)}
	}
	var lanes []json.RawMessage
	_ = json.Unmarshal(v.Value, &lanes)
	width, _ := strconv.Atoi(v.LaneType[1:])
	words := make([]uint64, 2)
	for i, l := range lanes {
		at := i * width
		words[at/64%2] |= number(l) & (^uint64(0) >> (64 - width)) << (at % 64)
	}
	return words
}

func number(raw json.RawMessage) uint64 {
	text := strings.Trim(string(raw), `"`)
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	n, _ := strconv.ParseInt(text, 10, 64) // names of NaNs and null become 0, the same on both sides
	return uint64(n)
}
