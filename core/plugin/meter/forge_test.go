package meter

import (
	"errors"
	"strings"
	"testing"
)

// TestForgedIndices: a guest that names what the meter is about to append is refused, wherever it does so. Every module
// here would be valid if the appended parts were its own.
func TestForgedIndices(t *testing.T) {
	mutable := section(secGlobal, []byte{1, typeI64, 1, opI64Const, 0, opEnd}) // so the fuel would be global 1
	constant := func(code ...byte) []byte {
		return section(secGlobal, append([]byte{1, typeI64, 0}, code...))
	}
	table := section(secTable, []byte{1, typeFuncref, 0, 4})
	mem := section(secMemory, []byte{1, 0, 1})
	end := []byte{opEnd}
	fill := []byte{opI32Const, 0, opI32Const, 0, opI32Const, 0, prefixMisc, 0x0b, 0}
	tests := []struct {
		name, want string
		wasm       []byte
	}{
		{"read the fuel", "global 0 of 0", oneFunc([]byte{opGlobalGet, 0, 0x1a, opEnd})},
		{"set the fuel", "global 1 of 1", oneFunc([]byte{opI64Const, 0, opGlobalSet, 1, opEnd}, mutable)},
		{"set the fuel, padded", "global 1 of 1", oneFunc([]byte{opI64Const, 0, opGlobalSet, 0x81, 0x80, 0, opEnd}, mutable)},
		{"set the depth", "global 2 of 1", oneFunc([]byte{opI32Const, 0, opGlobalSet, 2, opEnd}, mutable)},
		{"set an immutable global", "immutable", oneFunc([]byte{opI64Const, 0, opGlobalSet, 0, opEnd},
			constant(opI64Const, 0, opEnd))},
		{"export the fuel", "global 1 of 1", oneFunc(end, mutable, section(secExport, vector(export("g", KindGlobal, 1))))},
		{"global made of the fuel", "global 1 of 0", oneFunc(end, constant(opGlobalGet, 1, opEnd))},
		{"global made of itself", "global 0 of 0", oneFunc(end, constant(opGlobalGet, 0, opEnd))},
		{"segment at the depth", "global 2 of 1", oneFunc(end, table, mutable,
			section(secElement, []byte{1, 0, opGlobalGet, 2, opEnd, 0}))},
		{"data at the depth", "global 2 of 1", build(section(secType, vector(sig(nil, nil))), mem, mutable,
			section(secData, []byte{1, 0, opGlobalGet, 2, opEnd, 0}))},
		{"call past the functions", "function 1 of 1", oneFunc([]byte{opCall, 1, opEnd})},
		{"reference past the functions", "function 1 of 1", oneFunc([]byte{opRefFunc, 1, 0x1a, opEnd})},
		{"export past the functions", "function 1 of 1", oneFunc(end, section(secExport, vector(export("f", KindFunc, 1))))},
		{"start past the functions", "function 1 of 1", oneFunc(end, section(secStart, []byte{1}))},
		{"segment past the functions", "function 1 of 1", oneFunc(end, table,
			section(secElement, []byte{1, 0, opI32Const, 0, opEnd, 1, 1}))},
		{"segment of expressions past the functions", "function 1 of 1", oneFunc(end, table,
			section(secElement, []byte{1, 4, opI32Const, 0, opEnd, 1, opRefFunc, 1, opEnd}))},
		{"global past the functions", "function 1 of 1", oneFunc(end,
			section(secGlobal, []byte{1, typeFuncref, 0, opRefFunc, 1, opEnd}))},
		{"read the scratch local", "local 0 of 0", oneFunc(append(fill, opLocalGet, 0, 0x1a, opEnd), mem)},
		{"set the scratch local", "local 0 of 0", oneFunc(append(fill, opI32Const, 0, opLocalSet, 0, opEnd), mem)},
		{"keep the scratch local", "local 0 of 0", oneFunc(append(fill, opI32Const, 0, opLocalTee, 0, 0x1a, opEnd), mem)},
		{"function of the refill's type", "type 1 of 1", build(section(secType, vector(sig(nil, nil))),
			section(secFunction, []byte{1, 1}), section(secCode, vector(bodyOf(opEnd))))},
		{"indirect call of the refill's type", "type 1 of 1", oneFunc([]byte{opI32Const, 0, 0x11, 1, 0, opEnd}, table)},
		{"block of the refill's type", "block of type 1", oneFunc([]byte{opBlock, 1, opEnd, opEnd})},
		{"branch past the wrapping block", "label 1 of 1", oneFunc([]byte{opCall, 0, opBr, 1, opEnd})},
		{"br_table past the wrapping block", "label 1 of 1", oneFunc([]byte{opCall, 0, opI32Const, 0, 0x0e, 1, 0, 1, opEnd})},
		{"second table", "table 1 of 1", oneFunc([]byte{opI32Const, 0, 0x11, 0, 1, opEnd}, table)},
		{"segment that is not announced", "data segment used without", oneFunc([]byte{prefixMisc, 9, 0, opEnd}, mem)},
		{"element segment past the last", "element segment 0 of 0", oneFunc([]byte{prefixMisc, 13, 0, opEnd}, table)},
		{"import of the refill", "reserved", build(section(secType, vector(sig(nil, nil))), section(secImport,
			vector(append(appendName(appendName(nil, RefillModule), RefillName), KindFunc, 0))))},
		{"import from the refill's module", "reserved", build(section(secType, vector(sig(nil, nil))), section(secImport,
			vector(append(appendName(appendName(nil, RefillModule), "x"), KindFunc, 0))))},
		{"export under the fuel's name", "reserved", oneFunc(end, mutable,
			section(secExport, vector(export(FuelGlobal, KindGlobal, 0))))},
		{"export under the depth's name", "reserved", oneFunc(end, section(secExport, vector(export(DepthGlobal, KindFunc, 0))))},
		{"imported global", "only functions", build(section(secImport,
			vector(append(appendName(appendName(nil, "env"), "g"), KindGlobal, typeI64, 1))))},
		{"exception", "unknown instruction 0x6", oneFunc([]byte{0x06, blockEmpty, opEnd, opEnd})},
		{"atomic", "unknown instruction 0xfe", oneFunc([]byte{0xfe, 3, 0, opEnd})},
		{"padded vector opcode", "behind a prefix", oneFunc([]byte{prefixSIMD, 0x8b, 0x00, opEnd})},
		{"padded bulk opcode", "behind a prefix", oneFunc([]byte{prefixMisc, 0x8b, 0x00, opEnd})},
		{"relaxed vector opcode", "behind a prefix", oneFunc([]byte{prefixSIMD, 0x80, 0x02, opEnd})},
		{"padded block type", "block of type", oneFunc([]byte{opBlock, 0xc0, 0x7f, opEnd, opEnd})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Rewrite(tt.wasm, Limits{})
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if _, err := Inspect(tt.wasm); err == nil {
				t.Error("Inspect takes it")
			}
		})
	}
}

// TestRefillCannotBeCalled: the refill import gets the index that was the guest's first own function. A guest that names
// this index means its own function and gets it.
func TestRefillCannotBeCalled(t *testing.T) {
	call := func(index byte) []byte { return bodyOf(opCall, index, opEnd) }
	wasm := build(
		section(secType, vector(sig(nil, []byte{typeI32}))),
		section(secFunction, []byte{3, 0, 0, 0}),
		section(secTable, []byte{1, typeFuncref, 0, 1}),
		section(secExport, vector(export("first", KindFunc, 0), export("direct", KindFunc, 1), export("table", KindFunc, 2))),
		section(secElement, []byte{1, 0, opI32Const, 0, opEnd, 1, 0}),
		section(secCode, vector(bodyOf(opI32Const, 42, opEnd), call(0), bodyOf(opI32Const, 0, 0x11, 0, 0, opEnd))))
	i := mustStart(t, newHost(t), mustRewrite(t, wasm, Limits{}).Wasm)
	for _, name := range []string{"first", "direct", "table"} {
		got, _, err := i.call(name)
		if err != nil || got[0] != 42 || i.h.refills != 0 {
			t.Errorf("%s: got %v %v with %d refills, want 42 with none", name, got, err, i.h.refills)
		}
	}
}
