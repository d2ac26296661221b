//go:build unix && (!linux || race)

// Package nonblock reads and writes sockets that never block. Under the race detector, which takes system calls for
// the order they make between goroutines, these are the usual calls.
package nonblock

import "syscall"

// Read reads what is there. It returns 0 and no error at the end, and EAGAIN when there is nothing yet.
func Read(fd uintptr, p []byte) (int, error) {
	return call(syscall.Read, fd, p)
}

// Write writes what the socket takes, which may be less than p, and returns EAGAIN when it takes nothing.
func Write(fd uintptr, p []byte) (int, error) {
	return call(syscall.Write, fd, p)
}

func call(do func(int, []byte) (int, error), fd uintptr, p []byte) (int, error) {
	for {
		n, err := do(int(fd), p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
