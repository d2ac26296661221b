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
	paced    bool   // HTTP/1 is spoken: writes take care of their deadline by themselves
	chosen   *tls.Certificate

	drained bool // the last read took all that there was
	clear   bool // crypto/tls holds no record that it has not given out
	records recordCount
}

// notYet is what a read that must not wait returns where there is nothing. That it is temporary tells crypto/tls to go on from
// where it is at the next read.
type notYet struct{}

func (notYet) Error() string   { return "nothing to read yet" }
func (notYet) Timeout() bool   { return true }
func (notYet) Temporary() bool { return true }

var errNotYet net.Error = notYet{}

// readNow reads what there is for over, the TLS connection on w, while w is held.
func (w *wire) readNow(over net.Conn, p []byte) (n int, again bool) {
	before := w.records.ended
	n, err := over.Read(p)
	if n == 0 && err == errNotYet {
		w.clear = true
		return 0, true
	}
	// One record went in and all of it came out.
	w.clear = w.clear && w.drained && n < len(p) && w.records.ended == before+1 && w.records.atEnd()
	return n, false
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if !w.out.held {
		w.clear = false
		n, err := w.Conn.Read(p)
		w.records.add(p[:n])
		return n, err
	}
	n, again, err := readNow(w.out.fd, p)
	w.drained = n < len(p)
	w.records.add(p[:n])
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
	if !w.paced {
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

// recordCount follows the records in what is read (RFC 8446, section 5.1).
type recordCount struct {
	head  [5]byte // of the current record, as far as have says
	have  int
	left  int // bytes of its content still to come
	ended int // how many records were whole
}

func (r *recordCount) add(p []byte) {
	for len(p) > 0 {
		if r.have < len(r.head) {
			n := copy(r.head[r.have:], p)
			r.have += n
			p = p[n:]
			if r.have < len(r.head) {
				return
			}
			r.left = int(r.head[3])<<8 | int(r.head[4])
		}
		n := min(r.left, len(p))
		r.left -= n
		p = p[n:]
		if r.left == 0 {
			r.have = 0
			r.ended++
		}
	}
}

// atEnd reports whether no record is under way.
func (r *recordCount) atEnd() bool { return r.have == 0 }
