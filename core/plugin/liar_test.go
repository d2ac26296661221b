package plugin

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// Where a liar keeps things. The configuration is copied to the start of its memory: the phase to lie in, the hooks to ask for, room for what
// the call returned, the arguments, 8 bytes each, and texts.
const (
	liarHooks  = 4
	liarResult = 8
	liarArgs   = 16
	liarTexts  = 256
	liarOut    = 4096 // from here on the memory is empty
	liarPages  = 5
	liarMemory = liarPages * pageSize
)

// liarOf is a plugin that calls one host function with whatever arguments its configuration has.
func liarOf(module, name string, s abi.Signature) []byte {
	const imported = 2
	params, results := valueTypes(s)
	i32 := string(api.ValueTypeI32)
	types := [][]byte{typeOf("", i32), typeOf("", ""), typeOf(i32+i32, i32), typeOf(i32, ""), typeOf(string(params), string(results))}
	var functions []byte
	var bodies, exports [][]byte
	for n, f := range []struct {
		export string
		kind   byte // of its type
		body   []byte
	}{
		{abi.ExportABI, 0, number(1)},
		{abi.ExportConfigure, 0, configuresLiar()},
		{abi.ExportRequest, 0, liesIn(abi.InRequest, true)},
		{abi.ExportResponse, 0, liesIn(abi.InResponse, true)},
		{abi.ExportRequestChunk, 2, liesIn(abi.InRequestChunk, true)},
		{abi.ExportResponseChunk, 2, liesIn(abi.InResponseChunk, true)},
		{abi.ExportEnd, 1, liesIn(abi.InEnd, false)},
		{"lie", 3, liarsCall(s)},
	} {
		functions = append(functions, f.kind)
		bodies = append(bodies, sized(append(append([]byte{0}, f.body...), 0x0b)))
		exports = append(exports, exportOf(f.export, 0, imported+n))
	}
	exports = append(exports, exportOf("memory", 2, 0))
	return bytes.Join([][]byte{
		[]byte("\x00asm\x01\x00\x00\x00"),
		sectionOf(1, u32(len(types)), bytes.Join(types, nil)),
		sectionOf(2, u32(imported), importOf(abi.Module, "config", 2), importOf(module, name, 4)),
		sectionOf(3, sized(functions)),
		sectionOf(5, []byte{1, 1, liarPages, liarPages}),
		sectionOf(7, u32(len(exports)), bytes.Join(exports, nil)),
		sectionOf(10, u32(len(bodies)), bytes.Join(bodies, nil)),
	}, nil)
}

// lieFunction is the index of the function that calls the imported one, if the phase it is given is the one to lie in.
const lieFunction = 9

func typeOf(params, results string) []byte {
	return append(append([]byte{0x60}, sized([]byte(params))...), sized([]byte(results))...)
}

func importOf(module, name string, kind byte) []byte {
	return append(append(sized([]byte(module)), sized([]byte(name))...), 0, kind)
}

// number is the code for a small constant.
func number(n int) []byte {
	code := []byte{0x41}
	for ; n >= 0x40; n >>= 7 {
		code = append(code, byte(n)|0x80)
	}
	return append(code, byte(n))
}

// load32 is the code that loads a word from a fixed address.
func load32(at int) []byte { return loadOf(0x28, at) }

func loadOf(opcode byte, at int) []byte {
	return append([]byte{0x41, 0, opcode, 0}, u32(at)...)
}

func configuresLiar() []byte {
	return bytes.Join([][]byte{
		number(0), number(liarOut), {0x10, 0, 0x1a}, // config(0, liarOut), dropped
		number(int(abi.InConfigure)), {0x10, lieFunction}, load32(liarHooks),
	}, nil)
}

func liesIn(phase abi.Phases, answers bool) []byte {
	code := append(number(int(phase)), 0x10, lieFunction)
	if answers {
		code = append(code, number(0)...)
	}
	return code
}

func liarsCall(s abi.Signature) []byte {
	code := append([]byte{0x20, 0}, load32(0)...)
	code = append(append(code, 0x46, 0x04, 0x40), number(liarResult)...) // equal: if
	for i, p := range s.Params {
		opcode := [...]byte{abi.I32: 0x28, abi.I64: 0x29, abi.F64: 0x2b}[p.Type]
		code = append(code, loadOf(opcode, liarArgs+8*i)...)
	}
	code = append(code, 0x10, 1)
	switch s.Result {
	case abi.I32:
		code = append(code, 0xac) // i64.extend_i32_s
	case abi.None:
		code = append(code, 0x42, 0)
	}
	return append(code, 0x37, 0, 0, 0x0b) // i64.store, end
}

// liarConfig is the configuration for one call.
func liarConfig(phase abi.Phases, args []uint64, texts []byte) []byte {
	hooks := abi.HookRequestBody | abi.HookResponseBody | abi.HookEnd
	switch phase {
	case abi.InRequestChunk, abi.InResponseChunk:
		hooks = abi.HookRequestChunks | abi.HookResponseChunks
	}
	config := make([]byte, liarTexts, liarTexts+len(texts))
	binary.LittleEndian.PutUint32(config, uint32(phase))
	binary.LittleEndian.PutUint32(config[liarHooks:], uint32(hooks))
	for i, arg := range args {
		binary.LittleEndian.PutUint64(config[liarArgs+8*i:], arg)
	}
	return append(config, texts...)
}

func TestLiar(t *testing.T) {
	h, _ := newHost(t)
	f := abi.Functions()[functionNumber(t, "state_set")]
	p, err := h.Load("liar", liarOf(abi.Module, f.Name, f.Signature), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	x := newExchange()
	pool, err := p.Configure(liarConfig(abi.InRequest, []uint64{liarTexts, 5}, []byte("hello")), Grants{})
	if err != nil {
		t.Fatal(err)
	}
	if err := liveThrough(pool, x, abi.InRequest); err != nil || string(*x.State(0)) != "hello" {
		t.Errorf("got %v, %q", err, *x.State(0))
	}
}
