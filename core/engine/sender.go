package engine

import (
	"errors"
	"net"
	"os"
	"time"
)

// sender writes to a connection, and gives up when that makes no progress for a time.
type sender struct {
	nc    net.Conn
	until time.Time // the write deadline
	// held is set while the connection's descriptor is fd and cannot be closed: then most writes need no more than the system call.
	held bool
	fd   uintptr
	// paced says that nc keeps to the time-out by itself.
	paced bool
}

// send writes p whole; now is about now. The deadline is renewed when a tenth of it has passed, since setting it costs more than most
// answers need it.
func (s *sender) send(p []byte, now time.Time, timeout time.Duration) error {
	if s.paced {
		_, err := s.nc.Write(p)
		return err
	}
	if p = s.begin(p); len(p) == 0 {
		return nil
	}
	return s.wait(p, now, timeout)
}

// begin writes what goes out without waiting, and returns the rest.
func (s *sender) begin(p []byte) []byte {
	if s.held {
		p = p[writeNow(s.fd, p):]
	}
	return p
}

func (s *sender) wait(p []byte, now time.Time, timeout time.Duration) error {
	for {
		s.extend(now, timeout)
		n, err := s.nc.Write(p)
		if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		p, now, s.until = p[n:], time.Now(), time.Time{} // slow, but it moves
	}
}

// extend sees to it that the write deadline is about timeout away.
func (s *sender) extend(now time.Time, timeout time.Duration) {
	if left := s.until.Sub(now); left < timeout-timeout/10 || left > timeout {
		s.until = now.Add(timeout)
		_ = s.nc.SetWriteDeadline(s.until) // fails on closed connections only, which the next write tells
	}
}
