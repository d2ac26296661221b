package upstream

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

var errStopped = errors.New("the request's content is not wanted any more")

// feeder is a request's content as net/http reads it, from a goroutine of its own that may outlive the exchange. After join nothing of
// the exchange is touched any more.
type feeder struct {
	x        *exchange.Exchange
	source   exchange.Source // nil when what is held is all
	held     []byte          // not yet read
	trailers http.Header     // where trailers go at the end; nil: they have no place
	whole    bool            // all is held
	left     int64           // announced and not yet read; negative: not announced
	room     int64           // how much more there may be
	bounded  bool

	seq   atomic.Uint32 // odd while net/http waits for content
	ended atomic.Int64  // when all was read, in Unix nanoseconds; 0: not yet

	busy     sync.Mutex // held by Read
	touched  bool       // the source has been asked
	received int64      // content from the source
	fault    *fault.Fault

	guard   sync.Mutex
	stopped bool
	reading bool // the source is being asked
	closed  bool // the source has been closed to interrupt that
}

func newFeeder(x *exchange.Exchange, most int64, trailers http.Header) *feeder {
	body := &x.Req.Body
	u := &feeder{x: x, held: body.Held, whole: body.Whole(), trailers: trailers, left: body.Length}
	if u.whole {
		u.left = int64(len(body.Held))
		return u
	}
	u.source = body.Source
	u.bounded, u.room = most > 0, most-int64(len(body.Held))
	return u
}

// Read implements io.Reader for net/http.
func (u *feeder) Read(p []byte) (int, error) {
	u.busy.Lock()
	defer u.busy.Unlock()
	if u.ended.Load() != 0 {
		return 0, io.EOF
	}
	u.seq.Add(1)
	defer u.seq.Add(1)
	n, err := u.next(p)
	switch {
	case err == io.EOF:
		if u.trailers != nil && !u.whole {
			addTrailers(u.trailers, &u.x.Req.Trailers)
		}
		u.ended.Store(time.Now().UnixNano())
	case err != nil && u.fault == nil && err != errStopped:
		u.fault = bodyFault(err)
	}
	return n, err
}

// bodyFault returns the Fault in an error of a request's content, or blames the client.
func bodyFault(err error) *fault.Fault {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return fault.Wrap(fault.ClientGone, fault.Client, err)
}

// next reads content and sees to it that there is as much as was announced.
func (u *feeder) next(p []byte) (int, error) {
	n, err := u.read(p)
	if u.left < 0 {
		return n, err
	}
	if u.left -= int64(n); u.left < 0 {
		return 0, errLong
	}
	switch {
	case err == io.EOF && u.left > 0:
		return 0, errShort
	case err == nil && u.left == 0 && !u.awaitsTrailers():
		err = io.EOF
	}
	return n, err
}

// awaitsTrailers reports whether the source has to be read to its end, with which trailers come.
func (u *feeder) awaitsTrailers() bool { return u.trailers != nil && u.source != nil }

func (u *feeder) read(p []byte) (int, error) {
	if u.isStopped() {
		return 0, errStopped
	}
	if len(u.held) > 0 {
		n := copy(p, u.held)
		u.held = u.held[n:]
		return n, nil
	}
	if u.source == nil {
		return 0, io.EOF
	}
	u.touched = true
	if !u.enter() {
		return 0, errStopped
	}
	n, err := u.source.Read(p)
	if stopped := u.leave(); stopped && err != nil && err != io.EOF {
		return 0, errStopped
	}
	u.received += int64(n)
	if u.room -= int64(n); u.bounded && u.room < 0 {
		return 0, tooLarge()
	}
	return n, err
}

func (u *feeder) isStopped() bool {
	u.guard.Lock()
	defer u.guard.Unlock()
	return u.stopped
}

func (u *feeder) enter() bool {
	u.guard.Lock()
	defer u.guard.Unlock()
	u.reading = !u.stopped
	return u.reading
}

func (u *feeder) leave() (stopped bool) {
	u.guard.Lock()
	defer u.guard.Unlock()
	u.reading = false
	return u.stopped
}

// Close implements io.Closer for net/http: nothing more is wanted.
func (u *feeder) Close() error {
	u.interrupt()
	return nil
}

// interrupt ends a Read that waits; later ones fail. Any goroutine may call it at any time.
func (u *feeder) interrupt() {
	u.guard.Lock()
	defer u.guard.Unlock()
	if u.stopped {
		return
	}
	u.stopped = true
	if u.reading {
		u.closed = true
		_ = u.source.Close() // interrupts its Read; how it ends is of no interest
	}
}

// isRunning reports whether there is more to send than has been read.
func (u *feeder) isRunning() bool { return u != nil && u.ended.Load() == 0 && !u.isStopped() }

// join ends the upload for the exchange, whose goroutine calls it, and returns what went wrong with the content.
func (u *feeder) join() *fault.Fault {
	if u == nil {
		return nil
	}
	u.interrupt()
	u.busy.Lock()
	defer u.busy.Unlock()
	if u.closed {
		u.x.Req.Body.Source = nil // it must not be closed twice
	}
	u.x.Received += u.received
	u.received = 0
	return u.fault
}

// isResendable reports, after join, whether another try can send the same content.
func (u *feeder) isResendable() bool { return u == nil || u.whole || !u.touched }
