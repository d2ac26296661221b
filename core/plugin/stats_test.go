package plugin

import (
	"testing"

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
	if stats.Calls != 2*timedEach+1 || stats.FuelCounts[0] != stats.Calls || stats.Timed != 2 || stats.Time <= 0 || stats.IdleMemory != pageSize {
		t.Errorf("got %+v", stats)
	}
	compare(t, []FilterStats{a.(*filter).Stats(), b.(*filter).Stats()}, []FilterStats{
		{"routes[0].filters[0]", 2 * timedEach, 0}, {"routes[1].filters[2]", 1, 0},
	})
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
