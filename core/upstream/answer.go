package upstream

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

// bodyKind is how the end of a response's content shows.
type bodyKind uint8

const (
	byLength bodyKind = iota
	byChunks
	untilClose
)

// answer is the Source of a response's content. Its Close ends the exchange's stay on the connection.
type answer struct {
	c       *conn
	kind    bodyKind
	left    int64           // bytes to come, byLength
	raw     syscall.RawConn // set by CanPull
	chunks  http1.Dechunker
	started bool // bytes were read after the head
	done    bool // the content has come to its end
	ends    bool // the connection cannot be used after this answer
}

func (a *answer) reset() {
	a.chunks.Reset()
	a.kind, a.left, a.raw, a.started, a.done, a.ends = byLength, 0, nil, false, false, false
}

// Read brings more content. An upstream that ends too early is a fault, never an end.
func (a *answer) Read(p []byte) (int, error) {
	switch {
	case a.done:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	a.started = true
	switch a.kind {
	case byChunks:
		return a.readChunks(p)
	case untilClose:
		return a.readToClose(p)
	}
	return a.came(a.c.read(p[:min(int64(len(p)), a.left)]))
}

// came takes n bytes of content with a known length into account.
func (a *answer) came(n int, err error) (int, error) {
	a.left -= int64(n)
	a.done = a.left == 0
	switch {
	case a.done:
		return n, io.EOF
	case err != nil:
		return n, a.broken(err)
	}
	return n, nil
}

// readChunks decodes within p, until there is content or the end.
func (a *answer) readChunks(p []byte) (int, error) {
	for {
		n, err := a.c.read(p)
		if n == 0 && err != nil {
			return 0, a.broken(err)
		}
		written, err := a.decode(p[:n])
		switch {
		case err != nil:
			return written, a.broken(err)
		case a.done:
			return written, io.EOF
		case written > 0:
			return written, nil
		}
	}
}

// decode takes bytes off the wire and leaves their content at the front of p.
func (a *answer) decode(p []byte) (int, error) {
	written, consumed, done, err := a.chunks.Decode(p, p, &a.c.x.Resp.Trailers)
	a.done = done
	a.ends = a.ends || consumed < len(p)
	return written, err
}

func (a *answer) readToClose(p []byte) (int, error) {
	n, err := a.c.read(p)
	switch {
	case err == io.EOF:
		a.done = true
		return n, io.EOF
	case err != nil:
		return n, a.broken(err)
	}
	return n, nil
}

// broken makes a fault of what ended the content too early.
func (a *answer) broken(err error) error {
	a.ends = true
	copier := a.c.copier
	switch {
	case errors.Is(err, errGone):
		return fault.Wrap(fault.ClientGone, fault.Client, err)
	case errors.Is(err, errLate):
		return &fault.Fault{Kind: fault.GatewayTimeout, Side: fault.Upstream, Code: fault.TimeOver, Reason: "upstream did not end its answer in time", Err: err}
	case errors.Is(err, errSlow):
		return &fault.Fault{Kind: fault.GatewayTimeout, Side: fault.Upstream, Code: fault.StreamIdle, Reason: "upstream's content took too long", Err: err}
	case errors.Is(err, net.ErrClosed) && copier != nil:
		<-copier.done // it has closed the connection, and is ending
		if copier.fault != nil {
			return copier.fault
		}
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return fault.Wrap(fault.BadGateway, fault.Upstream, err)
}

// Close gives the connection back if it can carry another exchange, and closes it otherwise. It is called once.
func (a *answer) Close() error {
	c := a.c
	sent := a.done && c.settle()
	reusable := sent && !a.ends && a.kind != untilClose
	ended := c.x.Times.Answered
	if a.started || c.copier != nil {
		ended = c.x.Times.Now()
	}
	if !reusable {
		c.giveUp()
	}
	c.leave()
	e := c.endpoint
	if reusable {
		e.idle.put(c, ended)
	}
	e.Done() // only now: who is let in for it must find the connection
	return nil
}

// settle waits for a copier that has only its last bytes to write and reports whether the request was sent wholly.
func (c *conn) settle() bool {
	if c.copier == nil {
		return true
	}
	if !c.copier.finish() {
		return false
	}
	return c.SetWriteDeadline(time.Time{}) == nil
}
