package meter

import (
	"errors"
	"testing"
)

// FuzzRewrite: no input panics; what is rewritten the engine takes, if it takes the plain module.
func FuzzRewrite(f *testing.F) {
	for _, name := range []string{"control", "bulk", "recurse", "segments"} {
		f.Add(fixture(f, name))
	}
	for seed := range uint64(8) {
		f.Add(assemble(generate(seed)))
	}
	f.Add(fatJoins(3, 3))
	f.Add(oneFunc([]byte{prefixSIMD, simdConst, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, prefixSIMD, 0xe3, 0x01,
		prefixSIMD, 0x1b, 3, 0x1a, opEnd}))
	f.Add(append(oneFunc([]byte{opEnd}), section(secCustom, append(appendName(nil, "name"), 1, 2, 1, 0))...))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := Rewrite(wasm, Limits{MemoryPages: 64, TableEntries: 1000})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || m != nil {
				t.Fatalf("error of type %T, module %v", err, m)
			}
			return
		}
		if _, err := Inspect(wasm); err != nil {
			t.Fatalf("Inspect refuses what Rewrite takes: %v", err)
		}
		if _, err := Rewrite(m.Wasm, Limits{}); err == nil {
			t.Fatal("the result can be rewritten again")
		}
		h := newHost(t)
		if h.compiles(wasm) != nil {
			return
		}
		if err := h.compiles(m.Wasm); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzCode does the same behind a valid frame, so that the fuzzer need not find one: the input is a function's code.
func FuzzCode(f *testing.F) {
	m, err := load(fixture(f, "recurse"), Limits{})
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range m.bodies {
		f.Add(m.wasm[b.code.from:b.code.to], byte(2))
	}
	f.Add([]byte{opI32Const, 0, opI32Const, 0, opI32Const, 9, prefixMisc, 11, 0, opEnd}, byte(0))
	f.Add([]byte{opI32Const, 1, 0x40, 0, 0x1a, opRefFunc, 1, 0x1a, opEnd}, byte(1))
	f.Fuzz(func(t *testing.T, code []byte, results byte) {
		wasm := build(
			section(secType, vector(sig(nil, make([]byte, 0)), sig([]byte{typeI32}, []byte{typeI32}),
				sig([]byte{typeI32, typeI32}, []byte{typeI32}), sig(nil, []byte{typeI32, typeI64}))),
			section(secImport, vector(append(appendName(appendName(nil, "env"), "f"), KindFunc, 0))),
			section(secFunction, []byte{2, results % 4, 1}),
			section(secTable, []byte{1, typeFuncref, 0, 4}),
			section(secMemory, []byte{1, 0, 1}),
			section(secGlobal, []byte{1, typeI32, 1, opI32Const, 0, opEnd}),
			section(secElement, []byte{1, 0, opI32Const, 0, opEnd, 3, 0, 1, 2}),
			section(secDataCount, []byte{1}),
			section(secCode, vector(sized(append([]byte{1, 2, typeI32}, code...)), bodyOf(opLocalGet, 0, opEnd))),
			section(secData, []byte{1, 1, 2, 'h', 'i'}))
		m, err := Rewrite(wasm, Limits{})
		if err != nil {
			return
		}
		h := newHost(t)
		plain, metered := h.compiles(wasm), h.compiles(m.Wasm)
		if (plain == nil) != (metered == nil) {
			t.Fatalf("plain %v, metered %v", plain, metered)
		}
	})
}
