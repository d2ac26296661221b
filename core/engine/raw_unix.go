//go:build unix

package engine

import (
	"net"
	"syscall"

	"github.com/sallyport/sallyport/core/nonblock"
)

// rawConn returns what reads nc without waiting, or nil where that cannot be had.
func rawConn(nc net.Conn) syscall.RawConn {
	var raw syscall.RawConn
	var err error
	switch nc := nc.(type) {
	case *net.TCPConn:
		raw, err = nc.SyscallConn()
	case *net.UnixConn:
		raw, err = nc.SyscallConn()
	}
	if err != nil {
		return nil
	}
	return raw
}

// readNow reads what is there; again says that there is nothing yet. The end is 0 bytes.
func readNow(fd uintptr, p []byte) (n int, again bool, err error) {
	n, err = nonblock.Read(fd, p)
	if err == syscall.EAGAIN {
		return 0, true, nil
	}
	return n, false, err
}

// writeNow writes what the socket takes; an error shows again when the rest is written.
func writeNow(fd uintptr, p []byte) (n int) {
	n, _ = nonblock.Write(fd, p)
	return n
}
