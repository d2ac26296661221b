package meter

// The parts of the name section.
const (
	namesModule = 0
	namesFuncs  = 1
	namesLocals = 2
	namesLabels = 3 // numbered by blocks in the code, which the meter adds to
	namesLast   = 9 // types, tables, memories, globals, elements, data: their indices stay
)

// customs writes the custom sections that still hold: names, renumbered, and the harmless ones. Debugging sections are
// offsets into the old code, and nothing is known of others.
func (e *emitter) customs() {
	named := false
	for _, c := range e.m.customs {
		content := e.m.wasm[c.from:c.to]
		switch c.name {
		case "name":
			ok := false
			if content, ok = e.m.renumberNames(c); !ok || named {
				continue
			}
			named = true
		case "producers", "target_features":
		default:
			continue
		}
		e.buf = append(appendName(e.buf[:0], c.name), content...)
		e.out = appendSection(e.out, secCustom, e.buf)
	}
}

// renumberNames returns the name section for the new function indices, or false if it is malformed; a module is not
// refused for its names.
func (m *module) renumberNames(c custom) ([]byte, bool) {
	r := m.reader("name", span{c.from, c.to})
	var out []byte
	last := -1
	for r.bad == nil && r.more() {
		id := int(r.u8())
		size := r.u32()
		from := r.pos
		r.take(size)
		if id <= last || id > namesLast {
			return nil, false
		}
		last = id
		if r.bad == nil && id != namesLabels {
			sub := m.reader("name", span{from, r.pos})
			out = appendSection(out, byte(id), m.renumberPart(sub, id))
			r.bad = sub.bad
		}
	}
	return out, r.bad == nil
}

func (m *module) renumberPart(r *reader, id int) (out []byte) {
	switch id {
	case namesModule:
		out = appendName(out, r.name())
	case namesFuncs:
		out = m.renumberFuncs(r)
	case namesLocals:
		out = m.renumberLocals(r)
	default:
		return r.take(uint32(len(r.b) - r.pos))
	}
	r.end()
	return out
}

// renumberFuncs also names the refill import, for stack traces. Names come by rising index.
func (m *module) renumberFuncs(r *reader) []byte {
	n := r.count(2)
	out := appendU32(nil, uint32(n)+1)
	refill, done := uint32(len(m.imports)), false
	for last := int64(-1); n > 0 && r.bad == nil; n-- {
		i := m.moved(r.rising("function", &last, len(m.funcs)))
		if i > refill && !done {
			out = appendName(appendU32(out, refill), RefillModule+"."+RefillName)
			done = true
		}
		out = appendName(appendU32(out, i), r.name())
	}
	if !done {
		out = appendName(appendU32(out, refill), RefillModule+"."+RefillName)
	}
	return out
}

func (m *module) renumberLocals(r *reader) []byte {
	n := r.count(2)
	out := appendU32(nil, uint32(n))
	for last := int64(-1); n > 0 && r.bad == nil; n-- {
		out = appendU32(out, m.moved(r.rising("function", &last, len(m.funcs))))
		names := r.count(2)
		out = appendU32(out, uint32(names))
		for local := int64(-1); names > 0 && r.bad == nil; names-- {
			out = appendU32(out, r.rising("local", &local, 1<<31))
			out = appendName(out, r.name())
		}
	}
	return out
}

// rising reads an index that must be greater than the one before.
func (r *reader) rising(what string, last *int64, count int) uint32 {
	i := r.index(what, count)
	if int64(i) <= *last {
		r.fail("%s %d is out of order", what, i)
	}
	*last = int64(i)
	return i
}
