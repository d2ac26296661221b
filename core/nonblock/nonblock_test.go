//go:build unix

package nonblock

import (
	"bytes"
	"syscall"
	"testing"
)

func pair(t testing.TB) (a, b int) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if err := syscall.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Close(fd) }) // some tests close one themselves
	}
	return fds[0], fds[1]
}

func TestReadWrite(t *testing.T) {
	a, b := pair(t)
	buf := make([]byte, 16)
	if n, err := Read(uintptr(b), buf); n != 0 || err != syscall.EAGAIN {
		t.Errorf("nothing there: got %d, %v", n, err)
	}
	if n, err := Write(uintptr(a), []byte("hello")); n != 5 || err != nil {
		t.Errorf("write: got %d, %v", n, err)
	}
	if n, err := Read(uintptr(b), buf); err != nil || string(buf[:n]) != "hello" {
		t.Errorf("read: got %q, %v", buf[:n], err)
	}
	large := bytes.Repeat([]byte("x"), 8<<20)
	n, err := Write(uintptr(a), large)
	if n <= 0 || n >= len(large) || err != nil {
		t.Errorf("a full socket: got %d, %v", n, err)
	}
	if n, err := Write(uintptr(a), large); n != 0 || err != syscall.EAGAIN {
		t.Errorf("no room: got %d, %v", n, err)
	}
	if err := syscall.Close(b); err != nil {
		t.Fatal(err)
	}
	// A peer that is gone is an error, not a signal that ends the process.
	if _, err := Write(uintptr(a), large); err != syscall.EPIPE && err != syscall.ECONNRESET {
		t.Errorf("peer gone: got %v", err)
	}
}

func TestEnd(t *testing.T) {
	a, b := pair(t)
	if err := syscall.Close(a); err != nil {
		t.Fatal(err)
	}
	if n, err := Read(uintptr(b), make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("got %d, %v, want the end", n, err)
	}
	if _, err := Read(^uintptr(0), make([]byte, 1)); err != syscall.EBADF {
		t.Errorf("no socket: got %v", err)
	}
}

func TestNoAllocation(t *testing.T) {
	_, b := pair(t)
	buf := make([]byte, 16)
	if n := testing.AllocsPerRun(100, func() { _, _ = Read(uintptr(b), buf) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkInVain(b *testing.B) {
	_, fd := pair(b)
	buf := make([]byte, 16)
	b.Run("nonblock", func(b *testing.B) {
		for b.Loop() {
			_, _ = Read(uintptr(fd), buf)
		}
	})
	b.Run("syscall", func(b *testing.B) {
		for b.Loop() {
			_, _ = syscall.Read(fd, buf)
		}
	})
}
