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
	if stats.Calls != 2*timedEach+1 || stats.FuelCounts[0] != stats.Calls || stats.Timed != 3 || stats.Time <= 0 || stats.IdleMemory != pageSize {
		t.Errorf("got %+v", stats)
	}
	first, second := a.(*filter).Stats(), b.(*filter).Stats()
	for want, filter := range map[uint64]*FilterStats{2: &first, 1: &second} {
		timed := uint64(0)
		for _, n := range filter.Times {
			timed += n
		}
		if timed != want {
			t.Errorf("%s: the classes have %d hooks, want %d: %v", filter.Where, timed, want, filter.Times)
		}
		filter.Times = [timeSteps]uint64{}
	}
	compare(t, []FilterStats{first, second}, []FilterStats{
		{Where: "routes[0].filters[0]", Calls: 2 * timedEach}, {Where: "routes[1].filters[2]", Calls: 1},
	})
}

// Hooks of one exchange follow each other in turn: whoever times each so-manieth must not meet the same one every time, and a filter that is
// seldom called must not wait for its first.
func TestEveryHookHasItsTurnToBeTimed(t *testing.T) {
	for hooks := int64(1); hooks <= 8; hooks++ {
		timed := make([]int, hooks)
		for n := int64(1); n <= hooks*timedEach; n++ {
			if isTimed(n) {
				timed[(n-1)%hooks]++
			}
		}
		for hook, got := range timed {
			if got != 1 {
				t.Errorf("of %d hooks in turn, number %d is timed %d times in %d rounds, want once", hooks, hook, got, timedEach)
			}
		}
	}
	if !isTimed(1) {
		t.Error("the first call is not timed")
	}
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
