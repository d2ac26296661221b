package limit

import (
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

// buckets are the Limiter of GCRA: a key's word is the time at which its bucket will be full again, so a key not seen for long needs no
// word. A Take of a known key takes no lock.
type buckets struct {
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

func newBuckets(p Policy, maxKeys int) *buckets {
	l := &buckets{interval: int64(p.Per) / p.Count, sets: setsFor(maxKeys), born: time.Now()}
	l.tolerance = p.Burst * l.interval
	l.slots = make([]slot, l.sets*ways)
	return l
}

// setsFor returns how many sets of slots maxKeys keys need.
func setsFor(maxKeys int) uint64 { return uint64((maxKeys*spare + ways - 1) / ways) }

// At is part of Limiter. The clock is one that is not set back: else every bucket in use would stay empty for as long as the system's
// clock was wrong.
func (l *buckets) At(t time.Time) int64 { return steady(l.born, t) }

// steady returns t in Unix nanoseconds by the monotonic clock, where t has it, counted from born.
func steady(born, t time.Time) int64 { return born.UnixNano() + int64(t.Sub(born)) }

// Take is part of Limiter.
func (l *buckets) Take(key uint64, now, n int64) Decision {
	key = notEmpty(key)
	if l.isTooMuch(n) {
		return Decision{Remaining: 0, RetryAfter: time.Duration(l.tolerance)}
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

// isTooMuch reports whether n is more than a full bucket holds, or nothing.
func (l *buckets) isTooMuch(n int64) bool { return n < 1 || n > l.tolerance/l.interval }

// notEmpty returns a key that is not 0, which marks an empty slot.
func notEmpty(key uint64) uint64 { return max(key, 1) }

// Peek is part of Limiter.
func (l *buckets) Peek(key uint64, now, n int64) Decision {
	if l.isTooMuch(n) {
		return Decision{Remaining: 0, RetryAfter: time.Duration(l.tolerance)}
	}
	ahead := max(l.word(notEmpty(key)), now) - now
	if wait := ahead + n*l.interval - l.tolerance; wait > 0 {
		return l.decision(ahead, wait)
	}
	return l.decision(ahead, 0)
}

// word returns key's word; for a key without a slot, one of long ago.
func (l *buckets) word(key uint64) int64 {
	if s := find(l.set(key), key); s != nil {
		// A slot that went to another key in between is read as if it had been full: it was about to be.
		if word := s.word.Load(); s.key.Load() == key {
			return word
		}
	}
	return vacant
}

// Give is part of Limiter.
func (l *buckets) Give(key uint64, now, n int64) {
	key = notEmpty(key)
	set := l.set(key)
	for {
		s := find(set, key)
		if s == nil {
			return // forgotten: as good as full
		}
		word := s.word.Load()
		if word == vacant || s.key.Load() != key {
			continue
		}
		if word <= now || s.word.CompareAndSwap(word, word-n*l.interval) {
			return
		}
	}
}

// Learn is part of Learner.
func (l *buckets) Learn(key uint64, now int64, s Standing) {
	key = notEmpty(key)
	set := l.set(key)
	next := now + int64(s.Ahead)
	for {
		known := find(set, key)
		if known == nil {
			if l.insert(set, key, next) {
				return
			}
			continue
		}
		word := known.word.Load()
		if word != vacant && known.key.Load() == key && known.word.CompareAndSwap(word, next) {
			return
		}
	}
}

// decision describes a bucket that is ahead of the clock by ahead; it was denied if there is something to wait for.
func (l *buckets) decision(ahead, wait int64) Decision {
	return Decision{
		Allowed:    wait == 0,
		Remaining:  max(l.tolerance-ahead, 0) / l.interval,
		Reset:      time.Duration(ahead),
		RetryAfter: time.Duration(wait),
	}
}

func (l *buckets) set(key uint64) []slot {
	first := l.index(key) * ways
	return l.slots[first : first+ways]
}

func (l *buckets) index(key uint64) uint64 { return spread(key, l.sets) }

// spread spreads keys, which are hashes, evenly over any number of sets.
func spread(key, sets uint64) uint64 {
	high, _ := bits.Mul64(key, sets)
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
func (l *buckets) insert(set []slot, key uint64, first int64) bool {
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
