package balance

import (
	"sync/atomic"
	"time"
)

// ewma draws two different members by weight and takes the one that will probably answer sooner: by how long it has taken lately, times
// those that wait for it, this one included. Those that wait already count for the member's weight, this one does not: else what is drawn
// by weight would be weighed again, and idle members that are equally fast would not be picked by weight.
type ewma struct {
	shares
	mean    float64 // of the weights
	active  []*atomic.Int64
	latency []*Latency
	now     func() int64
}

func newEWMA(s shares, members []Member) *ewma {
	e := &ewma{shares: s, mean: float64(s.total) / float64(len(s.places)), active: counts(s, members), now: func() int64 { return time.Now().UnixNano() }}
	for _, place := range s.places {
		e.latency = append(e.latency, members[place].Latency)
	}
	return e
}

// pick takes a member that has not answered yet to be as fast as the other: it gets no flood of exchanges, and is found out soon.
func (e *ewma) pick(_ uint64, tried []int) int {
	first, second := e.two(tried)
	if first < 0 {
		return -1
	}
	now := e.now()
	a, b := e.latency[first].At(now), e.latency[second].At(now)
	if a == 0 || b == 0 {
		a, b = 1, 1
	}
	if b*e.queue(second) < a*e.queue(first) {
		return e.places[second]
	}
	return e.places[first]
}

// queue returns how many wait for the member once this exchange does.
func (e *ewma) queue(member int) float64 {
	return float64(e.active[member].Load())*e.mean/float64(e.weights[member]) + 1
}
