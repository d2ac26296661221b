package balance

import "sync/atomic"

// leastRequest draws two different members by weight and takes the one with fewer exchanges in flight for its
// weight. That is nearly as good as looking at all, and does not herd: no member is everybody's favourite at once.
type leastRequest struct {
	shares
	active []*atomic.Int64
}

func newLeastRequest(s shares, members []Member) *leastRequest {
	return &leastRequest{s, counts(s, members)}
}

// counts returns the members' counts of exchanges in flight.
func counts(s shares, members []Member) []*atomic.Int64 {
	list := make([]*atomic.Int64, len(s.places))
	for i, place := range s.places {
		list[i] = members[place].Active
	}
	return list
}

// pick returns the less busy of two. When they are equally busy the first drawn wins, so that idle members are
// picked exactly by weight.
func (l *leastRequest) pick(_ uint64, tried []int) int {
	first, second := l.two(tried)
	if first < 0 {
		return -1
	}
	// active/weight is compared without dividing
	a, b := l.active[first].Load(), l.active[second].Load()
	if b*int64(l.weights[first]) < a*int64(l.weights[second]) {
		return l.places[second]
	}
	return l.places[first]
}
