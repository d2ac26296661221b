package upstream

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// BreakerOptions say when an endpoint that fails is left alone. A failure is a fault of the endpoint's, or an answer with one of the
// Statuses, or one of gRPC's that says UNAVAILABLE.
type BreakerOptions struct {
	Failures    int           // in a row that open it; 0: however many
	Ratio       int           // failures in percent of the exchanges within Window that open it; 0: whatever the share
	Window      time.Duration // that Ratio is of
	MinRequests int           // in Window, below which the ratio says nothing
	OpenFor     time.Duration // at first; doubled each time that it opens again without having closed
	MaxOpenFor  time.Duration
	Probes      int // exchanges at once that try the endpoint out then; so many must succeed for it to close
	Statuses    []int
}

// The states of a breaker.
const (
	closed uint32 = iota
	opened
	halfOpen
)

// breakerName is how EndpointState has a state.
func breakerName(state uint32) string { return [...]string{"closed", "open", "half_open"}[state] }

// effect is what an exchange says about its endpoint.
type effect uint8

const (
	nothingSaid effect = iota
	went
	wentWrong
)

func (o *BreakerOptions) effect(f *fault.Fault, r *exchange.Response) effect {
	switch {
	case f != nil && f.Side == fault.Upstream:
		return wentWrong
	case f != nil:
		return nothingSaid
	case slices.Contains(o.Statuses, r.Status), r.Fields.Value("Grpc-Status") == "14":
		return wentWrong
	}
	return went
}

// breaker leaves an endpoint alone that fails too often. Many goroutines may use it at once.
type breaker struct {
	o     *BreakerOptions
	name  string // of the endpoint, for the log
	log   *slog.Logger
	state atomic.Uint32
	until atomic.Int64 // in Unix nanoseconds; when it is open: up to then
	opens atomic.Uint64

	mu      sync.Mutex
	era     uint32 // counts changes: what was begun in an earlier one says nothing any more
	row     int    // failures
	window  window
	probes  int // under way
	good    int // those that went well
	openFor time.Duration
}

func newBreaker(o *BreakerOptions, name string, log *slog.Logger) *breaker {
	if o == nil {
		return nil
	}
	b := &breaker{o: o, name: name, log: log, openFor: o.OpenFor}
	b.window.slot = max(o.Window/slots, 1)
	return b
}

// takeOver goes on from the state of a former breaker of the same endpoint. The probes of that one are none of its own.
func (b *breaker) takeOver(from *breaker) {
	if b == nil || from == nil {
		return
	}
	from.mu.Lock()
	defer from.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state.Store(from.state.Load())
	b.until.Store(from.until.Load())
	b.opens.Store(from.opens.Load())
	b.row, b.openFor = from.row, max(b.o.OpenFor, min(from.openFor, b.o.MaxOpenFor))
	if b.window.slot == from.window.slot {
		b.window = from.window
	}
}

func (b *breaker) isClosed() bool { return b.state.Load() == closed }

// reopens returns when somebody may try.
func (b *breaker) reopens() time.Time { return time.Unix(0, b.until.Load()) }

// mayPass reports whether enter might let an exchange pass.
func (b *breaker) mayPass(now time.Time) bool {
	return b.state.Load() != opened || now.UnixNano() >= b.until.Load()
}

// enter lets an exchange pass, of which note must be told. The time is looked at unless the breaker is closed.
func (b *breaker) enter(now time.Time) (era uint32, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := b.state.Load()
	if state == closed {
		return b.era, true
	}
	if now.IsZero() {
		now = time.Now()
	}
	due := now.UnixNano() >= b.until.Load()
	switch {
	case state == opened && !due:
		return 0, false
	case due: // a first probe, or those that are out stay away for too long
		b.turn(halfOpen)
		b.until.Store(now.Add(b.openFor).UnixNano())
	case b.probes+b.good >= b.o.Probes:
		return 0, false
	}
	b.probes++
	return b.era, true
}

// turn changes the state; the caller holds the lock.
func (b *breaker) turn(state uint32) {
	before := b.state.Swap(state)
	b.era++
	b.row, b.probes, b.good = 0, 0, 0
	b.window.clear()
	if b.log != nil && before != state {
		b.log.Warn("circuit breaker", "endpoint", b.name, "from", breakerName(before), "to", breakerName(state))
	}
}

// note tells how an exchange went that was let pass in that era.
func (b *breaker) note(era uint32, how effect, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if era != b.era {
		return
	}
	if b.state.Load() == halfOpen {
		b.noteProbe(how, now)
		return
	}
	switch how {
	case nothingSaid:
		return
	case went:
		b.row = 0
		b.window.count(now, 1, 0)
	case wentWrong:
		b.row++
		b.window.count(now, 1, 1)
	}
	if b.isTooMuch(now) {
		b.open(now)
	}
}

func (b *breaker) isTooMuch(now time.Time) bool {
	if b.row == 0 {
		return false
	}
	if b.o.Failures > 0 && b.row >= b.o.Failures {
		return true
	}
	if b.o.Ratio == 0 {
		return false
	}
	all, wrong := b.window.sum(now)
	return all >= b.o.MinRequests && wrong*100 >= b.o.Ratio*all
}

func (b *breaker) noteProbe(how effect, now time.Time) {
	b.probes--
	switch how {
	case wentWrong:
		b.openFor = min(2*b.openFor, b.o.MaxOpenFor)
		b.open(now)
	case went:
		if b.good++; b.good >= b.o.Probes {
			b.openFor = b.o.OpenFor
			b.turn(closed)
		}
	}
}

// open leaves the endpoint alone for a while; the caller holds the lock.
func (b *breaker) open(now time.Time) {
	b.until.Store(now.Add(b.openFor).UnixNano())
	b.turn(opened)
	b.opens.Add(1)
}

// slots are what a sliding window consists of: the oldest is dropped whole.
const slots = 10

// window counts what happened lately.
type window struct {
	slot   time.Duration
	counts [slots]struct {
		number     int64 // of the slot, since 1970
		all, wrong int
	}
}

func (w *window) clear() { clear(w.counts[:]) }

// count adds to what has happened now.
func (w *window) count(now time.Time, all, wrong int) {
	number := now.UnixNano() / int64(w.slot)
	c := &w.counts[number%slots]
	if c.number != number {
		c.number, c.all, c.wrong = number, 0, 0
	}
	c.all += all
	c.wrong += wrong
}

func (w *window) sum(now time.Time) (all, wrong int) {
	number := now.UnixNano() / int64(w.slot)
	for i := range w.counts {
		if c := &w.counts[i]; number-c.number < slots {
			all, wrong = all+c.all, wrong+c.wrong
		}
	}
	return all, wrong
}
