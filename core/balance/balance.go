// Package balance picks one of several weighted members for each exchange.
package balance

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
)

// Member is what a policy knows of one member of a group.
type Member struct {
	// Weight is the member's share relative to the others, at least 1.
	Weight int
	// Active counts the exchanges in flight; the caller keeps it. Only least_request reads it, others take nil.
	Active *atomic.Int64
}

// Picker chooses members; many goroutines may call it at once.
type Picker interface {
	// Pick returns the place of a member among those given to New, one of tried only when there is no other, and -1 when there is no
	// member at all. The hash says which requests belong together; policies that do not go by it take any.
	Pick(hash uint64, tried []int) int
}

// New returns the Picker of a policy over the members: "round_robin" or "least_request". It keeps nothing of the
// slice. A group whose members change gets a new Picker.
func New(policy string, members []Member) (Picker, error) {
	s, err := newShares(members)
	if err != nil {
		return nil, err
	}
	switch policy {
	case "round_robin":
		return newRoundRobin(s), nil
	case "least_request":
		return newLeastRequest(s, members)
	}
	return nil, fmt.Errorf("unknown balancing policy %q: there are round_robin and least_request", policy)
}

// shares are the members' weights, divided by what they have in common, as adjoining ranges on a line.
type shares struct {
	weights []uint32
	ends    []uint32 // ends[i] is where the range of member i ends and that of i+1 begins
	total   uint32
	equal   bool // all weights are the same
}

var errWeights = errors.New("the weights are too large together")

func newShares(members []Member) (shares, error) {
	s := shares{weights: make([]uint32, len(members)), ends: make([]uint32, len(members)), equal: true}
	common := 0
	for i, m := range members {
		if m.Weight < 1 {
			return shares{}, fmt.Errorf("weight %d of member %d: the least is 1", m.Weight, i)
		}
		common = divisor(m.Weight, common)
	}
	total := uint64(0)
	for i, m := range members {
		weight := m.Weight / common
		// Half the range of a uint32, so that the draw below stays fair to one part in a million and more.
		if weight > math.MaxInt32 || total+uint64(weight) > math.MaxInt32 {
			return shares{}, errWeights
		}
		total += uint64(weight)
		s.weights[i], s.ends[i] = uint32(weight), uint32(total)
		s.equal = s.equal && weight == 1
	}
	s.total = uint32(total)
	return s, nil
}

// divisor returns the greatest common divisor of a and b, where b may be 0.
func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// at returns the member in whose range the point lies.
func (s *shares) at(point uint32) int {
	if s.equal {
		return int(point)
	}
	low, high := 0, len(s.ends)-1
	for low < high {
		middle := int(uint(low+high) >> 1)
		if point < s.ends[middle] {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// draw returns a member by weight; random decides.
func (s *shares) draw(random uint32) int {
	return s.at(scale(random, s.total))
}

// drawOther returns a member by weight, but not avoid; there must be at least two.
func (s *shares) drawOther(random uint32, avoid int) int {
	point := scale(random, s.total-s.weights[avoid])
	if point >= s.ends[avoid]-s.weights[avoid] {
		point += s.weights[avoid]
	}
	return s.at(point)
}

// few answers Pick for groups of no or one member.
func (s *shares) few() (place int, ok bool) {
	return len(s.ends) - 1, len(s.ends) < 2
}

// last returns the member that was tried last, -1 if none was.
func last(tried []int) int {
	if len(tried) == 0 {
		return -1
	}
	return tried[len(tried)-1]
}

// scale maps the whole range of a uint32 evenly to 0…n-1.
func scale(random, n uint32) uint32 {
	return uint32(uint64(random) * uint64(n) >> 32)
}
