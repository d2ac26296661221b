package nonblock

import (
	"errors"
	"sync/atomic"
)

// maxPipes is how many Pipes one Pipes lends at once: what the kernel lets a user without rights have at pipeSize each. Beyond it
// thousands of slow peers would hold more of the kernel's memory, and of the process's descriptors, than a copy of their bytes does.
const maxPipes = 256

// pipeSize is the most that one move takes. With the kernel's own 64 KiB a GiB costs half as much again.
const pipeSize = 256 << 10

var errNoPipe = errors.New("no pipe is left")

// Pipes lends pipes up to a number. The zero value is ready; it may be used by many goroutines.
type Pipes struct {
	lent atomic.Int64
}

// Open returns a Pipe, to be closed by the caller. It fails when there is none to be had: then bytes have to be copied.
func (p *Pipes) Open() (*Pipe, error) {
	if p.lent.Add(1) > maxPipes {
		p.lent.Add(-1)
		return nil, errNoPipe
	}
	one, err := openPipe()
	if err != nil {
		p.lent.Add(-1)
		return nil, err
	}
	one.from = p
	return one, nil
}

// Close gives the Pipe back, with what may be in it.
func (p *Pipe) Close() {
	p.close()
	p.from.lent.Add(-1)
}
