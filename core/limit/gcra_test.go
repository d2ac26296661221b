package limit

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

func newLimiter(t testing.TB, p Policy, keys int) *buckets {
	t.Helper()
	l, err := New(p, keys)
	if err != nil {
		t.Fatal(err)
	}
	return l.(*buckets)
}

func TestTake(t *testing.T) {
	const start = int64(1_700_000_000_000_000_000)
	type step struct {
		after     time.Duration // since the step before
		n         int64
		allowed   bool
		remaining int64
		reset     time.Duration
		retry     time.Duration
	}
	tests := []struct {
		name  string
		rate  Policy
		steps []step
	}{
		{"burst, then one a second", Policy{GCRA, 1, time.Second, 2}, []step{
			{0, 1, true, 1, time.Second, 0},
			{0, 1, true, 0, 2 * time.Second, 0},
			{0, 1, false, 0, 2 * time.Second, time.Second},
			{500 * time.Millisecond, 1, false, 0, 1500 * time.Millisecond, 500 * time.Millisecond},
			{500 * time.Millisecond, 1, true, 0, 2 * time.Second, 0},
		}},
		{"several at once, all or none", Policy{GCRA, 10, time.Second, 10}, []step{
			{0, 7, true, 3, 700 * time.Millisecond, 0},
			{0, 4, false, 3, 700 * time.Millisecond, 100 * time.Millisecond},
			{0, 3, true, 0, time.Second, 0},
		}},
		{"more than the bucket holds", Policy{GCRA, 10, time.Second, 10}, []step{{0, 11, false, 0, 0, time.Second}}},
		{"an hour later all is forgotten", Policy{GCRA, 1, time.Minute, 1}, []step{
			{0, 1, true, 0, time.Minute, 0},
			{time.Hour, 1, true, 0, time.Minute, 0},
		}},
		{"a clock that goes back gives nothing away", Policy{GCRA, 1, time.Second, 1}, []step{
			{0, 1, true, 0, time.Second, 0},
			{-time.Second, 1, false, -1, 2 * time.Second, 2 * time.Second},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLimiter(t, test.rate, 100)
			now := start
			for i, s := range test.steps {
				now += int64(s.after)
				want := Decision{s.allowed, max(s.remaining, 0), s.reset, s.retry}
				if got := l.Take(42, now, s.n); got != want {
					t.Fatalf("step %d:\ngot  %+v\nwant %+v", i, got, want)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name string
		rate Policy
		keys int
	}{
		{"no count", Policy{GCRA, 0, time.Second, 1}, 100},
		{"no period", Policy{GCRA, 1, 0, 1}, 100},
		{"no burst", Policy{GCRA, 1, time.Second, 0}, 100},
		{"too fast", Policy{GCRA, 2, time.Nanosecond, 1}, 100},
		{"endless burst", Policy{GCRA, 1, time.Hour, 1 << 40}, 100},
		{"no keys", Policy{GCRA, 1, time.Second, 1}, 0},
	}
	for _, test := range tests {
		if _, err := New(test.rate, test.keys); err == nil {
			t.Errorf("%s: taken", test.name)
		}
	}
}

// At a frozen clock exactly the burst is allowed for each key, whoever comes first.
func TestExactUnderContention(t *testing.T) {
	const keys, burst, workers = 16, 500, 64
	l := newLimiter(t, Policy{GCRA, 1000, time.Hour, burst}, 10_000)
	seed := NewSeed()
	var allowed [keys]atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := range keys * burst / 16 {
				key := i % keys
				if l.Take(seed.Join(0, string(rune('a'+key))), 1e18, 1).Allowed {
					allowed[key].Add(1)
				}
			}
		})
	}
	wait.Wait()
	for key := range allowed {
		if got := allowed[key].Load(); got != burst {
			t.Errorf("key %d: %d allowed, want %d", key, got, burst)
		}
	}
}

// Keys that push each other out at full speed: memory stays what it was, and nobody is denied who should not be.
func TestMoreKeysThanRoom(t *testing.T) {
	l := newLimiter(t, Policy{GCRA, 1, time.Hour, 1}, 64)
	var wait sync.WaitGroup
	for w := range 8 {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for range 20_000 {
				key := random.Uint64()
				if !l.Take(key, 1e18, 1).Allowed {
					t.Errorf("the first request of key %x was denied", key)
					return
				}
			}
		})
	}
	wait.Wait()
	if len(l.slots) != 128 {
		t.Errorf("%d slots", len(l.slots))
	}
}

// The buckets that are fullest are forgotten first: who is at the limit stays there.
func TestTheBusyAreRememberedLongest(t *testing.T) {
	l := newLimiter(t, Policy{GCRA, 1, time.Second, 100}, 8)
	const now = int64(1e18)
	if !l.Take(7, now, 100).Allowed {
		t.Fatal("denied at first")
	}
	for key := uint64(100); key < 1000; key++ {
		l.Take(key, now, 1)
	}
	if l.Take(7, now, 1).Allowed {
		t.Error("the busiest key was forgotten")
	}
}

// FuzzTake compares with the plain formula, key by key.
func FuzzTake(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, ops []byte) {
		const interval, tolerance = int64(100 * time.Millisecond), int64(time.Second)
		l := newLimiter(t, Policy{GCRA, 10, time.Second, 10}, 8*256*8)
		model := map[uint64]int64{}
		now := int64(1e18)
		for i := 0; i+1 < len(ops); i += 2 {
			now += int64(ops[i]>>2) * int64(10*time.Millisecond)
			key, n := uint64(ops[i]&3)+1, int64(ops[i+1]%12)
			next := max(model[key], now) + n*interval
			want := n > 0 && next-now <= tolerance
			if want {
				model[key] = next
			}
			if got := l.Take(key<<61, now, n); got.Allowed != want {
				t.Fatalf("op %d: got %+v, want %v", i, got, want)
			}
		}
	})
}

func BenchmarkTake(b *testing.B) {
	l := newLimiter(b, Policy{GCRA, 1_000_000, time.Second, 1_000_000}, 100_000)
	now := int64(1e18)
	b.ReportAllocs()
	for b.Loop() {
		now += 1000
		l.Take(12345678901234567, now, 1)
	}
}

// setBack is t as time.Now would have returned it if the system's clock had been set back before: only the wall clock's part
// of t is another. There is no way to ask for that, so it is done to the bits.
func setBack(t *testing.T, now time.Time, hours uint64) time.Time {
	t.Helper()
	stepped := now
	wall := (*uint64)(unsafe.Pointer(&stepped)) // 33 bits of seconds above 30 bits of nanoseconds
	*wall -= hours * 3600 << 30
	if got, want := stepped.Unix(), now.Unix()-int64(hours)*3600; got != want {
		t.Fatalf("time.Time is laid out in another way: got %d, want %d", got, want)
	}
	return stepped
}

func TestASystemClockSetBackDeniesNobody(t *testing.T) {
	l := newLimiter(t, Policy{GCRA, 1, time.Second, 1}, 100)
	now := time.Now()
	if !l.Take(42, l.At(now), 1).Allowed {
		t.Fatal("denied at first")
	}
	later := setBack(t, now.Add(time.Second), 1)
	if got := l.Take(42, l.At(later), 1); !got.Allowed {
		t.Errorf("a second later, the clock set back by an hour: got %+v", got)
	}
}

func TestTakeAllocatesNothing(t *testing.T) {
	l := newLimiter(t, Policy{GCRA, 1, time.Second, 1}, 100)
	seed := NewSeed()
	if n := testing.AllocsPerRun(100, func() { l.Take(seed.Join(seed.JoinBytes(0, []byte("10.0.0.1")), "x"), 1e18, 1) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
