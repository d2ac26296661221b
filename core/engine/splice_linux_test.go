package engine

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/nonblock"
)

// slowSocket is a socket whose every wait for room ends with its deadline, a little having gone out meanwhile.
type slowSocket struct {
	syscall.RawConn
	pipe *nonblock.Pipe
	peer net.Conn
	slow int // how many more times that is so
}

func (s *slowSocket) Write(f func(fd uintptr) bool) error {
	var done bool
	before := s.pipe.Held()
	for {
		if err := s.RawConn.Control(func(fd uintptr) { done = f(fd) }); err != nil || done {
			return err
		}
		if s.pipe.Held() < before {
			s.slow--
			return os.ErrDeadlineExceeded
		}
		if s.slow <= 0 {
			return os.ErrDeadlineExceeded
		}
		if _, err := io.CopyN(io.Discard, s.peer, 1<<10); err != nil {
			return err
		}
	}
}

// unixPair returns both ends of a connection on which room that one end makes is there for the other at once.
func unixPair(t *testing.T) (here *net.UnixConn, there net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	one, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	two, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { one.Close(); two.Close() })
	_ = two.SetDeadline(time.Now().Add(patience))
	return one.(*net.UnixConn), two
}

// TestSendPipeToASlowReader: it is given up when nothing moves, not while something does.
func TestSendPipeToASlowReader(t *testing.T) {
	here, there := unixPair(t)
	raw, err := here.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	from, source := tcpPair(t)
	go from.Write(make([]byte, 64<<20)) // ends with the test, which closes it
	sourceRaw, err := source.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var pipes nonblock.Pipes
	pipe, err := pipes.Open()
	if err != nil {
		t.Skip(err)
	}
	defer pipe.Close()
	slow := &slowSocket{RawConn: raw, pipe: pipe, peer: there, slow: 10}
	s := sender{nc: here}
	for err == nil {
		if err = sourceRaw.Read(func(fd uintptr) bool {
			_, failed := pipe.Fill(fd, 1<<20)
			return failed != syscall.EAGAIN
		}); err == nil {
			err = s.sendPipe(pipe, slow, time.Minute)
		}
	}
	if slow.slow > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("given up with %v, %d times too early", err, slow.slow)
	}
}
