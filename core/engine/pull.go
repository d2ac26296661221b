package engine

import (
	"io"
	"os"
	"syscall"
)

// CanPull reports whether the rest of the content can be taken off the socket as it is.
func (b *body) CanPull() bool {
	if b.chunked || b.left.Load() < spliceFrom {
		return false
	}
	b.raw = rawConn(b.c.nc) // nil for all but plain sockets
	return b.raw != nil
}

// Pull waits for content and has take take it from the socket's descriptor, at most so many bytes; take answers EAGAIN when there
// are none. The rest is as with Read. CanPull must have said yes.
func (b *body) Pull(take func(fd uintptr, most int64) (int, error)) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	b.reading.Store(true)
	defer b.reading.Store(false)
	return b.note(b.pull(take))
}

func (b *body) pull(take func(fd uintptr, most int64) (int, error)) (n int, err error) {
	if b.expect.Load() {
		if err := b.demand(); err != nil {
			return 0, err
		}
	}
	if err := b.ready(); err != nil {
		return 0, err
	}
	var failed error
	err = b.raw.Read(func(fd uintptr) bool {
		n, failed = take(fd, b.left.Load())
		return failed != syscall.EAGAIN
	})
	switch {
	case err == nil && failed != nil:
		n, err = 0, os.NewSyscallError("splice", failed)
	case err == nil && n == 0:
		err = io.EOF
	case err != nil:
		n = 0
	}
	return b.came(b.explain(n, err))
}
