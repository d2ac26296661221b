// Package limit is rate limiting by GCRA, one atomic word per key, in bounded memory.
package limit

import (
	"errors"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

const (
	ways    = 16 // slots that one key may be in
	spare   = 2  // slots for each key to be remembered: with fewer, sets fill up long before the whole does
	stripes = 64 // locks for insertion
	// vacant stands in a slot's word while another key moves in.
	vacant = math.MinInt64
)

// Rate allows Count units in each Per, and Burst units at once.
type Rate struct {
	Count int64
	Per   time.Duration
	Burst int64
}

// Decision is the answer to one Take.
type Decision struct {
	Allowed    bool
	Remaining  int64         // units that could be taken at once now
	Reset      time.Duration // until Burst units could be taken at once
	RetryAfter time.Duration // when denied: until the same Take would be allowed
}

// Limiter counts the units of many keys by the generic cell rate algorithm (ITU-T I.371): a key's word is the time at which its
// bucket will be full again, so a key not seen for long needs no word. It may be used by many goroutines at once; a Take of
// a known key takes no lock.
type Limiter struct {
	interval  int64 // nanoseconds that one unit costs
	tolerance int64 // nanoseconds that a key may be ahead of the clock
	slots     []slot
	sets      uint64
	born      time.Time // what At counts from
	locks     [stripes]stripe
}

// slot is a key's place. The key is changed only under the set's lock, and only while word is vacant.
type slot struct {
	key  atomic.Uint64
	word atomic.Int64
}

type stripe struct {
	sync.Mutex
	_ [56]byte // a cache line each
}

// New returns a limiter that remembers about maxKeys keys, in 32 bytes each; when they are more, those closest to
// having their full burst again are forgotten first.
func New(rate Rate, maxKeys int) (*Limiter, error) {
	switch {
	case rate.Count <= 0 || rate.Per <= 0 || rate.Burst <= 0:
		return nil, errors.New("a rate's count, period and burst must be positive")
	case rate.Count > int64(rate.Per):
		return nil, errors.New("more than one unit in a nanosecond cannot be counted")
	case maxKeys < 1:
		return nil, errors.New("at least one key must be remembered")
	}
	l := &Limiter{interval: int64(rate.Per) / rate.Count, sets: uint64((maxKeys*spare + ways - 1) / ways), born: time.Now()}
	if rate.Burst > math.MaxInt64/4/l.interval {
		return nil, errors.New("the burst takes longer to fill than can be counted")
	}
	l.tolerance = rate.Burst * l.interval
	l.slots = make([]slot, l.sets*ways)
	return l, nil
}

// At returns t as Take wants it, in Unix nanoseconds of a clock that is not set back: else every bucket in use would
// stay empty for as long as the system's clock was wrong.
func (l *Limiter) At(t time.Time) int64 {
	return l.born.UnixNano() + int64(t.Sub(l.born)) // Sub goes by the monotonic clock where t has it
}

// Take takes n units, at least 1, of key's bucket at the time now (from At), all or none.
func (l *Limiter) Take(key uint64, now, n int64) Decision {
	if key == 0 {
		key = 1 // 0 marks an empty slot
	}
	if n < 1 || n > l.tolerance/l.interval {
		return Decision{Remaining: 0, RetryAfter: time.Duration(l.tolerance)} // more than a full bucket holds
	}
	set := l.set(key)
	for {
		s := find(set, key)
		if s == nil {
			if l.insert(set, key, now+n*l.interval) {
				return l.decision(n*l.interval, 0)
			}
			continue // somebody else has just inserted it
		}
		word := s.word.Load()
		if word == vacant || s.key.Load() != key {
			continue // the slot was given to another key just now
		}
		// Should that happen from here on, then word has changed too, and the swap fails.
		next := max(word, now) + n*l.interval
		if next-now > l.tolerance {
			return l.decision(max(word, now)-now, next-now-l.tolerance)
		}
		if s.word.CompareAndSwap(word, next) {
			return l.decision(next-now, 0)
		}
	}
}

// decision describes a bucket that is ahead of the clock by ahead; it was denied if there is something to wait for.
func (l *Limiter) decision(ahead, wait int64) Decision {
	return Decision{
		Allowed:    wait == 0,
		Remaining:  max(l.tolerance-ahead, 0) / l.interval,
		Reset:      time.Duration(ahead),
		RetryAfter: time.Duration(wait),
	}
}

func (l *Limiter) set(key uint64) []slot {
	first := l.index(key) * ways
	return l.slots[first : first+ways]
}

// index spreads keys, which are hashes, evenly over any number of sets.
func (l *Limiter) index(key uint64) uint64 {
	high, _ := bits.Mul64(key, l.sets)
	return high
}

func find(set []slot, key uint64) *slot {
	for i := range set {
		if set[i].key.Load() == key {
			return &set[i]
		}
	}
	return nil
}

// insert gives key a slot of its set, with that word; false if the key has one. A bucket that is full again is as
// good as none, so its slot goes first.
func (l *Limiter) insert(set []slot, key uint64, first int64) bool {
	lock := &l.locks[l.index(key)%stripes]
	lock.Lock()
	defer lock.Unlock()
	if find(set, key) != nil {
		return false
	}
	for {
		victim := oldest(set)
		word := victim.word.Load()
		if victim.key.Load() != 0 && !victim.word.CompareAndSwap(word, vacant) {
			continue // it was used meanwhile: perhaps another is the oldest now
		}
		victim.word.Store(vacant)
		victim.key.Store(key)
		victim.word.Store(first)
		return true
	}
}

// oldest returns an empty slot or the one whose bucket is full first.
func oldest(set []slot) *slot {
	best := &set[0]
	for i := range set {
		s := &set[i]
		if s.key.Load() == 0 {
			return s
		}
		if s.word.Load() < best.word.Load() {
			best = s
		}
	}
	return best
}
