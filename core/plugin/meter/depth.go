package meter

import "sort"

// frameEstimate guesses how many bytes of stack the compiler gives a function. It keeps a slot for every value that
// lives across a call and shares none, so the frame grows with the code, not with the height of the operand stack.
type frameEstimate struct {
	height int  // operands now
	low    int  // fewest operands since the last call
	slots  int  // operands that live across a call, or lie too deep for registers, and values that meet in a block
	sets   int  // assignments to locals
	joins  int  // pairs of a block and a local that is assigned to in it
	wide   bool // vectors: slots of 16 bytes
}

const (
	registers = 8  // operands that registers hold without doubt
	frameBase = 80 // return address, saved registers, alignment
	slotBytes = 8

	// One in so many ends in a slot of its own, in code that compilers make.
	setsPerSlot  = 4
	joinsPerSlot = 4
)

func (f *frameEstimate) pop(n, base int) {
	f.height = max(f.height-n, base)
	f.low = min(f.low, f.height)
}

func (f *frameEstimate) push(n int) {
	f.height += n
	if f.height > registers {
		f.slots += n
	}
}

func (f *frameEstimate) reset(height int) {
	f.height = height
	f.low = min(f.low, height)
}

// assigned accounts for an assignment to a local: a value, and one more where each of the open blocks ends or repeats
// that has not seen one to this local yet.
func (s *scanner) assigned(local uint32) {
	s.est.sets++
	last := s.lastSet[local]
	s.lastSet[local] = s.opened
	open := s.ctrl[1:]
	s.est.joins += len(open) - sort.Search(len(open), func(i int) bool { return open[i].opened > last })
}

func (f *frameEstimate) joined(values int) { f.slots += values }

// called accounts for a call: operands pushed since the call before, and still there, must survive it.
func (f *frameEstimate) called(params, results, base int) {
	f.pop(params, base)
	f.slots += f.height - f.low
	f.low = f.height
	f.push(results)
}

func (f *frameEstimate) bytes(locals int) uint32 {
	slots := locals + f.slots + f.sets/setsPerSlot + f.joins/joinsPerSlot
	if f.wide {
		slots *= 2
	}
	return uint32(min(frameBase+slots*slotBytes, maxStackBytes))
}
