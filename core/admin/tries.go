package admin

import (
	"sync"
	"time"
)

const (
	triesAtOnce    = 10
	triesPerSecond = 1.0
	maxTriers      = 1024 // whose tries are told apart
)

// tries bounds how often something is taken notice of, for each of those who do it. The zero value is ready. (A right token always passes:
// one of 16 bytes is not found by trying, but who could lock operators out by trying would.)
type tries struct {
	mu      sync.Mutex
	of      map[string]*tryCount
	missing int // since the last that passed
}

type tryCount struct {
	left float64
	last time.Time
}

// pass reports whether one more is taken notice of now, and how many were not since the last that was.
func (t *tries) pass(by string, now time.Time) (missed int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.count(by, now)
	c.left = min(triesAtOnce, c.left+triesPerSecond*now.Sub(c.last).Seconds())
	c.last = now
	if c.left < 1 {
		t.missing++
		return 0, false
	}
	c.left--
	missed, t.missing = t.missing, 0
	return missed, true
}

// count forgets all others when there are too many.
func (t *tries) count(by string, now time.Time) *tryCount {
	if t.of == nil || len(t.of) >= maxTriers && t.of[by] == nil {
		t.of = map[string]*tryCount{}
	}
	if t.of[by] == nil {
		t.of[by] = &tryCount{triesAtOnce, now}
	}
	return t.of[by]
}
