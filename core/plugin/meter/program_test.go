package meter

import "math/rand/v2"

// byteSource gives a program's choices from the fuzzer's bytes, one each, and random ones when they are used up.
type byteSource struct {
	data []byte
	rest rand.PCG
}

func (s *byteSource) Uint64() uint64 {
	if len(s.data) == 0 {
		return s.rest.Uint64()
	}
	b := s.data[0]
	s.data = s.data[1:]
	return uint64(b) * 0x0101010101010101
}

// shaper writes functions (depth, x) -> i32 of every shape that control flow has. They end: loops and calls count a
// global down and trap below zero. Division, memory and table accesses may trap as well.
type shaper struct {
	*rand.Rand
	code   []byte
	labels []int // by open block: how many i32 a branch to it carries
	size   int   // what may still be written
}

const (
	shapeFuncs  = 4
	shapeLocals = 6 // the parameters included
	blockValue  = typeI32
	blockPair   = 1 // types of the module: () -> (i32, i32), i32 -> i32
	blockPass   = 2
)

func program(data []byte) []byte {
	g := &shaper{Rand: rand.New(&byteSource{data: data})}
	var bodies [][]byte
	for range shapeFuncs {
		bodies = append(bodies, g.function())
	}
	i32 := []byte{typeI32}
	pair := []byte{typeI32, typeI32}
	return build(
		section(secType, vector(sig(pair, i32), sig(nil, pair), sig(i32, i32))),
		section(secFunction, []byte{shapeFuncs, 0, 0, 0, 0}),
		section(secTable, []byte{1, typeFuncref, 1, shapeFuncs, shapeFuncs}),
		section(secMemory, []byte{1, 1, 1, 3}),
		section(secGlobal, []byte{2, typeI32, 1, opI32Const, 0x90, 0xce, 0, opEnd, typeI32, 1, opI32Const, 0, opEnd}),
		section(secExport, vector(export("f", KindFunc, 0), export("g", KindFunc, 1), export("memory", KindMemory, 0))),
		section(secElement, []byte{1, 0, opI32Const, 0, opEnd, shapeFuncs, 0, 1, 2, 3}),
		section(secCode, vector(bodies...)))
}

func (g *shaper) op(b ...byte) { g.code = append(g.code, b...) }

func (g *shaper) function() []byte {
	g.code, g.labels, g.size = []byte{1, shapeLocals - 2, typeI32}, []int{1}, 60
	g.op(opLocalGet, 0, 0x45, opIf, blockEmpty, opLocalGet, 1, opReturn, opEnd)
	g.statements(5)
	g.value(4)
	g.op(opEnd)
	return sized(g.code)
}

// guard bounds the run.
func (g *shaper) guard() {
	g.op(opGlobalGet, 0, opI32Const, 1, opI32Sub, opGlobalSet, 0)
	g.op(opGlobalGet, 0, opI32Const, 0, opI32LtS, opIf, blockEmpty, opUnreachable, opEnd)
}

func (g *shaper) local() byte { return byte(1 + g.IntN(shapeLocals-1)) }

// spend lowers what may still be written and reports whether there is any.
func (g *shaper) spend() bool { g.size--; return g.size > 0 }

// within writes a block with its label.
func (g *shaper) within(op, typ byte, carries int, body func()) {
	g.op(op, typ)
	g.labels = append(g.labels, carries)
	body()
	g.labels = g.labels[:len(g.labels)-1]
	g.op(opEnd)
}

// target returns a label that carries n values, if one is open.
func (g *shaper) target(n int) (label byte, ok bool) {
	from := g.IntN(len(g.labels))
	for i := range g.labels {
		l := (from + i) % len(g.labels)
		if g.labels[len(g.labels)-1-l] == n {
			return byte(l), true
		}
	}
	return 0, false
}

func (g *shaper) value(depth int) {
	if depth <= 0 || !g.spend() {
		if g.IntN(2) == 0 {
			g.op(opI32Const, byte(g.IntN(64)))
		} else {
			g.op(opLocalGet, g.local())
		}
		return
	}
	switch g.IntN(16) {
	case 0:
		g.op(opI32Const, byte(g.IntN(64)))
	case 1:
		g.op(opLocalGet, g.local())
	case 2:
		g.value(depth - 1)
		g.op(0x45)
	case 3:
		g.value(depth - 1)
		g.op(opI32Const, 0xff, 0x07, 0x71, 0x2d, 0, byte(g.IntN(128)))
	case 4:
		g.guard()
		g.op(opLocalGet, 0, opI32Const, 1, opI32Sub)
		g.value(depth - 1)
		g.op(opCall, byte(g.IntN(shapeFuncs)))
	case 5:
		g.guard()
		g.op(opLocalGet, 0, opI32Const, 1, opI32Sub)
		g.value(depth - 1)
		g.value(depth - 2)
		g.op(opI32Const, 3, 0x71, 0x11, 0, 0)
	case 6:
		g.value(depth - 1)
		g.op(opI32Const, 1, 0x71, 0x40, 0)
	case 7:
		g.op(0x3f, 0)
	case 8:
		g.within(opBlock, blockValue, 1, func() { g.statements(depth - 1); g.value(depth - 1) })
	case 9:
		g.within(opLoop, blockValue, 0, func() { g.guard(); g.statements(depth - 1); g.value(depth - 1) })
	case 10:
		g.value(depth - 1)
		g.within(opLoop, blockPass, 1, func() { g.guard(); g.op(opI32Const, 3, 0x71); g.statements(depth - 1); g.carry(depth) })
	case 11:
		g.within(opBlock, blockPair, 2, func() { g.value(depth - 1); g.value(depth - 1); g.carryPair(depth) })
		g.op(opI32Add)
	case 12:
		g.value(depth - 1)
		g.within(opIf, blockValue, 1, func() { g.value(depth - 1); g.carry(depth); g.op(opElse); g.value(depth - 1) })
	case 13:
		g.value(depth - 1)
		g.value(depth - 1)
		g.op(opI32Const, byte(g.IntN(4)), 0x72, []byte{0x6d, 0x6e, 0x70}[g.IntN(3)])
	default:
		g.value(depth - 1)
		g.value(depth - 1)
		g.op([]byte{0x48, 0x49, 0x6a, 0x6b, 0x6c, 0x71, 0x73, 0x77}[g.IntN(8)])
	}
}

// carry may branch with the value that is on the stack.
func (g *shaper) carry(depth int) {
	if l, ok := g.target(1); ok && g.IntN(2) == 0 {
		g.value(depth - 1)
		g.op(opBrIf, l)
	}
}

func (g *shaper) carryPair(depth int) {
	if l, ok := g.target(2); ok && g.IntN(2) == 0 {
		g.value(depth - 1)
		g.op(opBrIf, l)
	}
}

func (g *shaper) statements(depth int) {
	for range 1 + g.IntN(3) {
		g.statement(depth)
	}
}

func (g *shaper) statement(depth int) {
	if depth <= 0 || !g.spend() {
		g.value(1)
		g.op(opLocalSet, g.local())
		return
	}
	switch g.IntN(14) {
	case 0, 1:
		g.value(depth - 1)
		g.op(opLocalSet, g.local())
	case 2:
		g.value(depth - 1)
		g.op(opGlobalSet, 1, opGlobalGet, 1, opLocalSet, g.local())
	case 3:
		g.value(depth - 1)
		g.op(opI32Const, 0xff, 0x07, 0x71)
		g.value(depth - 1)
		g.op(0x3a, 0, byte(g.IntN(128)))
	case 4:
		g.value(depth - 1)
		g.value(depth - 2)
		g.value(depth - 2)
		g.op(opI32Const, 0xff, 0x0f, 0x71, prefixMisc, opMemFill, 0)
	case 5:
		g.within(opBlock, blockEmpty, 0, func() { g.statements(depth - 1) })
	case 6, 7:
		g.within(opLoop, blockEmpty, 0, func() { g.guard(); g.statements(depth - 1) })
	case 8, 9:
		g.tight()
	case 10:
		g.value(depth - 1)
		g.within(opIf, blockEmpty, 0, func() {
			g.statements(depth - 1)
			if g.IntN(2) == 0 {
				g.op(opElse)
				g.statements(depth - 1)
			}
		})
	default:
		g.jump(depth)
	}
}

// tight is a loop of a few instructions that counts a local down and may be left in every way.
func (g *shaper) tight() {
	l := g.local()
	g.value(1)
	g.op(opI32Const, 31, 0x71, opLocalSet, l)
	g.within(opBlock, blockEmpty, 0, func() {
		g.within(opLoop, blockEmpty, 0, func() {
			g.op(opLocalGet, l, opI32Const, 1, opI32Sub, opLocalTee, l, opI32Const, 0, opI32LtS, opBrIf, 1)
			g.op(opLocalGet, l, opI32Const, byte(g.IntN(32)), 0x46)
			g.within(opIf, blockEmpty, 0, func() { g.jump(1) })
			if g.IntN(4) == 0 {
				g.jump(1)
			}
			g.op(opBr, 0)
		})
	})
}

func (g *shaper) jump(depth int) {
	l, empty := g.target(0)
	v, _ := g.target(1)
	switch kind := g.IntN(24) % 9; { // the last ones less often
	case kind == 8:
		g.op(opUnreachable)
	case kind == 1:
		g.value(1)
		g.op(opReturn)
	case kind == 2:
		g.value(depth - 1)
		g.value(1)
		g.op(opBrIf, v, 0x1a)
	case kind == 3 && empty:
		m, _ := g.target(0)
		g.value(1)
		g.op(0x0e, 2, l, m, l)
	case kind == 4:
		g.value(1)
		g.value(1)
		g.op(0x0e, 1, v, byte(len(g.labels)-1))
	case kind <= 6 && empty: // most of them
		g.value(depth - 1)
		g.op(opBrIf, l)
	case empty:
		g.op(opBr, l)
	}
}
