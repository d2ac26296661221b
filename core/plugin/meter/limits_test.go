package meter

import (
	"bytes"
	"strings"
	"testing"
)

func repeat(n int, code ...byte) []byte { return bytes.Repeat(code, n) }

func code(parts ...[]byte) []byte { return append(bytes.Join(parts, nil), opEnd) }

func TestLimits(t *testing.T) {
	loop := []byte{opLoop, blockEmpty, opEnd}
	nest := func(n int) []byte {
		return code(repeat(n, opBlock, blockEmpty), repeat(n, opEnd))
	}
	cases := func(n int) []byte {
		return code([]byte{opI32Const, 0, 0x0e}, appendU32(nil, uint32(n)), repeat(n+1, 0))
	}
	locals := func(n uint32) []byte {
		return build(section(secType, vector(sig(nil, nil))), section(secFunction, []byte{1, 0}),
			section(secCode, vector(sized(append(appendU32([]byte{1}, n), typeI32, opEnd)))))
	}
	arity := func(n int) []byte { return build(section(secType, vector(sig(repeat(n, typeI32), nil)))) }
	memory := func(lo uint32) []byte { return build(section(secMemory, appendU32([]byte{1, 0}, lo))) }
	table := func(lo uint32) []byte { return build(section(secTable, appendU32([]byte{1, typeFuncref, 0}, lo))) }
	fills := func(n int) []byte {
		return oneFunc(code(repeat(n, 0x41, 0, 0x41, 0, 0x41, 0, prefixMisc, 0x0b, 0)), section(secMemory, []byte{1, 0, 1}))
	}
	divisions := func(n int) []byte { return code(repeat(n, 0x41, 0, 0x41, 0, 0x6d, 0x1a)) }
	types := func(n int) []byte {
		return build(section(secType, append(appendU32(nil, uint32(n)), repeat(n, typeFunc, 0, 0)...)))
	}
	segments := func(n int) []byte {
		return build(section(secData, append(appendU32(nil, uint32(n)), repeat(n, 1, 0)...)))
	}
	entries := func(n int) []byte {
		return build(section(secType, vector(sig(nil, nil))), section(secFunction, []byte{1, 0}),
			section(secElement, append([]byte{1, 1, 0}, append(appendU32(nil, uint32(n)), repeat(n, 0)...)...)), section(secCode, vector([]byte{2, 0, opEnd})))
	}
	small := Limits{BodyBytes: 100, ModuleBytes: 1000, PointsPerModule: 10}
	tests := []struct {
		name       string
		lim        Limits
		fits, over []byte
		want       string
	}{
		{"loops", Limits{}, oneFunc(code(repeat(1000, loop...))), oneFunc(code(repeat(1001, loop...))), "loops"},
		{"nesting", Limits{}, oneFunc(nest(2000)), oneFunc(nest(2001)), "blocks inside"},
		{"br_table", Limits{}, oneFunc(cases(4096)), oneFunc(cases(4097)), "targets"},
		{"locals", Limits{}, locals(5000), locals(5001), "locals"},
		{"locals in all", Limits{LocalsPerModule: 90}, locals(90), locals(91), "locals in the module"},
		{"locals that wrap", Limits{}, locals(5000), locals(0xffffffff), "locals"},
		{"arity", Limits{}, arity(256), arity(257), "values in a type"},
		{"bulk work", Limits{BranchWork: 31 * 31}, fills(10), fills(11), "too many blocks"},
		{"fills", Limits{LoopWork: 100}, fills(10), fills(11), "too many loops"},
		{"compile work", Limits{CompileWork: 30}, oneFunc(code(repeat(21, 1))), oneFunc(code(repeat(22, 1))), "bytes of ordinary code"},
		{"compile work of what may trap", Limits{CompileWork: 80}, oneFunc(divisions(7)), oneFunc(divisions(8)), "bytes of ordinary code"},
		{"types", Limits{Items: 3}, types(3), types(4), "4 types, 3 allowed"},
		{"segments", Limits{DataSegments: 3}, segments(3), segments(4), "4 segments, 3 allowed"},
		{"entries", Limits{Entries: 3}, entries(3), entries(4), "more than 3 entries"},
		{"joins", Limits{JoinsPerFunc: 50}, fatJoins(5, 10), fatJoins(5, 11), "meet at"},
		{"joins in all", Limits{JoinsPerModule: 50}, fatJoins(5, 10), fatJoins(5, 11), "meet at"},
		{"memory", Limits{MemoryPages: 4}, memory(4), memory(5), "memory wants 320KiB at its start, 256KiB allowed"},
		{"table", Limits{TableEntries: 9}, table(9), table(10), "table wants 10, 9 allowed"},
		{"body", small, oneFunc(code(repeat(98, 1))), oneFunc(code(repeat(99, 1))), "bytes of code"},
		{"module", small, oneFunc(code()), append(oneFunc(code()), section(0, append(appendName(nil, "x"), make([]byte, 1000)...))...), "module of"},
		{"loop work", Limits{LoopWork: 100}, oneFunc(code(repeat(10, loop...))), oneFunc(code(repeat(11, loop...))), "too many loops"},
		{"branch work", Limits{BranchWork: 21 * 21}, oneFunc(nest(10)), oneFunc(nest(11)), "too many blocks"},
		{"points", small, oneFunc(code(repeat(9, loop...))), oneFunc(code(repeat(10, loop...))), "entries and loops"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Rewrite(tt.fits, tt.lim); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			if _, err := Rewrite(tt.over, tt.lim); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("over the limit: got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestClamps lets a guest grow without end, and finds its memory and table at the limit.
func TestClamps(t *testing.T) {
	for _, tt := range []struct {
		name          string
		lim           Limits
		pages, tables uint64
	}{
		{"limits are lower", Limits{MemoryPages: 5, TableEntries: 20}, 5, 20},
		{"the module's own are lower", Limits{MemoryPages: 100, TableEntries: 200}, 16, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := mustRewrite(t, fixture(t, "bulk"), tt.lim)
			if m.MemoryMin != 1 || uint64(m.MemoryMax) != tt.pages {
				t.Errorf("memory %d to %d in Info", m.MemoryMin, m.MemoryMax)
			}
			i := mustStart(t, newHost(t), m.Wasm)
			grow := func(export string) (last uint64) {
				for range 300 {
					r, _, err := i.call(export, 1)
					if err != nil {
						t.Fatal(err)
					}
					if int32(r[0]) < 0 {
						return last + 1
					}
					last = r[0]
				}
				return 0
			}
			if got := grow("grow"); got != tt.pages {
				t.Errorf("memory ends at %d pages, want %d", got, tt.pages)
			}
			if got := grow("tgrow"); got != tt.tables {
				t.Errorf("table ends at %d, want %d", got, tt.tables)
			}
		})
	}
}

// TestStartIsBounded: a start function runs on InitialFuel and then on what the host grants.
func TestStartIsBounded(t *testing.T) {
	wasm := oneFunc([]byte{opLoop, blockEmpty, opBr, 0, opEnd, opEnd}, section(secStart, []byte{0}))
	h := newHost(t)
	h.budget = 3_000_000
	m := mustRewrite(t, wasm, Limits{})
	if !m.HasStart {
		t.Error("Info knows of no start function")
	}
	if _, err := h.start(m.Wasm); err == nil || !strings.Contains(err.Error(), errFuel.Error()) {
		t.Errorf("got %v, want %v", err, errFuel)
	}
}

// TestMalformed takes modules that are wrong in form, each by one byte or so.
func TestMalformed(t *testing.T) {
	types := section(secType, vector(sig(nil, nil)))
	tests := []struct {
		name, want string
		wasm       []byte
	}{
		{"empty", "not a WebAssembly module", nil},
		{"other version", "not a WebAssembly module", []byte("\x00asm\x02\x00\x00\x00")},
		{"section twice", "repeated", build(types, types)},
		{"sections out of order", "out of order", build(section(secFunction, []byte{0}), types)},
		{"unknown section", "unknown", build(section(13, nil))},
		{"section too long", "bytes wanted", append(build(), secType, 9, 0)},
		{"bytes behind a section's items", "bytes too many", build(section(secType, []byte{0, 0}))},
		{"lying count", "do not fit", build(section(secType, []byte{0xff, 0xff, 0xff, 0xff, 0x0f}))},
		{"integer of six bytes", "integer too large", build(section(secType, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0}))},
		{"integer of 33 bits", "integer too large", build(section(secType, []byte{0xff, 0xff, 0xff, 0xff, 0x1f}))},
		{"i32 of 33 bits", "integer too large", oneFunc([]byte{opI32Const, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, opEnd})},
		{"i64 of 65 bits", "integer too large",
			oneFunc([]byte{opI64Const, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x1a, opEnd})},
		{"function without body", "0 bodies for 1", build(types, section(secFunction, []byte{1, 0}), section(secCode, []byte{0}))},
		{"no code section", "differ in number", build(types, section(secFunction, []byte{1, 0}))},
		{"body without end", "unexpected end", oneFunc([]byte{0x01})},
		{"code behind the end", "bytes too many", oneFunc([]byte{opEnd, 0x01})},
		{"else without if", "else without if", oneFunc([]byte{opBlock, blockEmpty, opElse, opEnd, opEnd})},
		{"two elses", "else without if", oneFunc([]byte{opI32Const, 0, opIf, blockEmpty, opElse, opElse, opEnd, opEnd})},
		{"load without memory", "without a memory", oneFunc([]byte{opI32Const, 0, 0x28, 2, 0, 0x1a, opEnd})},
		{"alignment", "alignment", oneFunc([]byte{opI32Const, 0, 0x28, 3, 0, 0x1a, opEnd}, section(secMemory, []byte{1, 0, 1}))},
		{"announced data", "differ in number", build(section(secDataCount, []byte{1}))},
		{"shared memory", "memory flags 0x3", build(section(secMemory, []byte{1, 3, 1, 1}))},
		{"memory upside down", "below its minimum", build(section(secMemory, []byte{1, 1, 2, 1}))},
		{"tail call", "tail calls are not supported", oneFunc([]byte{0x12, 0, opEnd})},
		{"indirect tail call", "tail calls are not supported", oneFunc([]byte{opI32Const, 0, 0x13, 0, 0, opEnd})},
		{"two memories", "2 memories", build(section(secMemory, []byte{2, 0, 1, 0, 1}))},
		{"export twice", "repeated", oneFunc([]byte{opEnd}, section(secExport, vector(export("f", 0, 0), export("f", 0, 0))))},
		{"name that is not UTF-8", "not UTF-8", oneFunc([]byte{opEnd}, section(secExport, vector(export("\xff", 0, 0))))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Rewrite(tt.wasm, Limits{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestErrorNamesThePlace(t *testing.T) {
	_, err := Rewrite(oneFunc([]byte{0x01, opGlobalGet, 7, 0x1a, opEnd}), Limits{})
	if got, want := err.Error(), "wasm: code section, function 0 at 0x19: global 7 of 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
