//go:build unix

package gatewaytest

import (
	"syscall"
	"testing"
)

// mayOpen raises how many files this process may open as far as it is allowed, until the test's end, and returns how many that are.
func mayOpen(t testing.TB) int {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	raised := before
	raised.Cur = raised.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before) })
	return int(min(raised.Cur, 1<<20))
}
