package balance

import (
	"math/rand/v2"
	"sync/atomic"
)

const (
	// maxSchedule is the most entries of a precomputed turn.
	maxSchedule = 16 << 10
	// maxScheduleWork bounds entries times members, what making the turn costs: some 20 ms.
	maxScheduleWork = 16 << 20
)

// Turn is how far round_robin has come. It outlives the Pickers that share it, else a group that often changes would begin with its
// first member again and again. The zero value is ready for use; many goroutines may use it at once.
type Turn struct {
	_    [64]byte // the counter is written by all: it has a cache line to itself
	next atomic.Uint64
	_    [56]byte
}

// roundRobin gives each member its turns, as evenly spread as their weights allow.
type roundRobin struct {
	shares
	// schedule is one whole turn; nil when the places themselves are one, or when it would be too long.
	schedule []uint16
	turn     *Turn
}

func newRoundRobin(s shares, turn *Turn) *roundRobin {
	if turn == nil {
		turn = new(Turn)
	}
	r := &roundRobin{shares: s, turn: turn}
	if !s.equal && s.total <= maxSchedule && int(s.total)*len(s.ends) <= maxScheduleWork {
		r.schedule = smooth(s.weights, s.total)
	}
	return r
}

// pick returns the next member. A caller that has tried some gets any other by weight and leaves the turn as it is.
func (r *roundRobin) pick(_ uint64, tried []int) int {
	if len(tried) > 0 {
		return r.place(r.drawUntried(rand.Uint32(), tried))
	}
	n := r.turn.next.Add(1) - 1
	switch {
	case r.equal:
		return r.places[n%uint64(len(r.ends))]
	case r.schedule != nil:
		return r.places[r.schedule[n%uint64(len(r.schedule))]]
	}
	return r.places[r.draw(uint32(n*golden>>32))]
}

// smooth makes one turn in which every member has as many entries as its weight and they lie as far apart as can be:
// at each step all gain their weight in credit, and the richest pays the total for the entry.
func smooth(weights []uint32, total uint32) []uint16 {
	schedule := make([]uint16, total)
	credit := make([]int64, len(weights))
	for step := range schedule {
		best := 0
		for i, weight := range weights {
			credit[i] += int64(weight)
			if credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= int64(total)
		schedule[step] = uint16(best)
	}
	return schedule
}
