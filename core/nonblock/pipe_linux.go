package nonblock

import (
	"os"

	"golang.org/x/sys/unix"
)

// Pipe moves bytes from one socket to another without bringing them into the process's memory. It is used by one goroutine.
type Pipe struct {
	from    *Pipes
	in, out int
	held    int
}

func openPipe() (*Pipe, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	p := &Pipe{in: ends[1], out: ends[0]}
	if _, err := unix.FcntlInt(uintptr(p.in), unix.F_SETPIPE_SZ, pipeSize); err != nil {
		p.close() // the user has had his share, and what pipes he still gets are tiny
		return nil, os.NewSyscallError("fcntl", err)
	}
	return p, nil
}

func (p *Pipe) close() {
	_ = unix.Close(p.in) // nobody else knows them, and what is lost is lost
	_ = unix.Close(p.out)
}

// Held returns how many bytes are in the pipe.
func (p *Pipe) Held() int { return p.held }

// Fill takes up to most bytes that a socket has. It returns 0 and no error at the end, and EAGAIN when there is nothing yet.
// The pipe must be empty.
func (p *Pipe) Fill(fd uintptr, most int64) (int, error) {
	n, err := splice(int(fd), p.in, int(min(most, pipeSize)))
	p.held = n
	return n, err
}

// Drain gives a socket what is in the pipe. It returns EAGAIN when that does not take more for now.
func (p *Pipe) Drain(fd uintptr) error {
	for p.held > 0 {
		n, err := splice(p.out, int(fd), p.held)
		if err != nil {
			return err
		}
		p.held -= n
	}
	return nil
}

func splice(from, to, most int) (int, error) {
	for {
		n, err := unix.Splice(from, nil, to, nil, most, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch err {
		case nil:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, err
		}
	}
}
