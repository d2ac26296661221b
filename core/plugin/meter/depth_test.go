package meter

import (
	"runtime"
	"testing"
)

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestEndlessRecursion ends as an exhausted stack after a few MiB: the engine doubles its stack, so twice the frames'
// real size is allocated, and the halves before it.
func TestEndlessRecursion(t *testing.T) {
	const most = 8 << 20
	for _, export := range []string{"direct", "ping", "viatable"} {
		t.Run(export, func(t *testing.T) {
			i := mustStart(t, newHost(t), mustRewrite(t, fixture(t, "recurse"), Limits{}).Wasm)
			var err error
			got := allocated(func() { _, _, err = i.call(export) })
			if err == nil || int32(i.depth.Get()) >= 0 {
				t.Errorf("got %v, stack left %d; want a trap and none", err, int32(i.depth.Get()))
			}
			if int64(i.fuel.Get()) < 0 {
				t.Error("the fuel is spent: the recursion was not what ended the call")
			}
			if got > most {
				t.Errorf("allocated %d KiB, at most %d KiB wanted", got>>10, most>>10)
			}
			t.Logf("%d KiB", got>>10)
		})
	}
}

// TestFatFrames recurses through functions made to have large frames for little code.
func TestFatFrames(t *testing.T) {
	const most = 16 << 20
	for name, wasm := range map[string][]byte{"operands": fatOperands(2000), "locals": fatLocals(4000),
		"joins": fatJoins(200, 100), "loops": fatLoops(200, 100), "values": fatValues(2000), "groups": fatGroups(2000)} {
		t.Run(name, func(t *testing.T) {
			i := mustStart(t, newHost(t), mustRewrite(t, wasm, Limits{}).Wasm)
			var err error
			got := allocated(func() { _, _, err = i.call("f") })
			if err == nil || int32(i.depth.Get()) >= 0 {
				t.Errorf("got %v, stack left %d; want a trap and none", err, int32(i.depth.Get()))
			}
			if got > most {
				t.Errorf("allocated %d KiB, at most %d KiB wanted", got>>10, most>>10)
			}
			t.Logf("%d KiB", got>>10)
		})
	}
}

// Each returns a module with f, which calls itself (function 0), g (function 1, which makes a value) and sink (function
// 2, which takes one), so that values live across calls.
func fatModule(locals int, code []byte) []byte {
	f := append(appendU32([]byte{1}, uint32(locals)), typeI32)
	return build(
		section(secType, vector(sig(nil, nil), sig(nil, []byte{typeI32}), sig([]byte{typeI32}, nil))),
		section(secFunction, []byte{3, 0, 1, 2}),
		section(secExport, vector(export("f", KindFunc, 0))),
		section(secCode, vector(sized(append(append(f, code...), opEnd)), bodyOf(opI32Const, 1, opEnd), bodyOf(opEnd))))
}

func fatOperands(n int) (wasm []byte) {
	var c []byte
	for range n {
		c = append(c, opCall, 1)
	}
	c = append(c, opCall, 0)
	for range n {
		c = append(c, opCall, 2)
	}
	return fatModule(0, c)
}

func fatLocals(n int) []byte {
	var c []byte
	for i := range n {
		c = appendU32(append(c, opCall, 1, opLocalSet), uint32(i))
	}
	c = append(c, opCall, 0)
	for i := range n {
		c = append(appendU32(append(c, opLocalGet), uint32(i)), opCall, 2)
	}
	return fatModule(n, c)
}

// fatJoins assigns to every local in the innermost of many ifs, with a call behind each of them.
func fatJoins(locals, depth int) []byte {
	var c []byte
	for range depth {
		c = append(c, opCall, 1, opIf, blockEmpty)
	}
	for i := range locals {
		c = appendU32(append(c, opCall, 1, opLocalSet), uint32(i))
	}
	for range depth {
		c = append(c, opEnd, opCall, 1, 0x1a)
	}
	c = append(c, opCall, 0)
	for i := range locals {
		c = append(appendU32(append(c, opLocalGet), uint32(i)), opCall, 2)
	}
	return fatModule(locals, c)
}

// fatLoops does the same with loops.
func fatLoops(locals, depth int) []byte {
	var c []byte
	for range depth {
		c = append(c, opLoop, blockEmpty, opCall, 1, 0x1a)
	}
	c = append(c, opCall, 0)
	for i := range locals {
		c = appendU32(append(c, opLocalGet), uint32(i))
		c = appendU32(append(c, opCall, 1, opI32Add, opLocalSet), uint32(i))
	}
	for range depth {
		c = append(c, opCall, 1, 0x45, 0x0d, 0, opEnd)
	}
	return fatModule(locals, c)
}

// fatValues assigns to one local over and over, each value living across one call.
func fatValues(n int) []byte {
	var c []byte
	for range n {
		c = append(c, opCall, 1, opLocalSet, 0, opCall, 1, opCall, 2, opLocalGet, 0, opCall, 2)
	}
	return fatModule(1, append(c, opCall, 0))
}

// fatGroups makes and uses a few values at a time; none shares its slot with those before.
func fatGroups(n int) []byte {
	var c []byte
	for range n {
		c = append(c, repeat(6, opCall, 1)...)
		c = append(c, repeat(6, opCall, 2)...)
	}
	return fatModule(0, append(c, opCall, 0))
}

// TestEveryExitGivesBack leaves recursive functions in every way and finds the stack as it was.
func TestEveryExitGivesBack(t *testing.T) {
	tests := []struct {
		name, export string
		args, want   []uint64
	}{
		{"return", "exits", []uint64{0, 3}, []uint64{10}},
		{"br", "exits", []uint64{1, 3}, []uint64{11}},
		{"br_if", "exits", []uint64{2, 3}, []uint64{12}},
		{"br_table", "exits", []uint64{3, 3}, []uint64{13}},
		{"end", "exits", []uint64{4, 3}, []uint64{14}},
		{"two results", "pair", []uint64{4}, []uint64{1, 14}},
		{"i64 result", "fact", []uint64{10}, []uint64{3628800}},
		{"through a table", "caller", []uint64{7}, []uint64{8}},
	}
	i := mustStart(t, newHost(t), mustRewrite(t, fixture(t, "recurse"), Limits{}).Wasm)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := i.call(tt.export, tt.args...)
			if err != nil || len(got) != len(tt.want) {
				t.Fatalf("got %v %v, want %v", got, err, tt.want)
			}
			for j := range got {
				if got[j] != tt.want[j] {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			}
			if left := uint32(i.depth.Get()); left != DefaultLimits().StackBytes {
				t.Errorf("stack left is %d after the call", left)
			}
		})
	}
	if _, _, err := i.call("own"); err == nil || int32(i.depth.Get()) < 0 {
		t.Errorf("the guest's own trap: %v, stack left %d; want a trap and some", err, int32(i.depth.Get()))
	}
}

// TestWhoCanRecurse looks at the marks themselves.
func TestWhoCanRecurse(t *testing.T) {
	m, err := load(fixture(t, "recurse"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]bool{0: true, 1: true, 2: true, 3: true, 4: false, 5: false, 6: false, 7: true, 8: true, 9: true,
		10: false}
	for i := range m.bodies {
		if got := m.bodies[i].recursive; got != want[i] {
			t.Errorf("function %d: recursive %v, want %v", i, got, want[i])
		}
	}
}

// endless expects f to end as an exhausted stack.
func endless(t *testing.T, wasm []byte) {
	t.Helper()
	i := mustStart(t, newHost(t), mustRewrite(t, wasm, Limits{}).Wasm)
	if _, _, err := i.call("f"); err == nil || int32(i.depth.Get()) >= 0 {
		t.Errorf("got %v, stack left %d; want a trap and none", err, int32(i.depth.Get()))
	}
}

// TestPaddedTypesAreEqual: two signatures that differ only in how their lengths are written are one to the engine.
func TestPaddedTypesAreEqual(t *testing.T) {
	for _, own := range []byte{0, 1} {
		endless(t, build(
			section(secType, vector(sig(nil, nil), []byte{typeFunc, 0x80, 0, 0x80, 0})),
			section(secFunction, []byte{1, own}),
			section(secTable, []byte{1, typeFuncref, 0, 1}),
			section(secExport, vector(export("f", KindFunc, 0))),
			section(secElement, []byte{1, 0, opI32Const, 0, opEnd, 1, 0}),
			section(secCode, vector(bodyOf(opI32Const, 0, 0x11, 1-own, 0, opEnd)))))
	}
}

// TestReferenceInCode: a function that no segment lists gets into a table through ref.func.
func TestReferenceInCode(t *testing.T) {
	endless(t, oneFunc([]byte{opI32Const, 0, opRefFunc, 0, 0x26, 0, opI32Const, 0, 0x11, 0, 0, opEnd},
		section(secTable, []byte{1, typeFuncref, 0, 1}), section(secExport, vector(export("f", KindFunc, 0)))))
}

func TestDeepCallChainNeedsNoGoStack(t *testing.T) {
	const n = 100_000
	bodies := make([][]byte, n)
	for i := range bodies {
		bodies[i] = bodyOf(append(appendU32([]byte{opCall}, uint32((i+1)%n)), opEnd)...)
	}
	m, err := load(build(
		section(secType, vector(sig(nil, nil))),
		section(secFunction, append(appendU32(nil, n), make([]byte, n)...)),
		section(secCode, vector(bodies...))), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !m.bodies[0].recursive || !m.bodies[n-1].recursive {
		t.Error("a cycle through all functions was not found")
	}
}
