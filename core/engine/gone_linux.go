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
		gone = err == nil && (info.State == tcpClose || info.State == tcpCloseWait) || err != nil && hungUpUnix(fd)
	})
	return gone || err != nil
}

// hungUpUnix is hungUp for what is no TCP.
func hungUpUnix(fd uintptr) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds[:], 0)
	return n > 0 && err == nil && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP) != 0
}
