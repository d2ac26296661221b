package upstream

import (
	"fmt"
	"log/slog"
)

// MaxWeight is the most that an endpoint can weigh.
const MaxWeight = 1000

// weighed is the operator's word on an endpoint's weight. The zero value says nothing.
type weighed struct {
	weight int
	over   int // what it was said instead of: once that changes, the newer word counts
}

// Weigh gives an endpoint another weight, 1 to MaxWeight, than it was given with; 0 takes that back. It lasts, reloads included, until it is
// taken back, until the endpoint is given with another weight than now, or is not among those of the Upstream any more. Any goroutine may
// call it.
func (u *Upstream) Weigh(address string, weight int) error {
	if weight < 0 || weight > MaxWeight {
		return fmt.Errorf("%d is no weight: 1 to %d, or 0 for that of the config", weight, MaxWeight)
	}
	u.changing.Lock()
	defer u.changing.Unlock()
	v := u.view.Load()
	for i, e := range v.endpoints {
		if e.address != address {
			continue
		}
		e.standing.weigh(weighed{weight, v.terms[i].Weight})
		u.log(slog.LevelInfo, "the operator weighs an endpoint", "endpoint", address, "weight", e.standing.weight(v.terms[i].Weight))
		return u.choose(v.endpoints, v.terms)
	}
	return fmt.Errorf("upstream %q has no endpoint %q", u.options.Name, address)
}

func (s *standing) weigh(w weighed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weighed = w
}

func (s *standing) word() weighed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.weighed
}

// weight returns what an endpoint weighs that was given with that weight.
func (s *standing) weight(given int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weighed.over != given {
		s.weighed = weighed{} // for good: it must not come back when the former weight does
	}
	if s.weighed.weight == 0 {
		return given
	}
	return s.weighed.weight
}
