package admin

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const unixPrefix = "unix:"

func listen(address string) (net.Listener, error) {
	if path, isUnix := strings.CutPrefix(address, unixPrefix); isUnix {
		return listenUnix(path)
	}
	return net.Listen("tcp", address)
}

// listenUnix makes a socket that only its owner can open. It is made in a folder of its own and moved, so that there is no moment at which
// others could; what is left of a gateway that has ended is replaced.
func listenUnix(path string) (net.Listener, error) {
	switch info, err := os.Lstat(path); {
	case err == nil && info.Mode()&os.ModeSocket == 0:
		return nil, fmt.Errorf("%s is there already and is no socket", path)
	case err == nil && isServed(path):
		return nil, fmt.Errorf("%s is in use", path)
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".a")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	made := filepath.Join(folder, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // its name is another one by then
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &unixListener{l, path}, nil
}

func isServed(path string) bool {
	c, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// unixListener removes its socket when it is closed.
type unixListener struct {
	net.Listener
	path string
}

func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *unixListener) Close() error {
	err := l.Listener.Close()
	_ = os.Remove(l.path) // it may be gone already
	return err
}

// door lets in so many connections at once, and has them speak TLS if that is wanted now.
type door struct {
	net.Listener
	access *atomic.Pointer[Access]
	room   chan struct{}
}

// Accept is part of net.Listener.
func (d *door) Accept() (net.Conn, error) {
	d.room <- struct{}{}
	c, err := d.Listener.Accept()
	if err != nil {
		<-d.room
		return nil, err
	}
	c = &guest{Conn: c, leave: sync.OnceFunc(func() { <-d.room })}
	if secure := d.access.Load().tls; secure != nil {
		c = tls.Server(c, secure)
	}
	return c, nil
}

// guest is a connection that makes room when it is closed.
type guest struct {
	net.Conn
	leave func()
}

func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}
