package limit

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func newOf(t testing.TB, p Policy, keys int) Limiter {
	t.Helper()
	l, err := New(p, keys)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// policies are one of each algorithm, that allow 500 at once.
func policies() []Policy {
	return []Policy{
		{GCRA, 1000, time.Hour, 500}, {SlidingWindow, 500, time.Hour, 0}, {Quota, 500, 24 * time.Hour, 0}, {Quota, 500, Month, 0}, {Concurrency, 500, 0, 0},
	}
}

// date is a moment of UTC, in Unix nanoseconds.
func date(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixNano()
}

func TestWindows(t *testing.T) {
	type step struct {
		at        string
		n         int64
		allowed   bool
		remaining int64
		reset     time.Duration
		retry     time.Duration
	}
	tests := []struct {
		name   string
		policy Policy
		steps  []step
	}{
		{"quota of an hour", Policy{Quota, 3, time.Hour, 0}, []step{
			{"2026-01-01 10:30:00", 2, true, 1, 30 * time.Minute, 0},
			{"2026-01-01 10:59:59", 2, false, 1, time.Second, time.Second},
			{"2026-01-01 10:59:59", 1, true, 0, time.Second, 0},
			{"2026-01-01 11:00:00", 3, true, 0, time.Hour, 0},
		}},
		{"quota of a day", Policy{Quota, 1, 24 * time.Hour, 0}, []step{
			{"2026-02-28 23:00:00", 1, true, 0, time.Hour, 0},
			{"2026-02-28 23:30:00", 1, false, 0, 30 * time.Minute, 30 * time.Minute},
			{"2026-03-01 00:00:00", 1, true, 0, 24 * time.Hour, 0},
		}},
		{"quota of a month", Policy{Quota, 1, Month, 0}, []step{
			{"2028-02-29 00:00:00", 1, true, 0, 24 * time.Hour, 0},
			{"2028-02-29 23:00:00", 1, false, 0, time.Hour, time.Hour},
			{"2028-03-01 00:00:00", 1, true, 0, 31 * 24 * time.Hour, 0},
			{"2029-03-01 00:00:00", 1, true, 0, 31 * 24 * time.Hour, 0},
		}},
		{"a clock set back", Policy{Quota, 1, time.Hour, 0}, []step{
			{"2026-01-01 10:00:00", 1, true, 0, time.Hour, 0},
			{"2026-01-01 09:40:00", 1, false, 0, 80 * time.Minute, 80 * time.Minute}, // by less than a window: it is used up
			{"2026-01-01 08:00:00", 1, true, 0, time.Hour, 0},                        // it was wrong by far: nobody waits for so long
		}},
		{"sliding", Policy{SlidingWindow, 10, time.Minute, 0}, []step{
			{"2026-01-01 00:00:30", 10, true, 0, 90 * time.Second, 0},
			{"2026-01-01 00:00:45", 1, false, 0, 75 * time.Second, 21 * time.Second}, // at 1:06, nine tenths of ten are left
			{"2026-01-01 00:01:06", 1, true, 0, 114 * time.Second, 0},
			{"2026-01-01 00:01:30", 5, false, 4, 90 * time.Second, 6 * time.Second}, // 5 of the window before, and 1
			{"2026-01-01 00:01:36", 5, true, 0, 84 * time.Second, 0},
			{"2026-01-01 00:03:00", 10, true, 0, 2 * time.Minute, 0},
		}},
		{"sliding, more than there can be", Policy{SlidingWindow, 10, time.Minute, 0}, []step{
			{"2026-01-01 00:00:00", 11, false, 10, 0, 2 * time.Minute},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newOf(t, test.policy, 100)
			for i, s := range test.steps {
				now := date(t, s.at)
				peeked := l.Peek(42, now, s.n)
				want := Decision{s.allowed, s.remaining, s.reset, s.retry}
				if got := l.Take(42, now, s.n); got != want || peeked.Allowed != want.Allowed || peeked.RetryAfter != want.RetryAfter {
					t.Fatalf("step %d:\ngot  %+v\nwant %+v\npeek %+v", i, got, want, peeked)
				}
			}
		})
	}
}

// Whatever a denial says, it is true: a moment before, the same Take is denied, and then it is allowed.
func TestRetryAfterIsTrue(t *testing.T) {
	for _, p := range policies()[:4] {
		l := newOf(t, p, 100)
		now := date(t, "2026-05-31 23:10:00")
		l.Take(1, now, 480)
		d := l.Take(1, now, 60)
		if d.Allowed || d.RetryAfter <= 0 {
			t.Fatalf("%v: got %+v", p.Algorithm, d)
		}
		if early := l.Peek(1, now+int64(d.RetryAfter)-int64(time.Millisecond), 60); early.Allowed {
			t.Errorf("%v: allowed a moment before", p.Algorithm)
		}
		if late := l.Peek(1, now+int64(d.RetryAfter)+int64(time.Microsecond), 60); !late.Allowed {
			t.Errorf("%v: denied after %v: %+v", p.Algorithm, d.RetryAfter, late)
		}
	}
}

func TestGiveAndPeek(t *testing.T) {
	for _, p := range policies() {
		l := newOf(t, p, 100)
		now := l.At(time.Now())
		if d := l.Take(9, now, 500); !d.Allowed || d.Remaining != 0 {
			t.Errorf("%v: got %+v", p.Algorithm, d)
		}
		if d := l.Peek(9, now, 1); d.Allowed {
			t.Errorf("%v: peeked more than there is", p.Algorithm)
		}
		l.Give(9, now, 200)
		for range 2 { // peeking takes nothing
			if d := l.Peek(9, now, 200); !d.Allowed || d.Remaining != 200 {
				t.Errorf("%v: after giving back: %+v", p.Algorithm, d)
			}
		}
		l.Give(8, now, 1) // nothing was taken: nothing happens
		if d := l.Take(9, now, 201); d.Allowed {
			t.Errorf("%v: took more than was given back", p.Algorithm)
		}
	}
}

func TestLearn(t *testing.T) {
	for _, p := range policies()[:4] {
		l := newOf(t, p, 100).(Learner)
		now := l.At(time.Now())
		known := Standing{Ahead: 490 * time.Hour / 1000, Current: 490}
		if w, ok := l.(*windows); ok {
			known.Window = w.at(now).number
		}
		l.Learn(7, now, known)
		if d := l.Take(7, now, 11); d.Allowed {
			t.Errorf("%v: did not learn: %+v", p.Algorithm, d)
		}
		if d := l.Take(7, now, 10); !d.Allowed {
			t.Errorf("%v: learnt too much: %+v", p.Algorithm, d)
		}
	}
}

// At a frozen clock exactly what the policy allows is taken of each key, whoever comes first, gives back and takes again.
func TestEveryAlgorithmIsExact(t *testing.T) {
	const keys, workers = 16, 64
	for _, p := range policies() {
		l := newOf(t, p, 10_000)
		now := date(t, "2026-01-01 00:30:00")
		var taken [keys]atomic.Int64
		var wait sync.WaitGroup
		for w := range workers {
			wait.Go(func() {
				for i := range keys * 40 {
					key := i % keys
					if !l.Take(uint64(key)<<58+1, now, 1).Allowed {
						continue
					}
					if (i+w)%5 == 0 {
						l.Give(uint64(key)<<58+1, now, 1)
						continue
					}
					if n := taken[key].Add(1); n > 500 {
						t.Errorf("%v: %d taken", p.Algorithm, n)
						return
					}
				}
			})
		}
		wait.Wait()
		for key := range taken {
			for l.Take(uint64(key)<<58+1, now, 1).Allowed {
				taken[key].Add(1)
			}
			if got := taken[key].Load(); got != 500 {
				t.Errorf("%v: key %d: %d taken, want 500", p.Algorithm, key, got)
			}
		}
	}
}

func TestConcurrencyForgetsWhatIsGivenBack(t *testing.T) {
	f := newFlights(2)
	for key := range uint64(1000) {
		f.Take(key<<50, 0, 2)
		f.Give(key<<50, 0, 2)
	}
	for i := range f.shards {
		if n := len(f.shards[i].taken); n != 0 {
			t.Errorf("%d keys are left", n)
		}
	}
}

func TestMoreKeysThanRoomInWindows(t *testing.T) {
	l := newWindows(Policy{SlidingWindow, 5, time.Hour, 0}, 8)
	const now = int64(1e18)
	l.Take(7, now, 5)
	for key := uint64(100); key < 1000; key++ {
		if !l.Take(key, now, 1).Allowed {
			t.Fatalf("the first request of key %d was denied", key)
		}
	}
	if l.Take(7, now, 1).Allowed {
		t.Error("the busiest key was forgotten")
	}
}

func TestNothingAllocates(t *testing.T) {
	for _, p := range policies() {
		l := newOf(t, p, 100)
		now := l.At(time.Now())
		if n := testing.AllocsPerRun(100, func() {
			l.Peek(5, now, 1)
			l.Take(5, now, 1)
			l.Give(5, now, 1)
		}); n != 0 {
			t.Errorf("%v: got %v allocations, want 0", p.Algorithm, n)
		}
	}
}

func BenchmarkAlgorithms(b *testing.B) {
	for _, p := range policies() {
		b.Run(p.Algorithm.String(), func(b *testing.B) {
			l := newOf(b, p, 100_000)
			now := l.At(time.Now())
			b.ReportAllocs()
			for b.Loop() {
				l.Take(12345678901234567, now, 1)
				l.Give(12345678901234567, now, 1)
			}
		})
	}
}

// BenchmarkTenMillionKeys takes from ever other keys, and says what each costs.
func BenchmarkTenMillionKeys(b *testing.B) {
	for _, p := range policies()[:3] {
		b.Run(p.Algorithm.String(), func(b *testing.B) {
			const keys = 10_000_000
			l := newOf(b, p, keys)
			now, key := l.At(time.Now()), uint64(0)
			for b.Loop() {
				key += 0x9E3779B97F4A7C15
				l.Take(key, now, 1)
			}
			size := 32
			if w, ok := l.(*windows); ok {
				size = len(w.slots) * 32 / keys
			}
			b.ReportMetric(float64(size), "B/key")
		})
	}
}

// A request counts from its first byte on, and may come to its limit long after others that began later. It forgives nobody anything.
func TestLateRequestsForgiveNothing(t *testing.T) {
	for _, p := range []Policy{
		{Algorithm: SlidingWindow, Count: 10, Per: time.Second},
		{Algorithm: Quota, Count: 10, Per: time.Hour},
		{Algorithm: Quota, Count: 10, Per: Month},
	} {
		for _, late := range []int64{1, 40} {
			l := newOf(t, p, 100)
			now := date(t, "2026-01-01 00:00:00")
			begun := now - late*int64(100*time.Millisecond)
			if d := l.Take(7, now, 10); !d.Allowed {
				t.Fatalf("%+v: denied at first", p)
			}
			if d := l.Peek(7, begun, 1); d.Allowed {
				t.Errorf("%+v, %d: whoever began before looks at an unused limit: %+v", p, late, d)
			}
			d := l.Take(7, begun, 1)
			if d.Allowed || d.Remaining != 0 || d.RetryAfter <= 0 || d.RetryAfter > d.Reset {
				t.Errorf("%+v, %d: whoever began before: %+v", p, late, d)
			}
			if d := l.Take(7, now, 1); d.Allowed {
				t.Errorf("%+v, %d: after that, all is forgiven: %+v", p, late, d)
			}
		}
	}
}
