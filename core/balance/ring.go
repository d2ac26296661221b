package balance

import (
	"math/bits"
	"slices"
)

const (
	// ringPoints is how many points the heaviest members have, or down to half as many: their shares are right to some two percent of
	// themselves. It depends on the others as little as can be, since points that come and go take keys with them.
	ringPoints = 4096
	// maxRing bounds the points of a ring, up to rounding: 2.6 MB.
	maxRing = 256 << 10
	// ownerBits of a point are not its place on the ring but say whose it is.
	ownerBits = 16
)

// ring gives each key the member whose point follows it on a circle, where each member has points by its weight. When a member
// goes, only its keys move.
type ring struct {
	table
	points []uint64 // sorted
}

func newRing(s shares, members []Member, factor float64) *ring {
	r := &ring{table: newTable(s, members, factor)}
	order, unit := byHash(s, members), pointsPerWeight(members)
	for rank, member := range order {
		m := &members[s.places[member]]
		n := max(1, int(unit*float64(m.Weight*percent(m))/100))
		for i := range n {
			at := mix(m.Hash + uint64(i+1)*golden)
			r.points = append(r.points, at>>ownerBits<<ownerBits|uint64(rank))
		}
	}
	slices.Sort(r.points)
	r.owners = make([]uint16, len(r.points))
	for i, point := range r.points {
		r.owners[i] = uint16(order[point&(1<<ownerBits-1)])
	}
	return r
}

// pointsPerWeight goes by all members' weights as they are configured, so that it stays when one is out or has not all of its weight yet.
func pointsPerWeight(members []Member) float64 {
	heaviest, sum := 1, 0.0
	for i := range members {
		heaviest = max(heaviest, members[i].Weight)
		sum += float64(members[i].Weight)
	}
	unit := ringPoints / float64(uint64(1)<<bits.Len(uint(heaviest-1)))
	return min(unit, maxRing/sum)
}

func (r *ring) pick(hash uint64, tried []int) int {
	low, high := 0, len(r.points)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if r.points[middle] < hash {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == len(r.points) {
		low = 0
	}
	return r.walk(low, hash, tried)
}
