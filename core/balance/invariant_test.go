package balance

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestWhateverTheGroup: for groups of any kind, a pick is a member that may be used, and one that was tried only when there is no other.
func TestWhateverTheGroup(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		members := group(slices.Repeat([]int{1}, random.IntN(8))...)
		for i := range members {
			m := &members[i]
			m.Weight, m.Percent, m.Priority = 1+random.IntN(20), random.IntN(101), random.IntN(3)
			m.Away, m.Out, m.New, m.Never = random.IntN(3) == 0, random.IntN(3) == 0, random.IntN(2) == 0, random.IntN(10) == 0
			m.Active.Store(random.Int64N(20))
			m.Latency.Observe(time.Duration(random.IntN(1e9)), time.Now().UnixNano())
		}
		o := Options{Panic: []int{0, 50, 100}[random.IntN(3)], Factor: []float64{0, 1, 1.25}[random.IntN(3)]}
		for _, o.Policy = range Policies() {
			checkPicks(t, o, members, random)
		}
	}
}

func checkPicks(t *testing.T, o Options, members []Member, random *rand.Rand) {
	t.Helper()
	p, err := New(o, members)
	if err != nil {
		t.Fatal(err)
	}
	var tried []int
	seen := map[int]bool{}
	for range 2 * len(members) {
		place := p.Pick(random.Uint64(), tried)
		if place < 0 {
			break
		}
		if m := members[place]; m.Never || m.Out && o.Panic == 0 {
			t.Fatalf("%+v: picked %+v", o, m)
		}
		if len(seen) > 0 && slices.Contains(tried, place) && len(seen) < countUsed(p) {
			t.Fatalf("%+v: picked %d again after %v, of %+v", o, place, tried, members)
		}
		seen[place] = true
		tried = append(tried, place)
	}
	for i, m := range members {
		if !m.Out && !m.Never && !seen[i] {
			t.Fatalf("%+v: %d was never picked, only %v, of %+v", o, i, tried, members)
		}
	}
}

// countUsed is how many members the levels have together.
func countUsed(p *Picker) (n int) {
	for _, l := range p.levels {
		n += len(l.places)
	}
	return n
}
