package balance

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// shares are the weights of a level's members, divided by what they have in common, as adjoining ranges on a line.
type shares struct {
	places  []int // of the members among those given to New
	weights []uint32
	ends    []uint32 // ends[i] is where the range of member i ends and that of i+1 begins
	total   uint32
	equal   bool // all weights are the same
}

var errWeights = errors.New("the weights are too large together")

func newShares(members []Member, places []int) (shares, error) {
	s := shares{places: places, weights: make([]uint32, len(places)), ends: make([]uint32, len(places)), equal: true}
	common := 0
	for _, place := range places {
		weight, err := weightOf(&members[place])
		if err != nil {
			return shares{}, err
		}
		common = divisor(weight, common)
	}
	total := uint64(0)
	for i, place := range places {
		weight := members[place].Weight * percent(&members[place]) / common
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

// weightOf returns the member's weight in hundredths.
func weightOf(m *Member) (int, error) {
	if m.Weight > math.MaxInt/100 {
		return 0, errWeights
	}
	return m.Weight * percent(m), nil
}

func percent(m *Member) int {
	if m.Percent == 0 {
		return 100
	}
	return m.Percent
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

// drawUntried returns a member by weight whose place is not among tried, -1 when there is none. It looks at all: who has tried one in
// vain has time.
func (s *shares) drawUntried(random uint32, tried []int) int {
	left := uint32(0)
	for i, weight := range s.weights {
		if !s.isTried(i, tried) {
			left += weight
		}
	}
	point := scale(random, left)
	for i, weight := range s.weights {
		if s.isTried(i, tried) {
			continue
		}
		if point < weight {
			return i
		}
		point -= weight
	}
	return -1
}

func (s *shares) isTried(member int, tried []int) bool {
	return len(tried) > 0 && slices.Contains(tried, s.places[member])
}

// two returns two members by weight, -1 when all are tried. They differ when none is tried; otherwise they may be the same.
func (s *shares) two(tried []int) (first, second int) {
	random := rand.Uint64()
	if len(tried) > 0 {
		return s.drawUntried(uint32(random), tried), s.drawUntried(uint32(random>>32), tried)
	}
	first = s.draw(uint32(random))
	return first, s.drawOther(uint32(random>>32), first)
}

// place returns where the member stands among those given to New; -1 stays -1.
func (s *shares) place(member int) int {
	if member < 0 {
		return -1
	}
	return s.places[member]
}

// scale maps the whole range of a uint32 evenly to 0…n-1.
func scale(random, n uint32) uint32 {
	return uint32(uint64(random) * uint64(n) >> 32)
}

// only is the policy of a level with one member: its place.
type only int

func (o only) pick(_ uint64, tried []int) int {
	if slices.Contains(tried, int(o)) {
		return -1
	}
	return int(o)
}

func checkPolicy(o Options) error {
	if !slices.Contains(Policies(), o.Policy) {
		return fmt.Errorf("unknown balancing policy %q: there are %s", o.Policy, strings.Join(Policies(), ", "))
	}
	if o.Factor != 0 && !(o.Factor >= 1) {
		return fmt.Errorf("a bound of %v times a member's share of the load: the least is 1", o.Factor)
	}
	return nil
}
