package upstream

import (
	"io"
	"os"
	"syscall"

	"github.com/sallyport/sallyport/core/nonblock"
)

// spliceFrom is how much content must be left for it to be worth a pipe.
const spliceFrom = 64 << 10

// socketSource is a Source whose bytes can be had without reading them, since they lie in a socket as they are.
type socketSource interface {
	// CanPull reports whether Pull will do instead of Read, to the content's end.
	CanPull() bool
	// Pull waits for bytes and has take take them from the descriptor, at most so many; take answers EAGAIN when there are none. The
	// rest is as with Read.
	Pull(take func(fd uintptr, most int64) (int, error)) (int, error)
}

// splice sends the rest of the content from socket to socket, past our own memory; it reports false when that cannot be.
func (k *copier) splice() (bool, error) {
	if k.chunked || k.left < spliceFrom || len(k.held) > 0 {
		return false, nil
	}
	source, ok := k.source.(socketSource)
	holder, plain := k.c.Conn.(syscall.Conn)
	if !ok || !plain || !source.CanPull() {
		return false, nil
	}
	raw, err := holder.SyscallConn()
	if err != nil {
		return false, nil
	}
	pipe, err := k.c.home.pipes.Open()
	if err != nil {
		return false, nil
	}
	defer pipe.Close()
	for !k.finishing.Load() {
		if err := k.pull(source, pipe); err != nil {
			return true, err
		}
		if err := k.push(pipe, raw); err != nil {
			return true, err
		}
	}
	return true, nil
}

// pull fills the pipe. Of a failure to read it makes a bodyError.
func (k *copier) pull(source socketSource, pipe *nonblock.Pipe) error {
	n, err := source.Pull(pipe.Fill)
	k.received += int64(n)
	k.room -= int64(n)
	k.left -= int64(n)
	switch {
	case k.bounded && k.room < 0:
		return bodyError{tooLarge()}
	case err == io.EOF && k.left > 0:
		return bodyError{errShort}
	case err != nil && err != io.EOF:
		return bodyError{err}
	}
	k.finishing.Store(k.left <= 0)
	return nil
}

// push empties the pipe.
func (k *copier) push(pipe *nonblock.Pipe, raw syscall.RawConn) error {
	if err := k.bound(); err != nil {
		return err
	}
	var failed error
	err := raw.Write(func(fd uintptr) bool {
		failed = pipe.Drain(fd)
		return failed != syscall.EAGAIN
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("splice", failed)
}
