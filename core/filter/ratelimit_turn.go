package filter

import (
	"encoding/binary"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/limit"
)

// outcome is what became of a request at one limit.
type outcome uint8

const (
	passed  outcome = iota // the limit is not the request's, or could not be asked and lets pass
	granted                // it was taken
	refused
	failing // the store could not be had, and so nobody passes
	unasked // another limit denied before
)

// turn is a request at one limit.
type turn struct {
	key       uint64
	name      string // the key in the store; "" where it is not needed
	now, n    int64
	decision  limit.Decision
	outcome   outcome
	storeLost bool
}

// denies reports whether the request is denied for this turn.
func (t *turn) denies(l *Limit) bool {
	return t.outcome == failing || t.outcome == refused && !l.DryRun
}

// prepare finds out what is to be taken; false if the request lacks what a limit insists on.
func (r *RateLimit) prepare(x *exchange.Exchange, turns []turn) bool {
	for i, l := range r.o.Limits {
		t := &turns[i]
		if l.Missing != MissingShares && !l.has(x) {
			if l.Missing == MissingDenies && !l.DryRun {
				return false
			}
			continue
		}
		t.outcome, t.n = unasked, l.cost(x)
		t.key, t.now = l.key(x), l.Counter.At(x.Times.Start)
		if l.isShared() || l.Noted != nil {
			t.name = l.sharedKey(x)
		}
	}
	return true
}

// takeHere takes from the limits that this gateway decides on, until one denies.
func (r *RateLimit) takeHere(turns []turn) (denied bool) {
	for i, l := range r.o.Limits {
		t := &turns[i]
		if t.outcome != unasked || l.isShared() {
			continue
		}
		t.take(l)
		if t.denies(l) {
			return true
		}
	}
	return false
}

// take takes from the limit's Counter.
func (t *turn) take(l *Limit) {
	t.decision = l.Counter.Take(t.key, t.now, t.n)
	if !t.decision.Allowed {
		t.outcome = refused
		return
	}
	t.outcome = granted
	if l.Noted != nil {
		l.Noted.Note(t.key, t.name, t.n)
	}
}

// giveBack undoes what was taken here for a request that is denied, and finds out what is left.
func (r *RateLimit) giveBack(turns []turn) {
	for i, l := range r.o.Limits {
		t := &turns[i]
		if t.outcome == granted && (!l.isShared() || t.storeLost) {
			l.Counter.Give(t.key, t.now, t.n)
			if l.Noted != nil {
				l.Noted.Note(t.key, t.name, -t.n)
			}
			t.outcome = unasked
		}
		if t.outcome == unasked && !l.isShared() {
			t.decision = l.Counter.Peek(t.key, t.now, t.n)
		}
	}
}

// takeShared has the store decide on the limits that are its.
func (r *RateLimit) takeShared(turns []turn) (denied bool) {
	asks, at := make([]limit.Ask, 0, len(turns)), make([]int, 0, len(turns))
	for i, l := range r.o.Limits {
		if l.isShared() && turns[i].outcome == unasked {
			asks = append(asks, limit.Ask{Policy: l.Policy, Limit: l.ID, Key: turns[i].name, N: turns[i].n, Dry: l.DryRun})
			at = append(at, i)
		}
	}
	if len(asks) == 0 {
		return false
	}
	answers := make([]limit.Decision, len(asks))
	err := r.o.Store.Take(r.o.Group, asks, answers)
	for j, i := range at {
		l, t := r.o.Limits[i], &turns[i]
		if err != nil {
			t.lost(l)
		} else {
			t.decided(answers[j])
		}
		denied = denied || t.denies(l)
	}
	for _, i := range at {
		if err == nil && !denied && turns[i].outcome == granted {
			// Counting along means that nobody has all of it once more when the store is lost.
			r.o.Limits[i].Counter.Take(turns[i].key, turns[i].now, turns[i].n)
		}
	}
	return denied
}

// lost does what the limit does without its store.
func (t *turn) lost(l *Limit) {
	t.storeLost = true
	switch {
	case l.OnStoreError == CountHere:
		t.take(l)
	case l.OnStoreError == LetPass || l.DryRun:
		t.outcome = passed
	default:
		t.outcome = failing
	}
}

func (t *turn) decided(d limit.Decision) {
	t.decision, t.outcome = d, refused
	if d.Allowed {
		t.outcome = granted
	}
}

// tally counts what was decided.
func (r *RateLimit) tally(x *exchange.Exchange, turns []turn, denied bool) {
	for i, l := range r.o.Limits {
		t, s := &turns[i], &l.Tally.shards[x.Shard%tallyShards]
		if t.storeLost {
			s.failed.Add(1)
		}
		switch {
		case t.outcome == granted && !denied:
			s.allowed.Add(1)
		case t.outcome == refused && l.DryRun:
			s.dry.Add(1)
		case t.denies(l):
			s.denied.Add(1)
		}
	}
}

// turnSize is the bytes of a turn in an exchange's state.
const turnSize = 1 + 5*8

// appendTurns writes what Response and End have to know.
func appendTurns(b []byte, turns []turn) []byte {
	for i := range turns {
		t := &turns[i]
		b = append(b, byte(t.outcome))
		for _, n := range [...]uint64{t.key, uint64(t.now), uint64(t.n), uint64(t.decision.Remaining), uint64(t.decision.Reset)} {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
	}
	return b
}

// readTurns reads what appendTurns wrote; none if there is nothing.
func readTurns(b []byte, turns []turn) []turn {
	if len(b) != len(turns)*turnSize {
		return nil
	}
	for i := range turns {
		one, t := b[i*turnSize:], &turns[i]
		number := func(n int) int64 { return int64(binary.LittleEndian.Uint64(one[1+8*n:])) }
		t.outcome, t.key, t.now, t.n = outcome(one[0]), uint64(number(0)), number(1), number(2)
		t.decision.Remaining, t.decision.Reset = number(3), time.Duration(number(4))
	}
	return turns
}
