package meter

// What compiling takes, in bytes of ordinary code, which are 0.6 to 0.9 µs of one core each: measured instruction by instruction.
// What cannot be told from the bytes is added to them. docs/RATIONALE.md has the numbers.
const (
	compileFunction = 8
	compileTrap     = 3 // an instruction that may trap: each has an exit of its own
	compileCall     = 2
	compileIndirect = 5
	compileBulk     = 20 // and the squares below: it has branches, and so has its charge

	localsPerByte   = 64
	joinsPerByte    = 4
	branchesPerByte = 300 // squares
	loopsPerByte    = 6   // squares

	branchesPerBulk = 3 // the engine's own and the charge's, which events do not know of
)

// compileCost returns what an instruction takes beyond its bytes.
func (o *op) compileCost() int {
	switch o.shape {
	case memArg, simdMem, simdMemLane, tableOp:
		return compileTrap
	case plain:
		if o.weight >= weightTrunc { // divisions and conversions, which check their operands
			return compileTrap
		}
	case call, refFunc:
		return compileCall
	case callIndirect:
		return compileIndirect
	case memGrow, memInit, memCopy, memFill, tableInit, tableCopy, tableGrow, tableFill:
		return compileBulk
	}
	return 0
}

// checkWork adds up what compiling the functions takes, and holds it to its limits. The engine makes a loop of each fill.
func (s *scanner) checkWork() {
	m := s.m
	loops := s.loops + s.fills
	branches := len(s.events) + branchesPerBulk*s.bulks
	loopWork, branchWork := loops*loops, branches*branches
	m.loopWork += loopWork
	m.branchWork += branchWork
	m.compileWork += compileFunction + s.b.code.to - s.b.locals.from + s.work + s.b.nlocals/localsPerByte + s.est.joins/joinsPerByte +
		branchWork/branchesPerByte + loopWork/loopsPerByte
	switch {
	case m.loopWork > m.lim.LoopWork:
		s.r.fail("too many loops in too few functions: their squares add up to more than %d", m.lim.LoopWork)
	case m.branchWork > m.lim.BranchWork:
		s.r.fail("too many blocks and branches in too few functions: their squares add up to more than %d", m.lim.BranchWork)
	case m.compileWork > m.lim.CompileWork:
		s.r.fail("compiling it would take longer than %d bytes of ordinary code do, which is the most allowed", m.lim.CompileWork)
	}
}
