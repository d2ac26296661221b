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
	e.fn = e.charge(e.fn, b.entry)
	if b.recursive {
		e.fn = e.enter(e.fn, b.frame)
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
		e.fn = append(e.giveBack(e.fn, b.frame), opEnd)
	}
}

func (e *emitter) locals(b *body) {
	groups := uint32(b.groups)
	if b.scratch {
		groups++
	}
	e.fn = append(appendU32(e.fn, groups), e.m.wasm[b.locals.from:b.locals.to]...)
	if b.scratch {
		e.fn = append(e.fn, 1, typeI32)
	}
}

func (e *emitter) patched(c []byte, b *body, p patch) []byte {
	switch p.kind {
	case patchFunc:
		return appendU32(c, uint32(p.arg))
	case patchReturn:
		return appendU32(append(c, opBr), uint32(p.arg))
	case patchCharge:
		return e.charge(c, p.arg)
	}
	return e.chargeLength(c, uint32(b.nlocals), p)
}

// charge lowers the fuel by a constant.
func (e *emitter) charge(c []byte, cost uint64) []byte {
	c = appendU32(append(c, opGlobalGet), e.fuel)
	c = appendSigned(append(c, opI64Const), int64(cost))
	return e.charged(c)
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
func (e *emitter) enter(c []byte, frame uint32) []byte {
	c = e.moveDepth(c, frame, opI32Sub)
	c = appendU32(append(c, opGlobalGet), e.depth)
	return append(c, opI32Const, 0, opI32LtS, opIf, blockEmpty, opUnreachable, opEnd)
}

func (e *emitter) giveBack(c []byte, frame uint32) []byte { return e.moveDepth(c, frame, opI32Add) }

func (e *emitter) moveDepth(c []byte, frame uint32, op byte) []byte {
	c = appendU32(append(c, opGlobalGet), e.depth)
	c = append(appendSigned(append(c, opI32Const), int64(frame)), op)
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
