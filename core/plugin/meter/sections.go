package meter

import "bytes"

// The sections, by their numbers in the binary format.
const (
	secCustom = iota
	secType
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
	secDataCount
	lastSection = secDataCount
)

var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export", "start",
	"element", "code", "data", "data count"}

// sectionOrder is the order in which sections must stand.
var sectionOrder = [...]int{secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart,
	secElement, secDataCount, secCode, secData}

var magic = []byte("\x00asm\x01\x00\x00\x00")

func (m *module) decode() error {
	m.start, m.dataCount = -1, -1
	if err := m.split(); err != nil {
		return err
	}
	decoders := [...]func(*module, *reader){secType: (*module).decodeTypes, secImport: (*module).decodeImports,
		secFunction: (*module).decodeFunctions, secTable: (*module).decodeTables, secMemory: (*module).decodeMemory,
		secGlobal: (*module).decodeGlobals, secExport: (*module).decodeExports, secStart: (*module).decodeStart,
		secElement: (*module).decodeElements, secDataCount: (*module).decodeDataCount, secCode: (*module).decodeCode,
		secData: (*module).decodeData}
	for _, id := range sectionOrder {
		if m.sections[id].to == 0 {
			continue
		}
		r := m.reader(sectionNames[id], m.sections[id])
		decoders[id](m, r)
		if r.end(); r.bad != nil {
			return r.bad
		}
	}
	return m.checkCounts()
}

// split finds the sections and checks their order; it looks into none of them.
func (m *module) split() error {
	r := m.reader("header", span{0, len(m.wasm)})
	if len(m.wasm) > m.lim.ModuleBytes {
		r.fail("module of %d bytes, %d allowed", len(m.wasm), m.lim.ModuleBytes)
	} else if !bytes.HasPrefix(m.wasm, magic) {
		r.fail("not a WebAssembly module of version 1")
	}
	r.pos = min(len(magic), len(m.wasm))
	last := -1
	for r.bad == nil && r.more() {
		at := r.pos
		id := int(r.u8())
		size := r.u32()
		from := r.pos
		r.take(size)
		if r.bad != nil {
			break
		}
		if id == secCustom {
			m.addCustom(r, span{from, r.pos})
			continue
		}
		rank := sectionRank(id)
		if rank <= last {
			r.failAt(at, "section %d is unknown, repeated or out of order", id)
			break
		}
		last = rank
		m.sections[id] = span{from, r.pos}
	}
	if r.bad != nil {
		return r.bad
	}
	return nil
}

func sectionRank(id int) int {
	for rank, s := range sectionOrder {
		if s == id {
			return rank
		}
	}
	return -1
}

func (m *module) addCustom(r *reader, s span) {
	c := m.reader("custom", s)
	name := c.name()
	if c.bad != nil {
		r.bad = c.bad
		return
	}
	m.customs = append(m.customs, custom{name, c.pos, s.to})
}

func (m *module) decodeFunctions(r *reader) {
	n := r.count(1)
	if n > m.lim.PointsPerModule {
		r.fail("%d functions, %d allowed", n, m.lim.PointsPerModule)
	}
	for ; n > 0 && r.bad == nil; n-- {
		m.funcs = append(m.funcs, r.index("type", len(m.types)))
	}
}

func (m *module) decodeStart(r *reader) {
	m.start = int64(m.funcRef(r, secStart, false))
}

func (m *module) decodeDataCount(r *reader) { m.dataCount = int64(r.u32()) }

func (m *module) decodeData(r *reader) {
	for n := r.atMost(m.lim.DataSegments, 2, "segments"); n > 0 && r.bad == nil; n-- {
		m.dataSegs++
		at := r.pos
		switch kind := r.u32(); kind {
		case 0, 2:
			if kind == 2 {
				r.index("memory", 1)
			}
			if m.memory == nil {
				r.failAt(at, "active segment without a memory")
			}
			m.constExpr(r, secData, len(m.globals))
		case 1:
		default:
			r.failAt(at, "segment kind %d", kind)
		}
		r.take(r.u32())
	}
}

// checkCounts compares the sections that must agree with each other, one of which may be absent.
func (m *module) checkCounts() error {
	if own := len(m.funcs) - len(m.imports); own != len(m.bodies) {
		return &Error{"code", -1, len(m.wasm), "functions and bodies differ in number"}
	}
	if m.dataCount >= 0 && m.dataCount != int64(m.dataSegs) {
		return &Error{"data count", -1, len(m.wasm), "segments differ in number from those announced"}
	}
	return nil
}
