package meter

// open begins a block, loop or if.
func (s *scanner) open(sh shape) {
	r := s.r
	at := r.pos
	params, results := s.blockType()
	if len(s.ctrl) > s.m.lim.Nesting {
		r.failAt(at, "more than %d blocks inside each other", s.m.lim.Nesting)
	}
	s.est.joined(params + results)
	s.opened++
	label := s.ctrl[len(s.ctrl)-1].inner
	s.ctrl = append(s.ctrl, block{shape: sh, base: max(0, s.est.height-params), params: params, results: results,
		opened: s.opened, label: label, inner: label + 1, head: noHead})
	if sh != structLoop {
		s.event(sh, 0)
		return
	}
	if s.loops++; s.loops > s.m.lim.LoopsPerFunc {
		r.failAt(at, "more than %d loops in a function", s.m.lim.LoopsPerFunc)
	}
	s.loop = noLoop
	s.event(structLoop, uint32(len(s.m.patches)))
	if params > 0 {
		s.patch(patchCharge, r.pos, r.pos, 0)
		return
	}
	s.est.joined(results) // of the innermost of its blocks, see loopHead
	top := &s.ctrl[len(s.ctrl)-1]
	top.label, top.inner, top.head = label+1, label+4, len(s.m.patches)
	s.loop = len(s.ctrl) - 1
	s.patch(patchLoop, at-1, r.pos, 0)
}

// noHead is the head of what is not a loop with a cold refill.
const noHead = -1

// blockType reads a block's type and returns how many values it takes and leaves.
func (s *scanner) blockType() (params, results int) {
	r := s.r
	at := r.pos
	if r.more() {
		switch t := r.b[at]; {
		case t == blockEmpty:
			r.pos++
			return 0, 0
		case isValueType(t):
			r.pos++
			return 0, 1
		}
	}
	i := r.signed(33)
	if i < 0 || i >= int64(len(s.m.types)) {
		r.failAt(at, "block of type %d", i)
		return 0, 0
	}
	return len(s.m.types[i].params), len(s.m.types[i].results)
}

// close handles else and end, whose opcode lies at offset at.
func (s *scanner) close(sh shape, at int) {
	top := &s.ctrl[len(s.ctrl)-1]
	if sh == structElse {
		if top.shape != structIf {
			s.r.fail("else without if")
			return
		}
		top.shape = structElse
		s.event(structElse, 0)
		s.est.reset(top.base + top.params)
		return
	}
	s.event(structEnd, uint32(top.shape))
	if top.head != noHead {
		s.closeTight(at)
		s.patch(patchLoopEnd, at, s.r.pos, uint64(top.head))
	}
	s.est.reset(top.base + top.results)
	s.ctrl = s.ctrl[:len(s.ctrl)-1]
}

// branch handles what leaves the straight way. A return becomes a branch to the function's own label, which the
// wrapping block of a recursive function takes over.
func (s *scanner) branch(sh shape, at int) {
	r := s.r
	switch sh {
	case branch, branchIf:
		from := r.pos
		l := r.index("label", len(s.ctrl))
		if s.leavesTight(int(l)) {
			s.flush(at)
		}
		s.relabel(l, from)
		s.event(sh, l)
	case branchTable:
		s.flush(at)
		s.event(sh, uint32(r.pos))
		s.targets()
	case leave:
		s.event(sh, 0)
		s.flush(at)
		s.patch(patchReturn, at, r.pos, s.labelOf(len(s.ctrl)-1))
	case trap:
		s.event(sh, 0)
	}
	if sh != branchIf {
		s.est.reset(s.ctrl[len(s.ctrl)-1].base)
	}
}

func (s *scanner) targets() {
	r := s.r
	n := r.count(1)
	if n > s.m.lim.BranchTargets {
		r.fail("br_table of %d targets, %d allowed", n, s.m.lim.BranchTargets)
	}
	for ; n >= 0 && r.bad == nil; n-- { // the default is one more
		from := r.pos
		s.relabel(r.index("label", len(s.ctrl)), from)
	}
}

// relabel has label l, written from offset from on, renumbered if loops around the branch have more labels now.
func (s *scanner) relabel(l uint32, from int) {
	if s.r.bad != nil {
		return
	}
	if n := s.labelOf(int(l)); n != uint64(l) {
		s.patch(patchLabel, from, s.r.pos, n)
	}
}

// labelOf returns what the label of the block l out is in the rewritten code.
func (s *scanner) labelOf(l int) uint64 {
	top := len(s.ctrl) - 1
	return uint64(s.ctrl[top].inner - 1 - s.ctrl[top-l].label)
}

// call handles whatever names a function or a signature.
func (s *scanner) call(sh shape) {
	r, m := s.r, s.m
	s.loop = noLoop
	if sh == callIndirect {
		t := r.index("type", len(m.types))
		r.index("table", len(m.tables))
		if r.bad == nil {
			s.run += CallUnits
			m.calls = append(m.calls, m.typeNode(t))
			s.est.called(len(m.types[t].params), len(m.types[t].results), s.ctrl[len(s.ctrl)-1].base)
		}
		return
	}
	at := r.pos
	f := r.index("function", len(m.funcs))
	if r.bad != nil {
		return
	}
	if n := m.moved(f); n != f {
		s.patch(patchFunc, at, r.pos, uint64(n))
	}
	if sh == refFunc {
		m.take(f)
		return
	}
	if int(f) >= len(m.imports) {
		s.run += CallUnits
		m.calls = append(m.calls, m.funcNode(f))
	}
	t := &m.types[m.funcs[f]]
	s.est.called(len(t.params), len(t.results), s.ctrl[len(s.ctrl)-1].base)
}
