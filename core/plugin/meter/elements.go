package meter

// An element segment's kind is three flags.
const (
	elemNotActive = 1 << iota // passive, or declarative if elemExplicit is set too
	elemExplicit              // names its table, or is declarative
	elemExprs                 // items are expressions, not function indices
)

func (m *module) decodeElements(r *reader) {
	for n := r.atMost(m.lim.Items, 2, "segments"); n > 0 && r.bad == nil; n-- {
		at := r.pos
		kind := r.u32()
		if kind > elemNotActive|elemExplicit|elemExprs {
			r.failAt(at, "segment kind %d", kind)
			return
		}
		m.elements++
		if kind&elemNotActive == 0 {
			m.elementPlace(r, kind)
		}
		if kind&(elemNotActive|elemExplicit) != 0 {
			elementType(r, kind)
		}
		m.elementItems(r, kind)
	}
}

func (m *module) elementPlace(r *reader, kind uint32) {
	if kind&elemExplicit != 0 {
		r.index("table", len(m.tables))
	} else if len(m.tables) == 0 {
		r.fail("active segment without a table")
	}
	m.constExpr(r, secElement, len(m.globals))
}

func elementType(r *reader, kind uint32) {
	at := r.pos
	if kind&elemExprs != 0 {
		r.refType()
	} else if t := r.u8(); t != 0 {
		r.failAt(at, "element kind 0x%x is not supported", t)
	}
}

func (m *module) elementItems(r *reader, kind uint32) {
	n := r.count(1)
	if m.entries += n; m.entries > m.lim.Entries {
		r.fail("more than %d entries of segments", m.lim.Entries)
	}
	for ; n > 0 && r.bad == nil; n-- {
		if kind&elemExprs != 0 {
			m.constExpr(r, secElement, len(m.globals))
		} else {
			m.funcRef(r, secElement, true)
		}
	}
}
