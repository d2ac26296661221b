package balance

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sync/atomic"
)

const (
	// maxHashed is the most members of a group that is picked from by hash.
	maxHashed = 1 << 16
	// maxWalk is how far a table is walked for a member with room; then all members are looked at.
	maxWalk = 1024
)

// table is who owns which part of the hashes, in an order in which the next after an owner is as good as any. Both policies that go by the
// hash walk it on from where the hash falls.
type table struct {
	shares
	owners []uint16
	active []*atomic.Int64 // nil: the load is not bounded
	factor float64
}

func newTable(s shares, members []Member, factor float64) table {
	t := table{shares: s, factor: factor}
	if factor > 0 {
		t.active = counts(s, members)
	}
	return t
}

// byHash returns the level's members in the order of their hashes: the same whatever order they were given in.
func byHash(s shares, members []Member) []int {
	order := make([]int, len(s.places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(members[s.places[a]].Hash, members[s.places[b]].Hash) })
	return order
}

// walk returns the place of the first untried member with room, beginning at an entry of the table; the first untried one when none has
// room, and -1 when all are tried.
func (t *table) walk(start int, hash uint64, tried []int) int {
	first, load := -1, int64(-1)
	for n, at := min(len(t.owners), maxWalk), start; n > 0; n-- {
		member := int(t.owners[at])
		if !t.isTried(member, tried) {
			if t.hasRoom(member, &load) {
				return t.places[member]
			}
			if first < 0 {
				first = member
			}
		}
		if at++; at == len(t.owners) {
			at = 0
		}
	}
	return t.place(t.search(first, hash, tried, &load))
}

// search looks at all members, from one that the hash says.
func (t *table) search(first int, hash uint64, tried []int, load *int64) int {
	start, _ := bits.Mul64(hash, uint64(len(t.places)))
	for n := range len(t.places) {
		member := (int(start) + n) % len(t.places)
		if t.isTried(member, tried) {
			continue
		}
		if t.hasRoom(member, load) {
			return member
		}
		if first < 0 {
			first = member
		}
	}
	return first
}

// hasRoom reports whether one exchange more leaves the member within its bound: so many times its share of all that is in flight, this
// one included ("Consistent Hashing with Bounded Loads", 2016). A load below 0 is counted when it is first needed.
func (t *table) hasRoom(member int, load *int64) bool {
	if t.active == nil {
		return true
	}
	active := t.active[member].Load()
	if active <= 0 {
		return true
	}
	if *load < 0 {
		*load = t.load()
	}
	bound := math.Ceil(t.factor * float64(*load+1) * float64(t.weights[member]) / float64(t.total))
	return float64(active+1) <= bound
}

// load returns how many exchanges all members have in flight.
func (t *table) load() int64 {
	sum := int64(0)
	for _, active := range t.active {
		sum += active.Load()
	}
	return max(sum, 0)
}
