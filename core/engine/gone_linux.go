package engine

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// States of a TCP connection that the kernel tells, from <netinet/tcp.h>.
const (
	tcpClose     = 7
	tcpCloseWait = 8
)

// hungUp reports whether the other end has closed the connection, or its own half of it.
func hungUp(raw syscall.RawConn) bool {
	gone := false
	err := raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		gone = err == nil && (info.State == tcpClose || info.State == tcpCloseWait)
	})
	return gone || err != nil
}
