package meter

// ins is an instruction of the generated programs: i32 only, blocks without values.
type ins struct {
	op     byte
	imm    uint32
	labels []uint32 // of br_table, the default last
	end    int      // of block, loop, if: their end; of if also els, 0 without
	els    int
}

const opMemFill = 0x0b // behind prefixMisc

// vm runs generated programs one instruction at a time and adds up their weights: an account of the work that shares
// with the meter the table of weights and nothing else.
type vm struct {
	funcs  []genFunc
	memory []byte
	weight uint64
	steps  int
}

type genFunc struct {
	locals int // beside the two parameters
	code   []ins
}

// errSteps ends a program that runs too long.
type errSteps struct{}

// link finds the ends of blocks.
func link(code []ins) {
	var open []int
	for i := range code {
		switch c := &code[i]; c.op {
		case opBlock, opLoop, opIf:
			open = append(open, i)
		case opElse:
			code[open[len(open)-1]].els = i
		case opEnd:
			if len(open) == 0 {
				return // of the function
			}
			code[open[len(open)-1]].end = i
			open = open[:len(open)-1]
		}
	}
}

type vmBlock struct {
	start, end int
	loop       bool
}

func (v *vm) call(f int, a, b uint32) uint32 {
	fn := &v.funcs[f]
	r := &vmFrame{vm: v, code: fn.code, locals: make([]uint32, 2+fn.locals)}
	r.locals[0], r.locals[1] = a, b
	v.weight += weightEntry + uint64(len(r.locals))
	for r.pc < len(r.code) {
		if v.steps--; v.steps < 0 {
			panic(errSteps{})
		}
		r.step(&r.code[r.pc])
	}
	return r.pop()
}

type vmFrame struct {
	vm     *vm
	code   []ins
	pc     int
	locals []uint32
	stack  []uint32
	blocks []vmBlock
}

func (r *vmFrame) pop() uint32 {
	x := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	return x
}

func (r *vmFrame) push(x uint32) { r.stack = append(r.stack, x) }

func (r *vmFrame) step(c *ins) {
	at := r.pc
	r.pc++
	if c.op == prefixMisc {
		r.vm.weight += weightBulk
	} else {
		r.vm.weight += uint64(opTable[c.op].weight)
	}
	switch c.op {
	case opBlock, opLoop:
		r.blocks = append(r.blocks, vmBlock{at, c.end, c.op == opLoop})
		if c.op == opLoop {
			r.vm.weight += weightLoop
		}
	case opIf:
		r.blocks = append(r.blocks, vmBlock{at, c.end, false})
		if r.pop() == 0 {
			r.pc = c.end
			if c.els > 0 {
				r.pc = c.els + 1
			}
		}
	case opElse:
		r.pc = r.blocks[len(r.blocks)-1].end
	case opEnd:
		if len(r.blocks) > 0 {
			r.blocks = r.blocks[:len(r.blocks)-1]
		}
	case opBr:
		r.branch(c.imm)
	case 0x0d:
		if r.pop() != 0 {
			r.branch(c.imm)
		}
	case 0x0e:
		i := min(int(r.pop()), len(c.labels)-1)
		r.branch(c.labels[i])
	case opReturn:
		r.pc = len(r.code)
	default:
		r.compute(c)
	}
}

func (r *vmFrame) branch(label uint32) {
	i := len(r.blocks) - 1 - int(label)
	if i < 0 {
		r.pc = len(r.code)
		return
	}
	b := r.blocks[i]
	r.blocks, r.pc = r.blocks[:i], b.end+1
	if b.loop {
		r.pc = b.start
	}
}

func (r *vmFrame) compute(c *ins) {
	switch c.op {
	case opCall:
		b := r.pop()
		r.push(r.vm.call(int(c.imm), r.pop(), b))
	case opLocalGet:
		r.push(r.locals[c.imm])
	case opLocalSet:
		r.locals[c.imm] = r.pop()
	case opLocalTee:
		r.locals[c.imm] = r.stack[len(r.stack)-1]
	case opI32Const:
		r.push(c.imm)
	case 0x1a:
		r.pop()
	case 0x2d:
		r.push(uint32(r.vm.memory[r.pop()]))
	case 0x3a:
		x := r.pop()
		r.vm.memory[r.pop()] = byte(x)
	case prefixMisc:
		n, x := r.pop(), r.pop()
		at := r.pop()
		r.vm.weight += uint64(n / 8)
		for i := range n {
			r.vm.memory[at+i] = byte(x)
		}
	default:
		r.arithmetic(c.op)
	}
}

func (r *vmFrame) arithmetic(op byte) {
	b := r.pop()
	if op == 0x45 {
		r.push(truth(b == 0))
		return
	}
	a := r.pop()
	switch op {
	case 0x49:
		r.push(truth(a < b))
	case 0x6a:
		r.push(a + b)
	case 0x6b:
		r.push(a - b)
	case 0x6c:
		r.push(a * b)
	case 0x6e:
		r.push(a / b)
	case 0x71:
		r.push(a & b)
	case 0x72:
		r.push(a | b)
	case 0x73:
		r.push(a ^ b)
	}
}

func truth(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
