package meter

func (m *module) decodeGlobals(r *reader) {
	for n := r.atMost(m.lim.Items, 4, "globals"); n > 0 && r.bad == nil; n-- {
		at := r.pos
		g := globalType{r.u8(), r.u8()}
		if !isValueType(g.typ) || g.mut > 1 {
			r.failAt(at, "global type 0x%x 0x%x is not supported", g.typ, g.mut)
		}
		m.constExpr(r, secGlobal, len(m.globals))
		m.globals = append(m.globals, g)
	}
}

// constExpr reads an initial value up to its end. It may name the first globals ones.
func (m *module) constExpr(r *reader, section, globals int) {
	for r.bad == nil {
		at := r.pos
		switch op := r.u8(); op {
		case opEnd:
			return
		case opI32Const:
			r.signed(32)
		case opI64Const:
			r.signed(64)
		case opF32Const:
			r.take(4)
		case opF64Const:
			r.take(8)
		case opGlobalGet:
			r.index("global", globals)
		case opRefNull:
			r.refType()
		case opRefFunc:
			m.funcRef(r, section, true)
		case prefixSIMD:
			if r.u8() != simdConst {
				r.failAt(at, "instruction is not constant")
			}
			r.take(16)
		default:
			r.failAt(at, "instruction 0x%x is not constant", op)
		}
	}
}

func (r *reader) refType() byte {
	at := r.pos
	t := r.u8()
	if !isRefType(t) {
		r.failAt(at, "reference type 0x%x is not supported", t)
	}
	return t
}

func (m *module) decodeExports(r *reader) {
	seen := map[string]bool{}
	for n := r.count(3); n > 0 && r.bad == nil; n-- {
		at := r.pos
		e := Export{Name: r.name()}
		if seen[e.Name] {
			r.failAt(at, "export %q is repeated", e.Name)
		}
		if e.Name == FuelGlobal || e.Name == DepthGlobal {
			r.failAt(at, "export name %q is reserved", e.Name)
		}
		seen[e.Name] = true
		m.exportIndex(r, &e)
		m.exports = append(m.exports, e)
	}
}

func (m *module) exportIndex(r *reader, e *Export) {
	at := r.pos
	e.Kind = r.u8()
	switch e.Kind {
	case KindFunc:
		// The host calls an export from outside only, so exporting does not make a function callable through a table.
		i := m.funcRef(r, secExport, false)
		if r.bad == nil {
			t := m.types[m.funcs[i]]
			e.Params, e.Results = t.params, t.results
		}
	case KindTable:
		r.index("table", len(m.tables))
	case KindMemory:
		memories := 0
		if m.memory != nil {
			memories = 1
		}
		r.index("memory", memories)
	case KindGlobal:
		r.index("global", len(m.globals))
	default:
		r.failAt(at, "export kind 0x%x is not supported", e.Kind)
	}
}
