package meter

// decodeImports takes functions only: memories and tables must be the guest's own so that the limits hold, and the host
// offers no globals.
func (m *module) decodeImports(r *reader) {
	n := r.atMost(m.lim.Items, 4, "imports")
	m.importSec.items.from = r.pos
	for ; n > 0 && r.bad == nil; n-- {
		at := r.pos
		i := Import{Module: r.name(), Name: r.name()}
		if i.Module == RefillModule {
			r.failAt(at, "module %q is reserved", RefillModule)
		}
		if kind := r.u8(); kind != KindFunc {
			r.failAt(at, "%q %q: only functions can be imported", i.Module, i.Name)
		}
		t := r.index("type", len(m.types))
		if r.bad != nil {
			return
		}
		i.Params, i.Results = m.types[t].params, m.types[t].results
		m.imports = append(m.imports, i)
		m.funcs = append(m.funcs, t)
	}
	m.importSec.items.to = r.pos
}

func (m *module) decodeTables(r *reader) {
	n := r.count(3)
	if n > m.lim.Tables {
		r.fail("%d tables, %d allowed", n, m.lim.Tables)
	}
	for ; n > 0 && r.bad == nil; n-- {
		at := r.pos
		t := table{elem: r.u8()}
		if !isRefType(t.elem) {
			r.failAt(at, "table of 0x%x is not supported", t.elem)
		}
		t.min, t.max = r.limits("table", m.lim.TableEntries)
		m.tables = append(m.tables, t)
	}
}

func (m *module) decodeMemory(r *reader) {
	n := r.count(2)
	if n > 1 {
		r.fail("%d memories, 1 allowed", n)
	}
	if n == 1 {
		m.memory = new(memory)
		m.memory.min, m.memory.max = r.limits("memory", m.lim.MemoryPages)
	}
}

// limits reads the limits of a memory or table and clamps the maximum to most.
func (r *reader) limits(what string, most uint32) (lo, hi uint32) {
	at := r.pos
	flags := r.u8()
	if flags > 1 {
		r.failAt(at, "%s flags 0x%x are not supported", what, flags)
		return
	}
	lo, hi = r.u32(), ^uint32(0)
	if flags == 1 {
		hi = r.u32()
	}
	switch {
	case hi < lo:
		r.failAt(at, "%s maximum %d is below its minimum %d", what, hi, lo)
	case what == "memory" && flags == 1 && hi > maxPages:
		r.failAt(at, "memory maximum of %d pages", hi)
	case lo > most && what == "memory":
		r.failAt(at, "memory wants %dKiB at its start, %dKiB allowed", uint64(lo)*64, uint64(most)*64)
	case lo > most:
		r.failAt(at, "%s wants %d, %d allowed", what, lo, most)
	}
	return lo, min(hi, most)
}
