package meter

import (
	"bytes"
	"slices"
)

// body is a function's code as found in the file, and what must change in it.
type body struct {
	typ     uint32
	locals  span // the groups of local declarations, without their count
	groups  int
	code    span // the instructions, the last end included
	patches span // in module.patches, by rising offset
	calls   span // in module.calls

	nlocals   int    // parameters included; the index of a scratch local, if there is one
	entry     uint64 // charge at the function's entry
	frame     uint32 // estimated bytes of stack
	scratch   bool   // needs one more i32 local
	tight     bool   // has a tight loop: needs one more i64 local
	recursive bool
}

// patchKind says how the bytes from..to of the file are replaced.
type patchKind uint8

const (
	patchFunc    patchKind = iota // by the function index arg
	patchReturn                   // by a branch to the end of the wrapping block, arg blocks out; recursive functions only
	patchLabel                    // by the label arg
	patchLoop                     // by the head of a loop that charges arg
	patchTight                    // the same for a tight loop, see tight.go
	patchLoopEnd                  // by the end of the loop whose head is the patch arg
	patchFlush                    // nothing goes; if the head arg is a tight loop's, a write of its fuel is put in
	patchCharge                   // nothing goes; a charge of arg is put in
	patchBytes                    // nothing goes; a charge by a length in bytes on the stack is put in
	patchItems                    // the same for table entries
	patchPages                    // the same for pages asked of memory.grow
	patchGrow                     // the same for entries asked of table.grow, of which at most arg are granted
)

type patch struct {
	from, to uint32
	kind     patchKind
	arg      uint64
}

// decodeCode decodes and checks every body, one after the other with the same scratch space.
func (m *module) decodeCode(r *reader) {
	s := &scanner{m: m}
	n := r.count(2)
	if own := len(m.funcs) - len(m.imports); n != own {
		r.fail("%d bodies for %d functions", n, own)
	}
	m.bodies = make([]body, 0, n)
	for i := 0; i < n && r.bad == nil; i++ {
		if br := m.bodyReader(r, len(m.imports)+i); br != nil {
			m.bodies = append(m.bodies, s.function(br))
			r.bad = br.bad
		}
	}
}

// bodyReader returns a reader of the next body, or nil if there is none that the limits allow.
func (m *module) bodyReader(r *reader, fn int) *reader {
	at := r.pos
	size := r.u32()
	from := r.pos
	r.take(size)
	if uint64(size) > uint64(m.lim.BodyBytes) {
		r.failAt(at, "function %d has %d bytes of code, %d allowed", fn, size, m.lim.BodyBytes)
	}
	if r.bad != nil {
		return nil
	}
	br := m.reader(sectionNames[secCode], span{from, r.pos})
	br.fn = fn
	return br
}

// scanner walks function bodies. Its slices are kept from one to the next.
type scanner struct {
	m    *module
	r    *reader
	b    body
	ctrl []block
	loop int // the innermost open block that may be a tight loop, or noLoop

	events []event // for the cost analysis
	run    uint64  // weight since the last event
	labels []label

	work    int // of the compiler, beyond the bytes; see compile.go
	bulks   int
	fills   int
	loops   int
	opened  uint32   // blocks so far
	lastSet []uint32 // by local: what opened was at its last assignment
	est     frameEstimate
}

// block is an open block, loop, if, else or the function itself. base is the operand height below its parameters.
type block struct {
	shape           shape
	base            int
	params, results int
	opened          uint32 // the how manieth block of the function

	// In the rewritten code, counted from the function's outermost label: its own label, and the one that a block
	// opened in it gets.
	label, inner int
	head         int // of a loop with a cold refill: its patch; or -1
}

func (s *scanner) function(r *reader) body {
	t := &s.m.types[s.m.funcs[r.fn]]
	s.r = r
	s.b = body{typ: s.m.funcs[r.fn]}
	s.b.patches.from, s.b.calls.from = len(s.m.patches), len(s.m.calls)
	s.localDecls(t.params)
	s.b.code = span{r.pos, len(r.b)}
	s.ctrl = append(s.ctrl[:0], block{shape: structBlock, results: len(t.results), inner: 1, head: noHead})
	s.loop = noLoop
	s.events, s.run, s.loops, s.opened = s.events[:0], 0, 0, 0
	s.work, s.bulks, s.fills = 0, 0, 0
	for len(s.ctrl) > 0 && r.bad == nil {
		s.instruction()
	}
	r.end()
	s.checkSums()
	s.checkWork()
	if r.bad == nil {
		s.b.entry = s.costs() + weightEntry + uint64(s.b.nlocals)
		s.b.frame = s.est.bytes(s.b.nlocals + len(t.results))
	}
	s.b.patches.to, s.b.calls.to = len(s.m.patches), len(s.m.calls)
	return s.b
}

// checkSums holds what adds up over blocks and functions to its limits.
func (s *scanner) checkSums() {
	m := s.m
	m.points += 1 + s.loops
	m.joins += s.est.joins
	switch {
	case m.points > m.lim.PointsPerModule:
		s.r.fail("more than %d function entries and loops", m.lim.PointsPerModule)
	case s.est.joins > m.lim.JoinsPerFunc:
		s.r.fail("%d locals meet at the ends of blocks, %d allowed", s.est.joins, m.lim.JoinsPerFunc)
	case m.joins > m.lim.JoinsPerModule:
		s.r.fail("more than %d locals meet at the ends of blocks", m.lim.JoinsPerModule)
	}
}

func (s *scanner) localDecls(params []byte) {
	r := s.r
	s.est = frameEstimate{wide: bytes.IndexByte(params, typeV128) >= 0}
	n := r.count(2)
	s.b.locals.from, s.b.groups = r.pos, n
	total := uint64(len(params))
	for ; n > 0 && r.bad == nil; n-- {
		at := r.pos
		total += uint64(r.u32())
		t := r.u8()
		if !isValueType(t) {
			r.failAt(at, "local of type 0x%x is not supported", t)
		}
		if total > uint64(s.m.lim.LocalsPerFunc) {
			r.failAt(at, "more than %d locals", s.m.lim.LocalsPerFunc)
		}
		s.est.wide = s.est.wide || t == typeV128
	}
	s.b.locals.to = r.pos
	s.setLocals(int(total))
}

func (s *scanner) setLocals(n int) {
	if s.m.locals += n; s.m.locals > s.m.lim.LocalsPerModule {
		s.r.fail("more than %d locals in the module", s.m.lim.LocalsPerModule)
	}
	if s.r.bad == nil {
		s.b.nlocals = n
		s.lastSet = slices.Grow(s.lastSet[:0], n)[:n]
		clear(s.lastSet)
	}
}

// instruction decodes one instruction, checks its indices and accounts for it.
func (s *scanner) instruction() {
	r := s.r
	at := r.pos
	code := r.u8()
	o := &opTable[code]
	if o.shape == misc || o.shape == simd {
		o = s.prefixed(o.shape)
	}
	s.run += uint64(o.weight)
	s.work += o.compileCost()
	s.est.pop(int(o.pop), s.ctrl[len(s.ctrl)-1].base)
	switch o.shape {
	case plain:
	case localGet, localSet, localTee:
		i := r.index("local", s.b.nlocals)
		if o.shape != localGet && r.bad == nil {
			s.assigned(i)
		}
	case constI32:
		r.signed(32)
	case memArg:
		s.memArg(o.limit)
	case structBlock, structLoop, structIf:
		s.open(o.shape)
	case structElse, structEnd:
		s.close(o.shape, at)
	case branch, branchIf, branchTable, leave, trap:
		s.branch(o.shape, at)
	case call, callIndirect, refFunc:
		s.call(o.shape)
	default:
		s.rare(o, at, code)
	}
	s.est.push(int(o.push))
}

// prefixed reads the opcode behind a prefix. Engines differ in how they read a padded one, so it must be minimal.
func (s *scanner) prefixed(p shape) *op {
	at := s.r.pos
	code := s.r.u32()
	minimal := s.r.pos-at == 1 || code > 0x7f && s.r.pos-at == 2
	table := simdTable[:]
	if p == misc {
		table = miscTable[:]
	} else {
		s.est.wide = true
	}
	if !minimal || code >= uint32(len(table)) {
		s.r.failAt(at, "unknown instruction 0x%x behind a prefix", code)
		return &table[0]
	}
	return &table[code]
}

// rare handles the immediates that are not on the way of most instructions.
func (s *scanner) rare(o *op, at int, code byte) {
	r := s.r
	switch o.shape {
	case globalGet, globalSet:
		s.global(o.shape)
	case constI64:
		r.signed(64)
	case constF32:
		r.take(4)
	case constF64:
		r.take(8)
	case selectTyped:
		if n := r.u8(); n != 1 || !isValueType(r.u8()) {
			r.failAt(at, "select of a type that is not supported")
		}
	case refNull:
		r.refType()
	case tableOp:
		r.index("table", len(s.m.tables))
	case memSize:
		s.memory()
	case memGrow:
		s.memory()
		s.bulk(patchPages, at)
	case simdBytes, simdLanes, simdLane, simdMem, simdMemLane:
		s.vector(o)
	case unknown:
		s.unknown(at, code)
	default:
		s.segmentOp(o.shape, at)
	}
}

// unknown refuses an instruction, by a name where a compiler's flag is what brings it in.
func (s *scanner) unknown(at int, code byte) {
	if code == 0x12 || code == 0x13 {
		s.r.failAt(at, "tail calls are not supported: compile without them (-mno-tail-call, -C target-feature=-tail-call)")
		return
	}
	s.r.failAt(at, "unknown instruction 0x%x", code)
}

func (s *scanner) global(sh shape) {
	at := s.r.pos
	i := s.r.index("global", len(s.m.globals))
	if s.r.bad == nil && sh == globalSet && s.m.globals[i].mut == 0 {
		s.r.failAt(at, "global %d is immutable", i)
	}
}

func (s *scanner) memArg(align uint8) {
	at := s.r.pos
	if s.m.memory == nil {
		s.r.failAt(at, "access without a memory")
	}
	if a := s.r.u32(); a > uint32(align) {
		s.r.failAt(at, "alignment 2^%d", a)
	}
	s.r.u32()
}

// memory reads a memory's index, which is one zero byte.
func (s *scanner) memory() {
	at := s.r.pos
	if i := s.r.u8(); i != 0 || s.m.memory == nil {
		s.r.failAt(at, "memory %d does not exist", i)
	}
}

func (s *scanner) vector(o *op) {
	at := s.r.pos
	switch o.shape {
	case simdBytes:
		s.r.take(16)
	case simdLanes:
		for _, lane := range s.r.take(16) {
			if lane >= 32 {
				s.r.failAt(at, "lane %d of 32", lane)
			}
		}
	case simdLane:
		if lane := s.r.u8(); lane >= o.limit {
			s.r.failAt(at, "lane %d of %d", lane, o.limit)
		}
	case simdMem:
		s.memArg(o.limit)
	case simdMemLane:
		s.memArg(o.limit)
		if lane := s.r.u8(); lane >= 16>>o.limit {
			s.r.failAt(at, "lane %d of %d", lane, 16>>o.limit)
		}
	}
}

// segmentOp handles bulk memory and table operations.
func (s *scanner) segmentOp(sh shape, at int) {
	r := s.r
	if sh == memFill || sh == tableFill {
		s.fills++
	}
	switch sh {
	case memInit, dataDrop:
		if s.m.dataCount < 0 {
			r.failAt(at, "data segment used without a data count section")
		}
		r.index("data segment", int(max(0, s.m.dataCount)))
	case tableInit, elemDrop:
		r.index("element segment", s.m.elements)
	}
	switch sh {
	case memInit, memFill:
		s.memory()
		s.bulk(patchBytes, at)
	case memCopy:
		s.memory()
		s.memory()
		s.bulk(patchBytes, at)
	case tableInit, tableFill:
		r.index("table", len(s.m.tables))
		s.bulk(patchItems, at)
	case tableCopy:
		r.index("table", len(s.m.tables))
		r.index("table", len(s.m.tables))
		s.bulk(patchItems, at)
	case tableGrow:
		i := r.index("table", len(s.m.tables))
		if r.bad == nil {
			s.bulk(patchGrow, at)
			s.m.patches[len(s.m.patches)-1].arg = uint64(s.m.tables[i].max)
		}
	}
}

func (s *scanner) bulk(k patchKind, at int) {
	s.b.scratch = true
	s.bulks++
	s.loop = noLoop
	s.patch(k, at, at, 0)
}

func (s *scanner) patch(k patchKind, from, to int, arg uint64) {
	s.m.patches = append(s.m.patches, patch{uint32(from), uint32(to), k, arg})
}
