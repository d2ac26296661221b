package plugin

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// The parts of modules that no text compiler would write.

func u32(n int) []byte {
	var b []byte
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func sized(b []byte) []byte { return append(u32(len(b)), b...) }

func sectionOf(id byte, parts ...[]byte) []byte {
	return append([]byte{id}, sized(bytes.Join(parts, nil))...)
}

func exportOf(name string, kind byte, index int) []byte {
	return append(append(sized([]byte(name)), kind), u32(index)...)
}

// bomb is a plugin whose further functions have the given bodies: locals and code.
type bomb struct {
	bodies  [][]byte
	exports [][]byte
	data    []byte   // the data section's content
	custom  [][]byte // sections at the end
	imports [][]byte
	pages   int    // of memory, one if not said
	types   int    // further ones
	without string // an export that is left out
}

func (b bomb) build() []byte {
	const answers = 2 // sallyport_abi and on_configure
	functions := append(u32(answers+len(b.bodies)), bytes.Repeat([]byte{0}, answers)...)
	functions = append(functions, bytes.Repeat([]byte{1}, len(b.bodies))...)
	exports := append([][]byte{exportOf("memory", 2, 0)}, b.exports...)
	for i, name := range []string{abi.ExportABI, abi.ExportConfigure} {
		if name != b.without {
			exports = append(exports, exportOf(name, 0, i))
		}
	}
	wasm := [][]byte{
		[]byte("\x00asm\x01\x00\x00\x00"),
		sectionOf(1, u32(2+b.types), []byte{0x60, 0, 1, 0x7f, 0x60, 0, 0}, bytes.Repeat([]byte{0x60, 0, 0}, b.types)),
		sectionOf(2, u32(len(b.imports)), bytes.Join(b.imports, nil)),
		sectionOf(3, functions),
		sectionOf(5, []byte{1, 0, byte(max(1, b.pages))}),
		sectionOf(7, u32(len(exports)), bytes.Join(exports, nil)),
		sectionOf(10, u32(answers+len(b.bodies)), []byte{4, 0, 0x41, 1, 0x0b, 4, 0, 0x41, 0, 0x0b}, bytes.Join(b.bodies, nil)),
	}
	if b.data != nil {
		wasm = append(wasm, sectionOf(11, b.data))
	}
	return bytes.Join(append(wasm, b.custom...), nil)
}

// repeat is a function's body: so many locals of type i64, and code again and again.
func repeat(locals int, head []byte, code string, times int, tail string) []byte {
	body := []byte{0}
	if locals > 0 {
		body = append(append([]byte{1}, u32(locals)...), 0x7e)
	}
	return sized(append(append(append(append(body, head...), strings.Repeat(code, times)...), tail...), 0x0b))
}

func many(n int, body []byte) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = body
	}
	return all
}

// Bombs are either refused or compiled at a cost that is in proportion to their size.
func TestBombs(t *testing.T) {
	h, _ := newHost(t)
	const emptyLoop = "\x03\x40\x0b"
	const sum = "\x20\x00\x42\x01\x7c\x21\x00"
	segment := append([]byte{0, 0x41, 0, 0x0b}, sized(bytes.Repeat([]byte{7}, 60<<10))...)
	table := append(append([]byte{0x41, 0, 0x0e}, u32(4096)...), bytes.Repeat([]byte{0}, 4097)...)
	var exports [][]byte
	for i := range 200_000 {
		exports = append(exports, exportOf(fmt.Sprintf("f%d", i), 0, 0))
	}
	for _, tt := range []struct {
		name string
		bomb bomb
		want string // of the error; "" for none
	}{
		{"100 000 functions", bomb{bodies: many(100_000, []byte{2, 0, 0x0b})}, ""},
		{"a million functions", bomb{bodies: many(1_000_000, []byte{2, 0, 0x0b})}, "1000002 functions"},
		{"many loops", bomb{bodies: many(250, repeat(0, nil, emptyLoop, 999, ""))}, "too many loops"},
		{"many nested loops", bomb{bodies: many(250, repeat(0, nil, "\x03\x40", 999, strings.Repeat("\x0b", 999)))}, "too many loops"},
		{"many nested blocks", bomb{bodies: many(500, repeat(0, nil, "\x02\x40", 1999, strings.Repeat("\x0b", 1999)))}, "too many blocks"},
		{"many blocks", bomb{bodies: many(1, repeat(200, nil, "\x02\x40\x42\x00\x21\x05\x0b", 30_000, ""))}, "too many blocks"},
		{"many branches", bomb{bodies: many(1, repeat(1, nil, "\x02\x40\x41\x00\x0d\x00\x0b", 30_000, ""))}, "too many blocks"},
		{"many ifs", bomb{bodies: many(1, repeat(1, nil, "\x41\x00\x04\x40\x05\x0b", 30_000, ""))}, "too many blocks"},
		{"branch tables", bomb{bodies: many(100, repeat(0, nil, string(table), 20, ""))}, ""},
		{"locals", bomb{bodies: many(400, repeat(4999, nil, "", 1, ""))}, ""},
		{"locals and loops", bomb{bodies: many(400, repeat(4999, nil, emptyLoop, 999, ""))}, "too many loops"},
		{"a long body", bomb{bodies: many(1, repeat(1, nil, sum, 37_000, ""))}, ""},
		{"too long a body", bomb{bodies: many(1, repeat(1, nil, sum, 38_000, ""))}, "266004 bytes of code"},
		{"many long bodies", bomb{bodies: many(50, repeat(1, nil, sum, 37_000, ""))}, "bytes of ordinary code"},
		{"many calls", bomb{bodies: many(1, repeat(0, nil, "\x10\x02", 130_000, ""))}, ""},
		{"too many calls", bomb{bodies: many(30, repeat(0, nil, "\x10\x02", 130_000, ""))}, "bytes of ordinary code"},
		{"many values", bomb{bodies: many(1, repeat(1, nil, "\x41\x00\x28\x02\x00", 40_000, strings.Repeat("\x1a", 40_000)))}, ""},
		{"too many values", bomb{bodies: many(40, repeat(1, nil, "\x41\x00\x28\x02\x00", 40_000, strings.Repeat("\x1a", 40_000)))}, "bytes of ordinary code"},
		{"many fills", bomb{bodies: many(1, repeat(0, nil, "\x41\x00\x41\x00\x41\x00\xfc\x0b\x00", 2000, ""))}, "too many loops"},
		{"many copies", bomb{bodies: many(10, repeat(0, nil, "\x41\x00\x41\x00\x41\x00\xfc\x0a\x00\x00", 4000, ""))}, "too many blocks"},
		{"much growth", bomb{bodies: many(10, repeat(0, nil, "\x41\x00\x40\x00\x1a", 4000, ""))}, "too many blocks"},
		{"much data", bomb{data: append(u32(500), bytes.Repeat(segment, 500)...)}, ""},
		{"many data segments", bomb{data: append(u32(2_000_000), bytes.Repeat([]byte{0, 0x41, 0, 0x0b, 0}, 2_000_000)...)}, "2000000 segments"},
		{"data outside", bomb{data: append(u32(2), append(bytes.Clone(segment), 0, 0x41, 0xff, 0xff, 0x03, 0x0b, 2, 7, 7)...)}, "out of bounds memory access"},
		{"many types", bomb{types: 1_000_000}, "1000002 types"},
		{"many exports", bomb{exports: exports}, ""},
		{"many custom sections", bomb{custom: many(500_000, sectionOf(0, sized([]byte("x")), []byte("y")))}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tryOut(h, tt.bomb.build()); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// tryOut takes a module to where it could serve.
func tryOut(h *Host, wasm []byte) error {
	p, err := h.Load("bomb", wasm, Limits{})
	if err != nil {
		return err
	}
	defer p.Close()
	_, err = p.Configure(nil, Grants{})
	return err
}

func TestWrongSignatures(t *testing.T) {
	h, _ := newHost(t)
	for _, e := range abi.Exports() {
		t.Run(e.Name, func(t *testing.T) {
			wrong := 0 // () -> i32
			if len(e.Signature.Params) == 0 && e.Signature.Result == abi.I32 {
				wrong = 2 // () -> ()
			}
			b := bomb{bodies: [][]byte{{2, 0, 0x0b}}, exports: [][]byte{exportOf(e.Name, 0, wrong)}, without: e.Name}
			if err := tryOut(h, b.build()); err == nil || !strings.Contains(err.Error(), "export "+e.Name+" is (") {
				t.Errorf("as another function: got %v", err)
			}
			b = bomb{exports: [][]byte{exportOf(e.Name, 2, 0)}, without: e.Name}
			if err := tryOut(h, b.build()); err == nil || !strings.Contains(err.Error(), "export "+e.Name+" is no function") {
				t.Errorf("as a memory: got %v", err)
			}
		})
	}
}
