package limit

import (
	"sync"
	"time"
)

// windows are the Limiter of SlidingWindow and Quota: what was taken in a key's running window and in the one before. Keys live in sets as
// those of buckets do, each set under a lock that it shares with others.
type windows struct {
	policy Policy
	born   time.Time
	sets   uint64
	slots  []windowSlot
	locks  [stripes]stripe
}

// windowSlot is a key's place. Counts are at most MaxCount, or what Learn said.
type windowSlot struct {
	key               uint64
	window            int64
	previous, current int64
}

// interval is a window that a time is in: its number, and how long it has been and will be.
type interval struct {
	number        int64
	elapsed, left int64 // nanoseconds
}

func newWindows(p Policy, maxKeys int) *windows {
	l := &windows{policy: p, born: time.Now(), sets: setsFor(maxKeys)}
	l.slots = make([]windowSlot, l.sets*ways)
	return l
}

// At is part of Limiter. A quota's hours and days are the system clock's: if that is set back by more than a window, the quota is there once
// more. Sliding windows go by a clock that is not set back.
func (l *windows) At(t time.Time) int64 {
	if l.policy.Algorithm == Quota {
		return t.UnixNano()
	}
	return steady(l.born, t)
}

func (l *windows) at(now int64) interval {
	if l.policy.Per == Month {
		t := time.Unix(0, now).UTC()
		first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
		number := int64(t.Year())*12 + int64(t.Month()) - 1
		return interval{number, int64(t.Sub(first)), int64(first.AddDate(0, 1, 0).Sub(t))}
	}
	per := int64(l.policy.Per)
	return interval{now / per, now % per, per - now%per}
}

// of returns the window that a request of the time now counts in at s. Requests come in another order than they have begun, and a client can
// begin one long before it ends it: one from before the slot's window counts at its beginning, or it would bring back a window in which
// nothing was taken.
func (l *windows) of(s *windowSlot, now int64, at interval) interval {
	switch {
	case s.window <= at.number:
		return at
	case l.policy.Algorithm == SlidingWindow:
		return interval{s.window, 0, int64(l.policy.Per)}
	case s.window == at.number+1:
		next := l.at(now + at.left)
		next.left += at.left
		return next
	}
	return at // the system's clock was ahead, and was put right
}

// Take is part of Limiter.
func (l *windows) Take(key uint64, now, n int64) Decision {
	key, at := notEmpty(key), l.at(now)
	set, lock := l.set(key)
	lock.Lock()
	defer lock.Unlock()
	s := findWindow(set, key)
	if s == nil {
		if n < 1 || n > l.policy.Count {
			return l.decide(windowSlot{}, at, n)
		}
		s = l.victim(set, at.number)
		*s = windowSlot{key: key, window: at.number}
	}
	at = l.of(s, now, at)
	s.moveTo(at.number)
	d := l.decide(*s, at, n)
	if d.Allowed {
		s.current += n
		d = l.decide(*s, at, 0)
		d.Allowed, d.RetryAfter = true, 0
	}
	return d
}

// Peek is part of Limiter.
func (l *windows) Peek(key uint64, now, n int64) Decision {
	key, at := notEmpty(key), l.at(now)
	set, lock := l.set(key)
	lock.Lock()
	defer lock.Unlock()
	var known windowSlot
	if s := findWindow(set, key); s != nil {
		known = *s
		at = l.of(s, now, at)
		known.moveTo(at.number)
	}
	return l.decide(known, at, n)
}

// Give is part of Limiter.
func (l *windows) Give(key uint64, now, n int64) {
	key, at := notEmpty(key), l.at(now)
	set, lock := l.set(key)
	lock.Lock()
	defer lock.Unlock()
	switch s := findWindow(set, key); {
	case s == nil:
	case s.window == at.number:
		s.current = max(s.current-n, 0)
	case s.window == at.number+1:
		s.previous = max(s.previous-n, 0)
	}
}

// Learn is part of Learner. What was counted for another window than the running one is left alone.
func (l *windows) Learn(key uint64, now int64, known Standing) {
	key, at := notEmpty(key), l.at(now)
	if known.Window != at.number {
		return
	}
	set, lock := l.set(key)
	lock.Lock()
	defer lock.Unlock()
	s := findWindow(set, key)
	if s == nil {
		s = l.victim(set, at.number)
	}
	*s = windowSlot{key, at.number, known.Previous, known.Current}
}

// moveTo makes the window with that number the slot's own.
func (s *windowSlot) moveTo(number int64) {
	switch s.window {
	case number:
		return
	case number - 1:
		s.previous = s.current
	default:
		s.previous = 0
	}
	s.window, s.current = number, 0
}

// decide says what becomes of a Take of n units.
func (l *windows) decide(s windowSlot, at interval, n int64) Decision {
	count := l.policy.Count
	if l.policy.Algorithm == Quota {
		d := Decision{Allowed: n >= 0 && s.current+n <= count, Remaining: max(count-s.current, 0), Reset: time.Duration(at.left)}
		if !d.Allowed {
			d.RetryAfter = d.Reset
		}
		return d
	}
	used := float64(s.previous)*(float64(at.left)/float64(l.policy.Per)) + float64(s.current)
	d := Decision{Remaining: int64(max(float64(count)-used, 0)), Reset: s.forgottenAfter(at, l.policy.Per)}
	d.Allowed = n >= 0 && used+float64(n) <= float64(count)
	if !d.Allowed {
		d.RetryAfter = s.wait(at, l.policy, n)
	}
	return d
}

// forgottenAfter returns when nothing that was taken counts any more.
func (s windowSlot) forgottenAfter(at interval, per time.Duration) time.Duration {
	switch {
	case s.current > 0:
		return time.Duration(at.left) + per
	case s.previous > 0:
		return time.Duration(at.left)
	}
	return 0
}

// wait returns how long it is until n units can be taken.
func (s windowSlot) wait(at interval, p Policy, n int64) time.Duration {
	if n > p.Count {
		return 2 * p.Per
	}
	if room := p.Count - s.current - n; room >= 0 {
		return time.Duration(at.left) - fraction(p.Per, room, s.previous)
	}
	return time.Duration(at.left) + p.Per - fraction(p.Per, p.Count-n, s.current)
}

// fraction returns part/whole of d, at most d.
func fraction(d time.Duration, part, whole int64) time.Duration {
	if part >= whole {
		return d
	}
	return time.Duration(float64(d) * (float64(part) / float64(whole)))
}

func (l *windows) set(key uint64) ([]windowSlot, *sync.Mutex) {
	index := spread(key, l.sets)
	return l.slots[index*ways : index*ways+ways], &l.locks[index%stripes].Mutex
}

func findWindow(set []windowSlot, key uint64) *windowSlot {
	for i := range set {
		if set[i].key == key {
			return &set[i]
		}
	}
	return nil
}

// victim returns the slot that gives way: an empty one, one whose windows are over, or the one that least was taken from.
func (l *windows) victim(set []windowSlot, number int64) *windowSlot {
	best := &set[0]
	for i := range set {
		s := &set[i]
		if s.key == 0 || s.window < number-1 {
			return s
		}
		if s.current+s.previous < best.current+best.previous {
			best = s
		}
	}
	return best
}
