package meter

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// generator writes random functions (depth, x) -> i32 that end: loops count down, calls lower the depth.
type generator struct {
	*rand.Rand
	funcs  int
	code   []ins
	labels int // open blocks
	vars   int // locals that statements use; 0 is the depth
	locals int // beside the parameters
}

func (g *generator) emit(op byte, imm uint32) { g.code = append(g.code, ins{op: op, imm: imm}) }

func (g *generator) function() genFunc {
	g.code, g.labels, g.locals = nil, 0, g.IntN(4)
	g.vars = 2 + g.locals
	g.emit(opLocalGet, 0)
	g.emit(0x45, 0)
	g.emit(opIf, 0)
	g.emit(opLocalGet, 1)
	g.emit(opReturn, 0)
	g.emit(opEnd, 0)
	g.statements(4)
	g.expression(3)
	g.emit(opEnd, 0)
	link(g.code)
	return genFunc{g.locals, g.code}
}

func (g *generator) variable() uint32 { return uint32(1 + g.IntN(g.vars-1)) }

func (g *generator) expression(size int) {
	kind := g.IntN(8)
	if size <= 0 {
		kind = g.IntN(2)
	}
	switch kind {
	case 0:
		g.emit(opI32Const, g.Uint32N(1000))
	case 1:
		g.emit(opLocalGet, g.variable())
	case 2:
		g.expression(size - 1)
		g.emit(0x45, 0)
	case 3:
		g.address(size - 1)
		g.emit(0x2d, 0)
	case 4:
		g.emit(opLocalGet, 0)
		g.emit(opI32Const, 1)
		g.emit(0x6b, 0)
		g.expression(size - 2)
		g.emit(opCall, uint32(g.IntN(g.funcs)))
	case 5:
		g.expression(size - 1)
		g.expression(size - 1)
		g.emit(opI32Const, 1)
		g.emit(0x72, 0) // never zero
		g.emit(0x6e, 0)
	default:
		g.expression(size - 1)
		g.expression(size - 1)
		g.emit([]byte{0x49, 0x6a, 0x6b, 0x6c, 0x71, 0x73}[g.IntN(6)], 0)
	}
}

func (g *generator) address(size int) {
	g.expression(size)
	g.emit(opI32Const, 0xff)
	g.emit(0x71, 0)
}

func (g *generator) statements(depth int) {
	for range 1 + g.IntN(3) {
		g.statement(depth)
	}
}

func (g *generator) statement(depth int) {
	kind := g.IntN(12)
	if depth <= 0 {
		kind = g.IntN(3)
	}
	switch kind {
	case 0, 1:
		g.expression(2)
		g.emit(opLocalSet, g.variable())
	case 2:
		g.address(1)
		g.expression(2)
		g.emit(0x3a, 0)
	case 3:
		g.address(1)
		g.expression(1)
		g.address(1)
		g.emit(prefixMisc, opMemFill)
	case 4, 5:
		g.expression(2)
		g.block(opIf, func() {
			g.statements(depth - 1)
			if g.IntN(2) == 0 {
				g.emit(opElse, 0)
				g.statements(depth - 1)
			}
		})
	case 6:
		g.block(opBlock, func() { g.statements(depth - 1) })
	case 7, 8:
		g.loop(depth)
	default:
		g.jump()
	}
}

func (g *generator) block(op byte, body func()) {
	g.emit(op, 0)
	g.labels++
	body()
	g.labels--
	g.emit(opEnd, 0)
}

// loop counts down at its header, so that every way back ends.
func (g *generator) loop(depth int) {
	counter := uint32(2 + g.locals)
	g.locals++
	g.emit(opI32Const, 1+g.Uint32N(4))
	g.emit(opLocalSet, counter)
	g.block(opBlock, func() {
		g.block(opLoop, func() {
			g.emit(opLocalGet, counter)
			g.emit(opI32Const, 1)
			g.emit(0x6b, 0)
			g.emit(opLocalTee, counter)
			g.emit(0x45, 0)
			g.emit(0x0d, 1)
			g.statements(depth - 1)
			if g.IntN(2) == 0 {
				g.emit(opBr, 0)
			}
		})
	})
}

func (g *generator) jump() {
	if g.labels == 0 {
		g.expression(1)
		g.emit(opReturn, 0)
		return
	}
	label := func() uint32 { return uint32(g.IntN(g.labels)) }
	switch g.IntN(5) {
	case 0:
		g.emit(opBr, label())
	case 1:
		g.expression(1)
		g.emit(opReturn, 0)
	case 2:
		g.expression(1)
		g.emit(opBr, uint32(g.labels)) // the function's own label
	case 3:
		g.expression(1)
		g.code = append(g.code, ins{op: 0x0e, labels: []uint32{label(), label(), label()}})
	default:
		g.expression(1)
		g.emit(0x0d, label())
	}
}

func assemble(funcs []genFunc) []byte {
	bodies, types := make([][]byte, len(funcs)), appendU32(nil, uint32(len(funcs)))
	for i, f := range funcs {
		b := append(appendU32([]byte{1}, uint32(f.locals)), typeI32)
		for _, c := range f.code {
			b = c.append(b)
		}
		bodies[i], types = sized(b), append(types, 0)
	}
	return build(section(secType, vector(sig([]byte{typeI32, typeI32}, []byte{typeI32}))), section(secFunction, types),
		section(secMemory, []byte{1, 0, 1}),
		section(secExport, vector(export("f", KindFunc, 0), export("memory", KindMemory, 0))),
		section(secCode, vector(bodies...)))
}

func (c ins) append(b []byte) []byte {
	b = append(b, c.op)
	switch c.op {
	case opBlock, opLoop, opIf:
		return append(b, blockEmpty)
	case opBr, 0x0d, opCall, opLocalGet, opLocalSet, opLocalTee:
		return appendU32(b, c.imm)
	case opI32Const:
		return appendSigned(b, int64(int32(c.imm)))
	case 0x0e:
		b = appendU32(b, uint32(len(c.labels)-1))
		for _, l := range c.labels {
			b = appendU32(b, l)
		}
		return b
	case 0x2d, 0x3a:
		return append(b, 0, 0)
	case prefixMisc:
		return append(b, byte(c.imm), 0)
	}
	return b
}

func generate(seed uint64) []genFunc {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), funcs: 3}
	funcs := make([]genFunc, g.funcs)
	for i := range funcs {
		funcs[i] = g.function()
	}
	return funcs
}

// run returns false for a program that takes too long.
func (v *vm) run(a, b uint32) (result uint32, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, long := p.(errSteps); !long {
				panic(p)
			}
		}
	}()
	return v.call(0, a, b), true
}

// TestGenerated runs random programs three ways. All agree, and the fuel spent is never less than the weight of what
// was executed.
func TestGenerated(t *testing.T) {
	programs := 600
	if testing.Short() {
		programs = 100
	}
	plain, metered := newHost(t), newHost(t)
	var ran int
	var weight, fuel uint64
	for seed := range uint64(programs) {
		funcs := generate(seed)
		v := &vm{funcs: funcs, memory: make([]byte, 1<<16), steps: 200_000}
		want, ok := v.run(4, uint32(seed))
		if !ok {
			continue
		}
		ran++
		wasm := assemble(funcs)
		p, m := mustStart(t, plain, wasm), mustStart(t, metered, mustRewrite(t, wasm, Limits{}).Wasm)
		spent, err := compare(p, m, v.memory, uint64(want), 4, seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if uint64(spent) < v.weight {
			t.Fatalf("seed %d: spent %d, worth %d", seed, spent, v.weight)
		}
		weight, fuel = weight+v.weight, fuel+uint64(spent)
	}
	if ran < programs/2 || fuel > 4*weight {
		t.Errorf("%d programs, weight %d, fuel %d", ran, weight, fuel)
	}
	t.Logf("%d programs, weight %d, fuel %d", ran, weight, fuel)
}

func compare(p, m *instance, memory []byte, want uint64, args ...uint64) (spent int64, err error) {
	for _, i := range []*instance{p, m} {
		var got []uint64
		if got, spent, err = i.call("f", args...); err != nil || got[0] != want {
			return 0, fmt.Errorf("got %v %v, want %d", got, err, want)
		}
		if b, _ := i.mod.Memory().Read(0, uint32(len(memory))); !bytes.Equal(b, memory) {
			return 0, fmt.Errorf("memory differs")
		}
	}
	if left := uint32(m.depth.Get()); left != DefaultLimits().StackBytes {
		return 0, fmt.Errorf("stack left is %d", left)
	}
	return spent, nil
}
