//go:build !linux

package engine

import "syscall"

// hungUp reports false: without a system's help only a read or write tells.
func hungUp(syscall.RawConn) bool { return false }
