package meter

// A tight loop is a short one with no call and no loop in it. What it has of fuel is in a local, which the engine keeps
// in a register, and is written to FuelGlobal when the loop is left or the fuel is spent: a write on every turn would
// take as long as the turn. A trap in it leaves the global as it was at the loop's start, at most a slice too high.

// tightBytes is how long the code of a tight loop may be. In a longer one there is enough to do beside the write, and
// one more register in use is felt.
const tightBytes = 64

// noLoop is the scanner's loop when no open one may be tight.
const noLoop = -1

// closeTight marks the innermost loop, which ends at offset at, if it is a tight one.
func (s *scanner) closeTight(at int) {
	if s.loop != len(s.ctrl)-1 {
		return
	}
	if head := &s.m.patches[s.ctrl[s.loop].head]; at-int(head.to) <= tightBytes {
		head.kind, s.b.tight = patchTight, true
	}
	s.loop = noLoop
}

// leavesTight reports whether a branch to label l leaves what may be a tight loop.
func (s *scanner) leavesTight(l int) bool { return s.loop != noLoop && len(s.ctrl)-1-l < s.loop }

// flush has the fuel written at offset at, in front of what leaves a tight loop.
func (s *scanner) flush(at int) {
	if s.loop != noLoop {
		s.patch(patchFlush, at, at, uint64(s.ctrl[s.loop].head))
	}
}

// tightHead begins a tight loop as loopHead does any other.
func (e *emitter) tightHead(c []byte, b *body, p patch) []byte {
	c = appendU32(append(c, opGlobalGet), e.fuel)
	c = appendU32(append(c, opLocalSet), b.fuel())
	c = e.loopBlocks(c, p)
	c = appendU32(append(c, opLocalGet), b.fuel())
	c = append(appendSigned(append(c, opI64Const), int64(p.arg)), opI64Sub)
	c = appendU32(append(c, opLocalTee), b.fuel())
	return e.loopBody(c, p)
}

// tightEnd ends it as loopEnd does.
func (e *emitter) tightEnd(c []byte, b *body, cost uint64) []byte {
	c = append(e.tightFlush(append(c, opEnd), b), opBr, 2, opEnd)
	c = e.tightFlush(c, b)
	c = appendU32(append(c, opCall), e.refill)
	c = appendU32(append(c, opGlobalGet), e.fuel)
	c = append(appendSigned(append(c, opI64Const), int64(cost)), opI64Add)
	c = appendU32(append(c, opLocalSet), b.fuel())
	return append(c, opBr, 0, opEnd, opEnd)
}

func (e *emitter) tightFlush(c []byte, b *body) []byte {
	c = appendU32(append(c, opLocalGet), b.fuel())
	return appendU32(append(c, opGlobalSet), e.fuel)
}
