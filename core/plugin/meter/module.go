package meter

// module is a decoded module. Counts and indices are its own: nothing appended is in them.
type module struct {
	wasm []byte
	lim  Limits

	sections [lastSection + 1]span
	customs  []custom

	types     []funcType
	imports   []Import
	importSec importSection
	funcs     []uint32 // type of every function, imported ones first
	tables    []table
	memory    *memory
	globals   []globalType
	exports   []Export
	start     int64 // function index or -1
	elements  int
	entries   int   // of all element segments
	dataCount int64 // as announced, or -1
	dataSegs  int
	taken     []bool // by function index: its address may be in a table

	bodies  []body
	patches []patch
	calls   []uint32 // edges of the call graph, see callgraph.go
	points  int      // function entries and loop headers
	locals  int      // of all functions
	joins   int      // of all functions, see frameEstimate

	loopWork, branchWork, compileWork int // see Limits

	fixes [lastSection + 1][]fix // function indices to renumber, outside of code
}

// span is a section's content in the file; to is 0 if the section is absent.
type span struct{ from, to int }

type custom struct {
	name     string
	from, to int // content after the name
}

type importSection struct{ items span } // the items after the count

type table struct {
	elem     byte
	min, max uint32
}

type memory struct{ min, max uint32 }

type globalType struct{ typ, mut byte }

// fix is a function index written at from..to of the file that must become index.
type fix struct {
	from, to int
	index    uint32
}

func (m *module) reader(section string, s span) *reader {
	return &reader{b: m.wasm[:s.to], pos: s.from, section: section, fn: -1}
}

// moved returns where function i is once the refill import is appended to the imports.
func (m *module) moved(i uint32) uint32 {
	if int(i) >= len(m.imports) {
		return i + 1
	}
	return i
}

// funcRef reads a function index outside of code and notes its renumbering; takes says that it makes a reference.
func (m *module) funcRef(r *reader, section int, takes bool) uint32 {
	from := r.pos
	i := r.index("function", len(m.funcs))
	if r.bad != nil {
		return 0
	}
	if takes {
		m.take(i)
	}
	if n := m.moved(i); n != i {
		m.fixes[section] = append(m.fixes[section], fix{from, r.pos, n})
	}
	return i
}

// take notes that function i may be called through a table from now on.
func (m *module) take(i uint32) {
	if m.taken == nil {
		m.taken = make([]bool, len(m.funcs))
	}
	m.taken[i] = true
}

func (m *module) info() Info {
	info := Info{Imports: m.imports, Exports: m.exports, HasStart: m.start >= 0, CompileWork: m.compileWork, Producers: m.producers()}
	if m.memory != nil {
		info.MemoryMin, info.MemoryMax = m.memory.min, m.memory.max
	}
	for _, c := range m.customs {
		info.CustomSections = append(info.CustomSections, c.name)
	}
	return info
}
