package upstream

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// CanPull reports whether the rest of the content can be taken off the socket as it is.
func (a *answer) CanPull() bool {
	holder, plain := a.c.Conn.(syscall.Conn)
	if !plain || a.kind != byLength || a.done {
		return false
	}
	var err error
	a.raw, err = holder.SyscallConn()
	return err == nil
}

// Pull waits for content and has take take it from the socket's descriptor, at most so many bytes; take answers EAGAIN when there
// are none. The rest is as with Read. CanPull must have said yes.
func (a *answer) Pull(take func(fd uintptr, most int64) (int, error)) (int, error) {
	if a.done {
		return 0, io.EOF
	}
	a.started = true
	return a.came(a.pull(take))
}

func (a *answer) pull(take func(fd uintptr, most int64) (int, error)) (n int, err error) {
	var s lull
	for {
		var failed error
		err = a.raw.Read(func(fd uintptr) bool {
			n, failed = take(fd, a.left)
			return failed != syscall.EAGAIN
		})
		switch {
		case err == nil && failed != nil:
			return 0, os.NewSyscallError("splice", failed)
		case err == nil && n == 0:
			return 0, io.EOF
		case err == nil:
			return n, nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return 0, err
		}
		if err := a.c.endure(&s); err != nil {
			return 0, err
		}
	}
}
