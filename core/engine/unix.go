package engine

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// socketMode lets a socket's owner and group connect: its file is the gate.
const socketMode = 0o660

// unixListener removes its socket file when it closes, unless another has taken the file's place.
type unixListener struct {
	*net.UnixListener
	path string
	own  fs.FileInfo
}

// bindUnix listens at path. A socket file that nobody listens at any more is removed first.
func bindUnix(path string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(path, socketMode)
	own, statErr := os.Stat(path)
	if err = errors.Join(err, statErr); err != nil {
		_ = l.Close() // the first error is the one of interest
		_ = os.Remove(path)
		return nil, err
	}
	return &unixListener{l, path, own}, nil
}

// removeStale removes what a gateway that was killed has left. Whatever else is there stays, and binding will say so.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return nil
	}
	nc, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		_ = nc.Close() // it was only to see whether anybody listens
		return &net.OpError{Op: "listen", Net: "unix", Addr: &net.UnixAddr{Name: path, Net: "unix"}, Err: syscall.EADDRINUSE}
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return os.Remove(path)
}

// Close stops listening.
func (l *unixListener) Close() error {
	if now, err := os.Stat(l.path); err == nil && os.SameFile(now, l.own) {
		_ = os.Remove(l.path) // what cannot be removed is taken for stale by the next to bind
	}
	return l.UnixListener.Close()
}
