//go:build !unix

package engine

import (
	"net"
	"syscall"
)

// rawConn returns nil: connections are read by waiting.
func rawConn(net.Conn) syscall.RawConn { return nil }

// readNow is never called, there being no rawConn.
func readNow(uintptr, []byte) (n int, again bool, err error) { return 0, false, nil }

// writeNow is never called, there being no rawConn.
func writeNow(uintptr, []byte) (n int) { return 0 }
