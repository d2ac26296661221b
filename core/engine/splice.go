package engine

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
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

// splice sends the left bytes of source from socket to socket, past our own memory; it reports false when that cannot be.
func (a *answer) splice(source exchange.Source, left int64) (bool, *fault.Fault) {
	s, ok := source.(socketSource)
	if !ok || left < spliceFrom || a.framing.Chunked {
		return false, nil
	}
	raw := rawConn(a.c.nc) // nil for all but plain sockets
	if raw == nil || !s.CanPull() {
		return false, nil
	}
	pipe, err := a.c.engine.pipes.Open()
	if err != nil {
		return false, nil
	}
	defer pipe.Close()
	for left > 0 {
		n, err := s.Pull(pipe.Fill)
		if n > 0 {
			if err := a.c.out.sendPipe(pipe, raw, a.c.options().BodyTimeout); err != nil {
				return true, fault.Wrap(fault.ClientGone, fault.Client, err)
			}
			a.x.Sent += int64(n)
			left -= int64(n)
		}
		switch {
		case err == io.EOF && left > 0:
			return true, fault.Wrap(fault.BadGateway, fault.Upstream, errTooLittle)
		case err != nil && err != io.EOF:
			return true, asUpstream(err)
		}
	}
	return true, nil
}

// sendPipe sends what is in the pipe, as send does bytes.
func (s *sender) sendPipe(pipe *nonblock.Pipe, raw syscall.RawConn, timeout time.Duration) error {
	for before := pipe.Held(); ; before = pipe.Held() {
		s.extend(time.Now(), timeout)
		var failed error
		err := raw.Write(func(fd uintptr) bool {
			failed = pipe.Drain(fd)
			return failed != syscall.EAGAIN
		})
		switch {
		case err == nil:
			return os.NewSyscallError("splice", failed)
		case pipe.Held() == before || !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
		s.until = time.Time{} // slow, but it moves
	}
}
