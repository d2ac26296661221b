package balance

import (
	"math"
	"testing"
	"time"
)

// third is what is left of a second after a time of forget: 1/e of it.
const third = 367_879 * time.Microsecond

const at = int64(1_800_000_000_000_000_000)

func TestLatency(t *testing.T) {
	var l Latency
	if got := l.At(at); got != 0 {
		t.Errorf("nothing observed: got %v, want 0", got)
	}
	about := func(what string, now int64, want time.Duration) {
		t.Helper()
		if got := l.At(now); math.Abs(got/float64(want)-1) > 0.01 {
			t.Errorf("%s: got %v, want %v", what, time.Duration(got), want)
		}
	}
	l.Observe(10*time.Millisecond, at)
	about("first", at, 10*time.Millisecond)
	l.Observe(time.Second, at)
	about("a rise counts at once", at, time.Second)
	l.Observe(time.Millisecond, at)
	about("a fall does not", at, time.Second)
	about("it decays", at+int64(forget), third)
	l.Observe(time.Millisecond, at+int64(forget))
	about("after a while a fall counts", at+int64(forget), third+632*time.Microsecond)
	about("a clock that is set back changes nothing", at, third)
	l.Observe(0, at+int64(time.Hour))
	if got := l.At(at + int64(time.Hour)); got <= 0 {
		t.Errorf("no time at all: got %v, want more than 0, which is nothing observed", got)
	}
}

func TestEWMAPrefersTheFast(t *testing.T) {
	members := group(1, 1)
	p := picker(t, "ewma", members)
	p.all.(*ewma).now = func() int64 { return at }
	members[0].Latency.Observe(time.Millisecond, at)
	members[1].Active.Store(1)
	if got := p.Pick(0, nil); got != 0 {
		t.Errorf("1 is not known, and busier: got %d, want 0", got)
	}
	members[1].Latency.Observe(10*time.Millisecond, at)
	members[0].Active.Store(15) // 16 ms against 20
	if got := p.Pick(0, nil); got != 0 {
		t.Errorf("got %d, want 0", got)
	}
	members[0].Active.Store(25) // 26 ms
	if got := p.Pick(0, nil); got != 1 {
		t.Errorf("got %d, want 1", got)
	}
}
