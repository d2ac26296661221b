//go:build !linux

package nonblock

import "errors"

// Pipe is what only Linux can move bytes between sockets with.
type Pipe struct {
	from *Pipes
}

func openPipe() (*Pipe, error) { return nil, errors.ErrUnsupported }

func (*Pipe) close() {}

// Held returns 0.
func (*Pipe) Held() int { return 0 }

// Fill fails.
func (*Pipe) Fill(uintptr, int64) (int, error) { return 0, errors.ErrUnsupported }

// Drain fails.
func (*Pipe) Drain(uintptr) error { return errors.ErrUnsupported }
