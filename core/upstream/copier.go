package upstream

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

const (
	// chunkRoom is what a chunk needs besides its data.
	chunkRoom = 32
	// settleTime is how long the last bytes of a request may take when the response has already been read to its end.
	settleTime = 100 * time.Millisecond
)

var (
	errShort = errors.New("request body shorter than announced")
	errLong  = errors.New("request body longer than announced")
)

// copier sends what of a request's content did not go out with its head, in a goroutine of its own, so that an early
// answer is seen meanwhile. It touches nothing of the exchange but the body and its trailers, and is joined before the exchange ends.
type copier struct {
	c         *conn
	body      *exchange.Body
	source    exchange.Source // nil when the rest of what is held is all
	held      []byte          // not yet sent
	unwritten []byte          // what the first write left, already framed
	buf       *buffer
	chunked   bool
	left      int64 // announced and not yet sent; without chunks
	room      int64 // how much more there may be
	bounded   bool
	timeout   time.Duration // of one write

	finishing atomic.Bool // all has been read, the last write is under way
	stopping  atomic.Bool // whatever fails from now on fails because of it
	done      chan struct{}

	// Valid once done is closed.
	ended    time.Time
	received int64        // content from the source
	whole    bool         // the upstream has got everything
	fault    *fault.Fault // the body's fault, on which the connection was closed; nil when only a write failed
}

// newCopier prepares for what follows the first sent bytes of the held content.
func newCopier(c *conn, sent int, chunked bool) *copier {
	body := &c.x.Req.Body
	k := &copier{c: c, body: body, held: body.Held[sent:], chunked: chunked, timeout: c.home.responseTimeout, done: make(chan struct{})}
	if k.timeout <= 0 {
		k.timeout = c.bodyTimeout()
	}
	if body.Whole() {
		k.left = int64(len(k.held))
		return k
	}
	k.source = body.Source
	k.left = body.Length - int64(sent)
	k.bounded = c.send.MaxBody > 0
	k.room = c.send.MaxBody - int64(len(body.Held))
	return k
}

func (k *copier) run() {
	defer close(k.done)
	k.buf = k.c.home.copies.get()
	err := k.copy()
	k.c.home.copies.put(k.buf)
	k.ended = time.Now()
	if k.fault = k.explain(err); k.fault != nil {
		k.c.cut() // the upstream must not take the request for complete; this also wakes up who waits for the answer
	}
	k.whole = err == nil
}

// bodyError is a failure to get the content, as against one to send it.
type bodyError struct{ why error }

func (e bodyError) Error() string { return e.why.Error() }

// explain returns the fault that aborts the request. When only a write failed there is none: an answer may be on its way.
func (k *copier) explain(err error) *fault.Fault {
	var failed bodyError
	var f *fault.Fault
	switch {
	case err == nil, k.stopping.Load():
		return nil
	case isTimeout(err):
		return &fault.Fault{Kind: fault.GatewayTimeout, Side: fault.Upstream, Reason: "upstream did not take the request in time", Err: err}
	case !errors.As(err, &failed):
		return nil
	case errors.As(failed.why, &f):
		return f
	}
	return fault.Wrap(fault.ClientGone, fault.Client, failed.why)
}

func (k *copier) copy() error {
	if len(k.unwritten) > 0 {
		k.finishing.Store(len(k.held) == 0 && k.source == nil)
		if err := k.write(k.unwritten); err != nil {
			return err
		}
	}
	for !k.finishing.Load() {
		if done, err := k.splice(); done || err != nil {
			return err
		}
		// Room is left in front and behind for what frames a chunk.
		data := k.buf.b[chunkRoom/2 : len(k.buf.b)-chunkRoom]
		n, err := k.next(data)
		if err != nil && err != io.EOF {
			return err
		}
		if err := k.write(k.frame(data[:n], err == io.EOF)); err != nil {
			return err
		}
	}
	return nil
}

// next reads held content, then the source's. Of a failure to read it makes a bodyError.
func (k *copier) next(p []byte) (int, error) {
	n, err := k.read(p)
	if k.chunked {
		return n, err
	}
	if k.left -= int64(n); k.left < 0 {
		return 0, bodyError{errLong}
	}
	switch {
	case err == io.EOF && k.left > 0:
		return 0, bodyError{errShort}
	case k.left == 0 && err == nil:
		err = io.EOF
	}
	return n, err
}

func (k *copier) read(p []byte) (int, error) {
	if len(k.held) > 0 {
		n := copy(p, k.held)
		k.held = k.held[n:]
		return n, nil
	}
	if k.source == nil {
		return 0, io.EOF
	}
	n, err := k.source.Read(p)
	k.received += int64(n)
	k.room -= int64(n)
	switch {
	case k.bounded && k.room < 0:
		return 0, bodyError{tooLarge()}
	case err != nil && err != io.EOF:
		return 0, bodyError{err}
	}
	return n, err
}

// frame makes data, which lies in the buffer, ready for the wire; behind the last data comes what ends the body.
func (k *copier) frame(data []byte, last bool) []byte {
	k.finishing.Store(last)
	if !k.chunked {
		return data
	}
	begin, end := chunkRoom/2, chunkRoom/2+len(data)
	out := k.buf.b[:end]
	if len(data) > 0 {
		var line [chunkRoom / 2]byte
		size := http1.AppendChunkSize(line[:0], len(data))
		begin -= copy(k.buf.b[begin-len(size):], size)
		out = append(out, "\r\n"...)
	}
	if last {
		out = http1.AppendLastChunk(out, &k.c.x.Req.Trailers)
	}
	return out[begin:]
}

func (k *copier) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if err := k.bound(); err != nil {
		return err
	}
	_, err := k.c.Write(p)
	return err
}

// bound sets the deadline of the next write.
func (k *copier) bound() error {
	if k.stopping.Load() {
		return nil
	}
	return k.c.SetWriteDeadline(time.Now().Add(k.timeout))
}

func (k *copier) isRunning() bool {
	select {
	case <-k.done:
		return false
	default:
		return true
	}
}

// isWhole reports whether everything has been sent.
func (k *copier) isWhole() bool { return !k.isRunning() && k.whole }

// finish joins a copier that has at most its last write to end and reports whether everything has been sent; when
// it reports false, stop must be called.
func (k *copier) finish() bool {
	if k.isRunning() {
		if !k.finishing.Load() {
			return false
		}
		late := time.AfterFunc(settleTime, k.c.cut)
		<-k.done
		if !late.Stop() {
			return false
		}
	}
	k.stop()
	return k.whole
}

// stop ends the copier, whose connection the caller has closed unless it has ended, joins it, and notes what it has received.
func (k *copier) stop() {
	if k.isRunning() {
		k.stopping.Store(true)
		if k.source != nil {
			_ = k.source.Close() // interrupts its Read; how it ends is of no interest
		}
		<-k.done
		if k.source != nil {
			k.body.Source = nil // it must not be closed twice
		}
	}
	k.c.x.Received += k.received
	k.received = 0
}
