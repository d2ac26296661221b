package engine

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"time"
)

// wire is what a TLS connection reads records from and writes them to. While the connection's goroutine is inside of the callback that
// reads, it does so without waiting, so that a request over TLS costs the system calls of one in plain.
type wire struct {
	net.Conn // the socket
	c        *conn
	out      sender // held as long as reading and writing are not to wait
	paced    bool   // writes take care of their deadline by themselves
	closing  bool   // writes do not wait
	drained  bool   // the last read took all that there was
	rests    bool   // what comes after a read that took all is left to the poller
	looked   bool   // the last read found nothing
	chosen   *tls.Certificate
}

// notYet is what a read that must not wait returns where there is nothing. That it is temporary tells crypto/tls to go on from
// where it is at the next read.
type notYet struct{}

func (notYet) Error() string   { return "nothing to read yet" }
func (notYet) Timeout() bool   { return true }
func (notYet) Temporary() bool { return true }

var errNotYet net.Error = notYet{}

// hold makes reads and writes use fd and not wait, until release.
func (w *wire) hold(fd uintptr, rests bool) {
	w.out.held, w.out.fd = true, fd
	w.drained, w.looked, w.rests = false, false, rests
}

func (w *wire) release() { w.out.held = false }

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if !w.out.held {
		return w.Conn.Read(p)
	}
	if w.drained && w.rests {
		return 0, errNotYet
	}
	n, again, err := readNow(w.out.fd, p)
	w.drained, w.looked = n < len(p), again
	switch {
	case again:
		return 0, errNotYet
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn. A deadline that passes while bytes still go out would spoil the TLS connection, so once it is paced it
// keeps to the body timeout itself.
func (w *wire) Write(p []byte) (int, error) {
	switch {
	case w.closing:
		return w.writeLast(p)
	case !w.paced:
		return w.Conn.Write(p)
	}
	rest := w.out.begin(p)
	if len(rest) == 0 {
		return len(p), nil
	}
	if err := w.out.wait(rest, time.Now(), w.c.options().BodyTimeout); err != nil {
		return 0, err
	}
	return len(p), nil
}

// writeLast writes as much as the socket takes: nobody waits for a client that has to be told of the end.
func (w *wire) writeLast(p []byte) (n int, err error) {
	if w.c.raw == nil {
		return w.Conn.Write(p)
	}
	err = w.c.raw.Control(func(fd uintptr) { n = writeNow(fd, p) })
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}
