package meter

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// TestEveryFunctionIndexMoves runs testdata/segments.wat, where every place that can hold a function index holds some.
func TestEveryFunctionIndexMoves(t *testing.T) {
	ctx := context.Background()
	h := newHost(t)
	_, err := h.rt.NewHostModuleBuilder("env").NewFunctionBuilder().WithGoFunction(
		api.GoFunc(func(_ context.Context, s []uint64) { s[0] = 100 }), nil, []api.ValueType{api.ValueTypeI32}).
		Export("give").Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	i := mustStart(t, h, mustRewrite(t, fixture(t, "segments"), Limits{}).Wasm)
	const traps = ^uint64(0)
	check := func(export string, args []uint64, want uint64) {
		t.Helper()
		got, _, err := i.call(export, args...)
		if want == traps && err == nil || want != traps && (err != nil || got[0] != want) {
			t.Errorf("%s%v: got %v %v, want %d", export, args, got, err, want)
		}
	}
	check("started", nil, 103)
	check("two", nil, 2)
	check("give", nil, 100)
	for n, want := range []uint64{1, 2, 100, 3, traps} {
		check("a", []uint64{uint64(n)}, want)
	}
	for n, want := range []uint64{2, 1, traps, traps, 3, 100} {
		check("b", []uint64{uint64(n)}, want)
	}
	if _, _, err := i.call("set", 5); err != nil {
		t.Fatal(err)
	}
	check("a", []uint64{5}, 2)
	check("a", []uint64{6}, 100)
	for n, want := range []uint64{1, 2, 2, 3} {
		check("b", []uint64{uint64(n)}, want)
	}
}

func TestInfo(t *testing.T) {
	wasm := append(fixture(t, "segments"), section(secCustom, appendName(nil, "mine"))...)
	got, err := Inspect(wasm)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Imports) != 1 || got.Imports[0].Module != "env" || got.Imports[0].Name != "give" ||
		!bytes.Equal(got.Imports[0].Results, []byte{typeI32}) || len(got.Imports[0].Params) != 0 {
		t.Errorf("imports %+v", got.Imports)
	}
	var names []string
	for _, e := range got.Exports {
		names = append(names, e.Name)
	}
	if want := "two started a b set give"; strings.Join(names, " ") != want {
		t.Errorf("exports %q, want %q", names, want)
	}
	if e := got.Exports[2]; e.Kind != KindFunc || !bytes.Equal(e.Params, []byte{typeI32}) || !bytes.Equal(e.Results, []byte{typeI32}) {
		t.Errorf("export a: %+v", e)
	}
	if !got.HasStart || got.MemoryMin != 1 || got.MemoryMax != maxPages {
		t.Errorf("got %+v", got)
	}
	if want := "name mine"; strings.Join(got.CustomSections, " ") != want {
		t.Errorf("custom sections %q, want %q", got.CustomSections, want)
	}
}

// customSections lists a module's custom sections.
func customSections(t *testing.T, wasm []byte) map[string][]byte {
	t.Helper()
	m := &module{wasm: wasm, lim: DefaultLimits()}
	if err := m.split(); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, c := range m.customs {
		out[c.name] = wasm[c.from:c.to]
	}
	return out
}

func TestCustomSections(t *testing.T) {
	custom := func(name string, content ...byte) []byte {
		return section(secCustom, append(appendName(nil, name), content...))
	}
	wasm := oneFunc([]byte{opEnd})
	for _, name := range []string{".debug_info", ".debug_line", "sourceMappingURL", "external_debug_info", "linking",
		"reloc.CODE", "metadata.code.branch_hint", "dylink.0", "whatever", "producers", "target_features"} {
		wasm = append(wasm, custom(name, 1, 2, 3)...)
	}
	got := customSections(t, mustRewrite(t, wasm, Limits{}).Wasm)
	if len(got) != 2 || got["producers"] == nil || got["target_features"] == nil {
		t.Errorf("kept %v, want producers and target_features", got)
	}
}

func TestNames(t *testing.T) {
	name := func(index uint32, s string) []byte { return appendName(appendU32(nil, index), s) }
	part := func(id byte, content []byte) []byte { return appendSection(nil, id, content) }
	imported := append(appendName(appendName(nil, "env"), "give"), KindFunc, 0)
	base := build(section(secType, vector(sig(nil, nil))), section(secImport, vector(imported)),
		section(secFunction, []byte{2, 0, 0}), section(secCode, vector(bodyOf(opEnd), bodyOf(opEnd))))
	refill := RefillModule + "." + RefillName
	tests := []struct {
		name     string
		in, want []byte
	}{
		{"functions", part(1, vector(name(0, "give"), name(1, "one"), name(2, "two"))),
			part(1, vector(name(0, "give"), name(1, refill), name(2, "one"), name(3, "two")))},
		{"imports only", part(1, vector(name(0, "give"))), part(1, vector(name(0, "give"), name(1, refill)))},
		{"module and locals", append(part(0, appendName(nil, "m")), part(2, vector(append([]byte{2}, vector(name(0, "x"))...)))...),
			append(part(0, appendName(nil, "m")), part(2, vector(append([]byte{3}, vector(name(0, "x"))...)))...)},
		{"labels go, globals stay", append(part(3, vector()), part(7, vector(name(0, "g")))...), part(7, vector(name(0, "g")))},
		{"function that is none", part(1, vector(name(3, "x"))), nil},
		{"out of order", part(1, vector(name(2, "x"), name(1, "y"))), nil},
		{"parts out of order", append(part(1, vector()), part(0, appendName(nil, "m"))...), nil},
		{"lying count", part(1, []byte{0xff, 0xff, 0xff, 0x7f}), nil},
		{"cut", []byte{1, 9, 0}, nil},
		{"not UTF-8", part(1, vector(name(0, "\xff"))), nil},
		{"too long", part(0, append(appendName(nil, "m"), 0)), nil},
	}
	h := newHost(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wasm := append(bytes.Clone(base), section(secCustom, append(appendName(nil, "name"), tt.in...))...)
			out := mustRewrite(t, wasm, Limits{}).Wasm
			if got := customSections(t, out)["name"]; !bytes.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if err := h.compiles(out); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTraceHasNames: the stack of a trap names the guest's functions by their own names.
func TestTraceHasNames(t *testing.T) {
	i := mustStart(t, newHost(t), mustRewrite(t, fixture(t, "recurse"), Limits{}).Wasm)
	if _, _, err := i.call("ping"); err == nil || !strings.Contains(err.Error(), ".pong(") {
		t.Errorf("got %v, want a stack with pong in it", err)
	}
}

// TestDescribesOnlyTheGuest: nothing appended shows in Info, and Rewrite refuses its own work.
func TestDescribesOnlyTheGuest(t *testing.T) {
	m := mustRewrite(t, fixture(t, "bulk"), Limits{})
	for _, e := range m.Exports {
		if strings.HasPrefix(e.Name, "sallyport") {
			t.Errorf("export %q", e.Name)
		}
	}
	if len(m.Imports) != 0 {
		t.Errorf("imports %v", m.Imports)
	}
	var e *Error
	if _, err := Rewrite(m.Wasm, Limits{}); !errors.As(err, &e) || !strings.Contains(e.Msg, "reserved") {
		t.Errorf("rewriting twice: %v", err)
	}
}

// TestInputIsNotKept: the caller may reuse the bytes that it gave.
func TestInputIsNotKept(t *testing.T) {
	wasm := fixture(t, "segments")
	m := mustRewrite(t, wasm, Limits{})
	want := bytes.Clone(m.Wasm)
	clear(wasm)
	if !bytes.Equal(m.Wasm, want) || m.Exports[0].Name != "two" || m.Exports[0].Results[0] != typeI32 {
		t.Error("the result changed with the input")
	}
}

// TestInterpreter: the rewritten module needs nothing of the compiler.
func TestInterpreter(t *testing.T) {
	ctx := context.Background()
	h := &host{rt: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter()), slice: 1_000_000,
		cfg: wazero.NewModuleConfig().WithName("")}
	defer h.rt.Close(ctx)
	_, err := h.rt.NewHostModuleBuilder(RefillModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(h.refill), nil, nil).Export(RefillName).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	i := mustStart(t, h, mustRewrite(t, fixture(t, "recurse"), Limits{}).Wasm)
	if got, _, err := i.call("fact", 10); err != nil || got[0] != 3628800 {
		t.Errorf("got %v %v, want 3628800", got, err)
	}
}
