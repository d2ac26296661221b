package meter

// emitter writes the rewritten module. Its indices are those of the new module.
type emitter struct {
	m   *module
	out []byte
	buf []byte // one section
	fn  []byte // one function

	fuel, depth uint32 // globals
	refill      uint32 // function
	ahead       uint64 // what calls have paid of an entry's charge
	blocks      map[string]uint32
	newTypes    []byte
	nNewTypes   uint32
}

// emit writes a module that load has accepted; it cannot fail. Calls have paid ahead units of every entry's charge.
func emit(m *module, ahead uint64) []byte {
	e := &emitter{m: m, fuel: uint32(len(m.globals)), depth: uint32(len(m.globals)) + 1,
		refill: uint32(len(m.imports)), ahead: ahead, blocks: map[string]uint32{}}
	e.out = append(make([]byte, 0, len(m.wasm)+len(m.wasm)/3+256), magic...)
	e.addTypes()
	for _, id := range sectionOrder {
		e.section(id)
	}
	e.customs()
	return e.out
}

// addTypes appends the refill function's signature and one for every list of results that a wrapping block has and a
// block cannot name by itself.
func (e *emitter) addTypes() {
	e.newTypes = append(e.newTypes, typeFunc, 0, 0)
	e.nNewTypes = 1
	for i := range e.m.bodies {
		b := &e.m.bodies[i]
		results := e.m.types[b.typ].results
		if _, ok := e.blocks[string(results)]; ok || !b.recursive || len(results) < 2 {
			continue
		}
		e.blocks[string(results)] = uint32(len(e.m.types)) + e.nNewTypes
		e.newTypes = append(e.newTypes, typeFunc, 0)
		e.newTypes = append(appendU32(e.newTypes, uint32(len(results))), results...)
		e.nNewTypes++
	}
}

func (e *emitter) section(id int) {
	e.buf = e.buf[:0]
	switch id {
	case secType:
		e.vector(id, e.nNewTypes)
		e.buf = append(e.buf, e.newTypes...)
	case secImport:
		e.vector(id, 1)
		e.buf = appendName(appendName(e.buf, RefillModule), RefillName)
		e.buf = appendU32(append(e.buf, KindFunc), uint32(len(e.m.types)))
	case secTable:
		e.tables()
	case secMemory:
		e.memory()
	case secGlobal:
		e.vector(id, 2)
		e.globals()
	case secExport:
		e.vector(id, 2)
		e.buf = appendU32(append(appendName(e.buf, FuelGlobal), KindGlobal), e.fuel)
		e.buf = appendU32(append(appendName(e.buf, DepthGlobal), KindGlobal), e.depth)
	case secCode:
		e.code()
	default:
		s := e.m.sections[id]
		e.fixed(id, s.from, s.to)
	}
	if len(e.buf) > 0 {
		e.out = appendSection(e.out, byte(id), e.buf)
	}
}

// vector writes a section's items, with their count raised by more; the section may be absent.
func (e *emitter) vector(id int, more uint32) {
	s := e.m.sections[id]
	r := e.m.reader("", s)
	n := uint32(0)
	if s.to != 0 {
		n = r.u32()
	}
	e.buf = appendU32(e.buf, n+more)
	e.fixed(id, r.pos, s.to)
}

// fixed copies from..to of the file with the section's function indices renumbered.
func (e *emitter) fixed(id, from, to int) {
	for _, f := range e.m.fixes[id] {
		e.buf = appendU32(append(e.buf, e.m.wasm[from:f.from]...), f.index)
		from = f.to
	}
	e.buf = append(e.buf, e.m.wasm[from:to]...)
}

func (e *emitter) tables() {
	if len(e.m.tables) == 0 {
		return
	}
	e.buf = appendU32(e.buf, uint32(len(e.m.tables)))
	for _, t := range e.m.tables {
		e.buf = appendU32(appendU32(append(e.buf, t.elem, 1), t.min), t.max)
	}
}

func (e *emitter) memory() {
	if mem := e.m.memory; mem != nil {
		e.buf = appendU32(appendU32(append(e.buf, 1, 1), mem.min), mem.max)
	}
}

func (e *emitter) globals() {
	e.buf = append(e.buf, typeI64, 1, opI64Const)
	e.buf = append(appendSigned(e.buf, e.m.lim.InitialFuel), opEnd)
	e.buf = append(e.buf, typeI32, 1, opI32Const)
	e.buf = append(appendSigned(e.buf, int64(e.m.lim.StackBytes)), opEnd)
}
