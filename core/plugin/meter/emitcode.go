package meter

func (e *emitter) code() {
	if len(e.m.bodies) == 0 {
		return
	}
	e.buf = appendU32(e.buf, uint32(len(e.m.bodies)))
	for i := range e.m.bodies {
		e.function(&e.m.bodies[i])
		e.buf = append(appendU32(e.buf, uint32(len(e.fn))), e.fn...)
	}
}

// function writes one body: charge, and for a function that can recurse, the frame taken, the code in a block of the
// function's results, the frame given back. The block has the label that was the function's, so no branch changes.
func (e *emitter) function(b *body) {
	e.fn = e.fn[:0]
	e.locals(b)
	if b.entry > e.ahead {
		e.fn = e.charge(e.fn, b.entry-e.ahead)
	}
	if b.recursive {
		e.fn = e.enter(e.fn, b)
		e.fn = e.blockType(append(e.fn, opBlock), b)
	}
	at := b.code.from
	for _, p := range e.m.patches[b.patches.from:b.patches.to] {
		if p.kind == patchReturn && !b.recursive {
			continue
		}
		e.fn = append(e.fn, e.m.wasm[at:p.from]...)
		e.fn = e.patched(e.fn, b, p)
		at = int(p.to)
	}
	e.fn = append(e.fn, e.m.wasm[at:b.code.to]...)
	if b.recursive {
		e.fn = append(e.giveBack(e.fn, b), opReturn, opEnd, opUnreachable, opEnd)
	}
}

func (e *emitter) locals(b *body) {
	groups := uint32(b.groups)
	ints := b.fuel() - uint32(b.nlocals)
	if ints > 0 {
		groups++
	}
	if b.tight {
		groups++
	}
	e.fn = append(appendU32(e.fn, groups), e.m.wasm[b.locals.from:b.locals.to]...)
	if ints > 0 {
		e.fn = append(e.fn, byte(ints), typeI32)
	}
	if b.tight {
		e.fn = append(e.fn, 1, typeI64)
	}
}

// The locals appended: one for lengths, one that keeps what DepthGlobal was on entry, one for the fuel of tight loops.
func (b *body) lengths() uint32 { return uint32(b.nlocals) }

func (b *body) saved() uint32 {
	if b.scratch {
		return b.lengths() + 1
	}
	return b.lengths()
}

func (b *body) fuel() uint32 {
	if b.recursive {
		return b.saved() + 1
	}
	return b.saved()
}

func (e *emitter) patched(c []byte, b *body, p patch) []byte {
	switch p.kind {
	case patchFunc:
		return appendU32(c, uint32(p.arg))
	case patchReturn:
		return appendU32(append(c, opBr), uint32(p.arg))
	case patchLabel:
		return appendU32(c, uint32(p.arg))
	case patchLoop:
		return e.loopHead(c, p)
	case patchTight:
		return e.tightHead(c, b, p)
	case patchLoopEnd:
		head := &e.m.patches[p.arg]
		if head.kind == patchTight {
			return e.tightEnd(c, b, head.arg)
		}
		return e.loopEnd(c, head.arg)
	case patchFlush:
		if e.m.patches[p.arg].kind == patchTight {
			return e.tightFlush(c, b)
		}
		return c
	case patchCharge:
		return e.charge(c, p.arg)
	}
	return e.chargeLength(c, b.lengths(), p)
}

// charge lowers the fuel by a constant.
func (e *emitter) charge(c []byte, cost uint64) []byte {
	c = appendU32(append(c, opGlobalGet), e.fuel)
	c = appendSigned(append(c, opI64Const), int64(cost))
	return e.charged(c)
}

// take lowers the fuel by a constant and leaves what there is then on the stack.
func (e *emitter) take(c []byte, cost uint64) []byte {
	c = appendU32(append(c, opGlobalGet), e.fuel)
	c = append(appendSigned(append(c, opI64Const), int64(cost)), opI64Sub)
	c = appendU32(append(c, opGlobalSet), e.fuel)
	return appendU32(append(c, opGlobalGet), e.fuel)
}

// charged ends a charge: the fuel and what to take from it are on the stack.
func (e *emitter) charged(c []byte) []byte {
	c = append(c, opI64Sub)
	c = appendU32(append(c, opGlobalSet), e.fuel)
	c = appendU32(append(c, opGlobalGet), e.fuel)
	c = append(c, opI64Const, 0, opI64LtS, opIf, blockEmpty)
	c = appendU32(append(c, opCall), e.refill)
	return append(c, opEnd)
}

// loopHead writes the head of a loop, which ends as loopEnd writes:
//
//	block B; loop B; block; charge; br_if 0; block B; ... end; br 2; end; refill and pay again; br 0; end; end
//
// The innermost block costs nothing. It has the engine find out whether the loop leaves what it should, as the br takes no offence at more.
//
// The refill is where the engine puts it behind the loop, and goes back to the head. An if around it would be on the
// way of every turn, and what the engine knows in front of it (values in registers, the memory's base) would be lost
// behind it.
func (e *emitter) loopHead(c []byte, p patch) []byte {
	c = e.take(e.loopBlocks(c, p), p.arg)
	return e.loopBody(c, p)
}

// loopBody goes to the refill if the fuel on the stack is spent, and else begins what was the loop's code.
func (e *emitter) loopBody(c []byte, p patch) []byte {
	c = append(c, opI64Const, 0, opI64LtS, opBrIf, 0, opBlock)
	return append(c, e.m.wasm[p.from+1:p.to]...)
}

func (e *emitter) loopBlocks(c []byte, p patch) []byte {
	typ := e.m.wasm[p.from+1 : p.to]
	c = append(append(c, opBlock), typ...)
	c = append(append(c, opLoop), typ...)
	return append(c, opBlock, blockEmpty)
}

// loopEnd gives back what the head will take again, after the refill: it leaves the fuel at zero or more, so the head
// finds enough.
func (e *emitter) loopEnd(c []byte, cost uint64) []byte {
	c = append(c, opEnd, opBr, 2, opEnd)
	c = appendU32(append(c, opCall), e.refill)
	c = appendU32(append(c, opGlobalGet), e.fuel)
	c = append(appendSigned(append(c, opI64Const), int64(cost)), opI64Add)
	c = appendU32(append(c, opGlobalSet), e.fuel)
	return append(c, opBr, 0, opEnd, opEnd)
}

// chargeLength lowers the fuel by the length that lies on top of the stack, and leaves it there. The length is 32 bits
// unsigned and is widened first, so nothing wraps.
func (e *emitter) chargeLength(c []byte, scratch uint32, p patch) []byte {
	c = appendU32(append(c, opLocalTee), scratch)
	c = appendU32(append(c, opGlobalGet), e.fuel)
	c = appendU32(append(c, opLocalGet), scratch)
	switch p.kind {
	case patchPages:
		c = granted(c, scratch, e.m.memory.max)
	case patchGrow:
		c = granted(c, scratch, uint32(p.arg))
	}
	c = append(c, opI64ExtendI32)
	switch p.kind {
	case patchBytes:
		c = append(c, opI64Const, bytesPerUnitLog, opI64ShrU)
	case patchPages:
		c = append(appendSigned(append(c, opI64Const), unitsPerPage), opI64Mul)
	default:
		c = append(appendSigned(append(c, opI64Const), unitsPerEntry), opI64Mul)
	}
	return e.charged(c)
}

// granted replaces a growth on the stack by 0 if it is more than the maximum: it fails, and allocates nothing.
func granted(c []byte, scratch, most uint32) []byte {
	c = append(c, opI32Const, 0)
	c = appendU32(append(c, opLocalGet), scratch)
	c = appendSigned(append(c, opI32Const), int64(int32(most)))
	return append(c, opI32LeU, opSelect)
}

// enter takes a frame from the stack that is left, and traps if there is too little. The counter stays negative then,
// which tells the host why.
func (e *emitter) enter(c []byte, b *body) []byte {
	c = append(c, opBlock, blockEmpty)
	c = appendU32(append(c, opGlobalGet), e.depth)
	c = appendU32(append(c, opLocalTee), b.saved())
	c = append(appendSigned(append(c, opI32Const), int64(b.frame)), opI32Sub)
	c = appendU32(append(c, opGlobalSet), e.depth)
	c = appendU32(append(c, opGlobalGet), e.depth)
	return append(c, opI32Const, 0, opI32LtS, opBrIf, 0)
}

// giveBack only writes: to read the counter and add to it would wait for what the calls before have written.
func (e *emitter) giveBack(c []byte, b *body) []byte {
	c = appendU32(append(c, opLocalGet), b.saved())
	return appendU32(append(c, opGlobalSet), e.depth)
}

func (e *emitter) blockType(c []byte, b *body) []byte {
	results := e.m.types[b.typ].results
	switch len(results) {
	case 0:
		return append(c, blockEmpty)
	case 1:
		return append(c, results[0])
	}
	return appendSigned(c, int64(e.blocks[string(results)]))
}
