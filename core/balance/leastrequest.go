package balance

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// leastRequest draws two different members by weight and takes the one with fewer exchanges in flight for its
// weight. That is nearly as good as looking at all, and does not herd: no member is everybody's favourite at once.
type leastRequest struct {
	shares
	active []*atomic.Int64
}

func newLeastRequest(s shares, members []Member) (*leastRequest, error) {
	l := &leastRequest{shares: s, active: make([]*atomic.Int64, len(members))}
	for i, m := range members {
		if m.Active == nil {
			return nil, fmt.Errorf("member %d has no count of exchanges in flight", i)
		}
		l.active[i] = m.Active
	}
	return l, nil
}

// Pick returns the less busy of two. When they are equally busy the first drawn wins, so that idle members are
// picked exactly by weight.
func (l *leastRequest) Pick(_ uint64, tried []int) int {
	if place, ok := l.few(); ok {
		return place
	}
	random := rand.Uint64()
	if avoid := last(tried); avoid >= 0 {
		return l.pickOther(random, avoid)
	}
	first := l.draw(uint32(random))
	second := l.drawOther(uint32(random>>32), first)
	return l.lessBusy(first, second)
}

// pickOther draws both from the members other than avoid; they may be the same one.
func (l *leastRequest) pickOther(random uint64, avoid int) int {
	first := l.drawOther(uint32(random), avoid)
	second := l.drawOther(uint32(random>>32), avoid)
	return l.lessBusy(first, second)
}

// lessBusy compares active/weight without dividing.
func (l *leastRequest) lessBusy(first, second int) int {
	a, b := l.active[first].Load(), l.active[second].Load()
	if b*int64(l.weights[first]) < a*int64(l.weights[second]) {
		return second
	}
	return first
}
