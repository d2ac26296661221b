package plugin

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
)

func TestStats(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{})
	a, b := pool.Filter("routes[0].filters[0]", chain.Deny), pool.Filter("routes[1].filters[2]", chain.Deny)
	for range 2 * timedEach {
		if _, err := a.Request(newExchange(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	stats := pool.Stats()
	if stats.Calls != 2*timedEach+1 || stats.FuelCounts[0] != stats.Calls || stats.Timed != 2+earlyTimed || stats.Time <= 0 || stats.IdleMemory != pageSize {
		t.Errorf("got %+v", stats)
	}
	first := a.(*filter).Stats()
	timed := uint64(0)
	for _, n := range first.Times {
		timed += n
	}
	if timed != 2+earlyTimed {
		t.Errorf("the classes have %d hooks, want %d: %v", timed, 2+earlyTimed, first.Times)
	}
	first.Times = [timeSteps]uint64{}
	compare(t, []FilterStats{first, b.(*filter).Stats()}, []FilterStats{
		{Where: "routes[0].filters[0]", Calls: 2 * timedEach}, {Where: "routes[1].filters[2]", Calls: 1},
	})
}

// earlyTimed is how many hooks are timed before the 64th: who tries a gateway by hand wants to see times, too.
const earlyTimed = 5

func TestTimedHooks(t *testing.T) {
	var got []int64
	for n := range int64(4*timedEach + 1) {
		if n > 0 && isTimed(n) {
			got = append(got, n)
		}
	}
	compare(t, got, []int64{2, 4, 8, 16, 32, 64, 128, 192, 256})
}

func TestFuelCounts(t *testing.T) {
	var s Stats
	for _, fuel := range []int64{0, 1024, 1025, 4096, 1 << 26, 1<<26 + 1, 1 << 60} {
		s.count(fuel)
	}
	want := s.FuelCounts
	want[0], want[1], want[8], want[9] = 2, 2, 1, 2
	compare(t, s.FuelCounts, want)
}

func TestTimeClasses(t *testing.T) {
	for class := range timeSteps - 1 {
		bound := TimeBound(class)
		compare(t, []int{timeClass(bound), timeClass(bound + 1)}, []int{class, class + 1})
	}
	compare(t, []int{timeClass(0), timeClass(-1), timeClass(time.Hour)}, []int{0, 0, timeSteps - 1})
	compare(t, []time.Duration{TimeBound(0), TimeBound(20), TimeBound(timeSteps - 1)}, []time.Duration{time.Microsecond, 1048576 * time.Microsecond, 0})
}
