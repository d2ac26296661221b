// Package limit counts what requests use up, by key and in bounded memory, and says what is left.
package limit

import (
	"errors"
	"math"
	"time"
)

// Algorithm is a way to count.
type Algorithm uint8

// The algorithms.
const (
	// GCRA fills a bucket at a steady rate (the generic cell rate algorithm, ITU-T I.371).
	GCRA Algorithm = iota
	// SlidingWindow counts what was taken in the running window and, by the share of it that a window's length still reaches, in the one
	// before it.
	SlidingWindow
	// Quota gives Count units for each hour, day or month of UTC.
	Quota
	// Concurrency bounds what is taken and not yet given back.
	Concurrency
)

// String returns the algorithm as configs write it.
func (a Algorithm) String() string {
	return [...]string{"gcra", "sliding_window", "quota", "concurrency"}[a]
}

// Month is the period of a Quota by the calendar; no month is taken to be so long.
const Month = 31 * 24 * time.Hour

// MaxCount is the most units that a policy can allow.
const MaxCount = 1_000_000_000

// Policy allows Count units in each Per, and Burst units at once; Burst is of GCRA alone, and Concurrency has no Per.
type Policy struct {
	Algorithm Algorithm
	Count     int64
	Per       time.Duration
	Burst     int64
}

// Most returns the most units that can be taken at once.
func (p Policy) Most() int64 {
	if p.Algorithm == GCRA {
		return p.Burst
	}
	return p.Count
}

// Decision is the answer to one Take.
type Decision struct {
	Allowed    bool
	Remaining  int64         // units that could be taken at once now
	Reset      time.Duration // until as many as possible could be taken at once; of a Quota, until its end
	RetryAfter time.Duration // when denied: until the same Take would be allowed, if nobody else takes any
}

// Limiter counts the units of many keys, which are hashes (see Seed). It may be used by many goroutines at once, and no call of it
// allocates; only Concurrency does, now and then, for a key that has nothing taken.
type Limiter interface {
	// At returns t as the other methods want it, in nanoseconds of the clock that the algorithm goes by.
	At(t time.Time) int64
	// Take takes n units, at least 1, for key at the time now, all or none.
	Take(key uint64, now, n int64) Decision
	// Peek returns what Take would, and takes nothing.
	Peek(key uint64, now, n int64) Decision
	// Give gives back n units that were taken at the time now.
	Give(key uint64, now, n int64)
}

// Learner is a Limiter that can be told what others, with the same policy, have taken.
type Learner interface {
	Limiter
	// Learn makes s what is known of key at the time now.
	Learn(key uint64, now int64, s Standing)
}

// Standing is what is known of a key: of a GCRA how far its bucket is from full, of windows and quotas what was taken in which.
type Standing struct {
	Ahead             time.Duration
	Window            int64 // number, counted from 1970
	Previous, Current int64
}

// New returns what counts by the policy and remembers about maxKeys keys. GCRA takes 32 bytes for each, SlidingWindow and Quota 64, all of it
// at once. Concurrency has room for what is taken, and no more; maxKeys is not asked for.
func New(p Policy, maxKeys int) (Limiter, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if maxKeys < 1 && p.Algorithm != Concurrency {
		return nil, errors.New("at least one key must be remembered")
	}
	switch p.Algorithm {
	case GCRA:
		return newBuckets(p, maxKeys), nil
	case Concurrency:
		return newFlights(p.Count), nil
	}
	return newWindows(p, maxKeys), nil
}

func (p Policy) check() error {
	switch {
	case p.Count <= 0 || p.Algorithm == GCRA && p.Burst <= 0:
		return errors.New("a limit's count and burst must be positive")
	case p.Count > MaxCount:
		return errors.New("more than 1000000000 units cannot be counted")
	case p.Algorithm == Concurrency:
		return nil
	case p.Per <= 0:
		return errors.New("a limit's period must be positive")
	case p.Count > int64(p.Per):
		return errors.New("more than one unit in a nanosecond cannot be counted")
	case p.Algorithm == Quota && p.Per != time.Hour && p.Per != 24*time.Hour && p.Per != Month:
		return errors.New("a quota is for an hour, a day or a month")
	case p.Algorithm == GCRA && p.Burst > math.MaxInt64/4/(int64(p.Per)/p.Count):
		return errors.New("the burst takes longer to fill than can be counted")
	}
	return nil
}

// Ask is a Take of a limit that several gateways share.
type Ask struct {
	Policy Policy
	Limit  string // tells limits apart, the same in all gateways
	Key    string // tells keys of it apart: short, the same in all gateways
	N      int64
	// Dry asks are answered, and never keep the others from being granted.
	Dry bool
}
