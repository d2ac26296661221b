package meter

// event is a place where control flow branches or joins, in the order of the code. weight is that of the instructions
// since the event before, its own included.
type event struct {
	weight uint64
	shape  shape
	arg    uint32 // label, offset of a br_table's targets, patch of a loop, shape of what an end closes
}

// label is an open block of the backward walk: what is still to pay after a branch to it, and on the else arm.
type label struct {
	after   uint64
	target  uint64
	orElse  uint64
	hasElse bool
}

func (s *scanner) event(sh shape, arg uint32) {
	s.events = append(s.events, event{s.run, sh, arg})
	s.run = 0
}

// costs walks the events from the end of the function to its start. At every place due is the weight of the dearest
// way from there to the next point that charges: a loop header, or the function's end. It fills in the loops' charges
// and returns the entry's. Since every way back goes through a loop header, one walk is exact.
func (s *scanner) costs() uint64 {
	s.labels = s.labels[:0]
	due := uint64(0)
	for i := len(s.events) - 1; i >= 0; i-- {
		e := &s.events[i]
		due = s.costBefore(e, due) + e.weight
	}
	return due
}

// costBefore returns what is due before the event, given what is due after it in the code.
func (s *scanner) costBefore(e *event, due uint64) uint64 {
	top := len(s.labels) - 1
	switch e.shape {
	case structEnd:
		l := label{after: due, target: due}
		if shape(e.arg) == structLoop {
			l.target = 0 // a branch to a loop goes to its header, which charges for itself
		}
		s.labels = append(s.labels, l)
	case structElse:
		s.labels[top].orElse, s.labels[top].hasElse = due, true
		return s.labels[top].after
	case structIf:
		l := s.labels[top]
		s.labels = s.labels[:top]
		if l.hasElse {
			return max(due, l.orElse)
		}
		return max(due, l.after)
	case structLoop:
		s.m.patches[e.arg].arg = due + weightLoop
		s.labels = s.labels[:top]
		return 0
	case structBlock:
		s.labels = s.labels[:top]
	case branch:
		return s.labels[top-int(e.arg)].target
	case branchIf:
		return max(due, s.labels[top-int(e.arg)].target)
	case branchTable:
		return s.dearest(int(e.arg))
	case leave, trap:
		return 0
	}
	return due
}

// dearest returns the most that is due after any target of the br_table whose targets are at offset at.
func (s *scanner) dearest(at int) (due uint64) {
	r := reader{b: s.r.b, pos: at}
	top := len(s.labels) - 1
	for n := r.u32() + 1; n > 0; n-- {
		due = max(due, s.labels[top-int(r.u32())].target)
	}
	return due
}
