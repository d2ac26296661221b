// Package balance picks one of several weighted members for each exchange.
package balance

import (
	"fmt"
	"sync/atomic"
)

// Member is what a policy knows of one member of a group.
type Member struct {
	// Weight is the member's share relative to the others, at least 1.
	Weight int
	// Percent of the weight that counts for now, 1 to 100; 0 stands for 100.
	Percent int
	// Priority says whose turn it is: 0 first, the next when those of lower numbers cannot take all.
	Priority int
	// Away says that, among members of one priority, those that are not away come first.
	Away bool
	// Out says that the member cannot be used, unless the group panics.
	Out bool
	// New says of one that is Out that this is for want of knowing better: it is no sign of trouble, and counts in no share.
	New bool
	// Never says that it must not be used even in a panic: it counts as if it were not there.
	Never bool
	// Hash is what ring_hash and maglev place the member by: of its name, so that it stays where it is whoever comes and goes.
	Hash uint64
	// Active counts the exchanges in flight; the caller keeps it. least_request, ewma and a bound on the load need it, others take nil.
	Active *atomic.Int64
	// Latency is how fast the member has answered; the caller feeds it. Only ewma needs it.
	Latency *Latency
}

// Options say how members are picked.
type Options struct {
	// Policy is one of Policies.
	Policy string
	// Factor bounds the load of a member under ring_hash and maglev: at most so many times its share of what is in flight, at least 1; 0: no
	// bound.
	Factor float64
	// Panic is the percentage of members that can be used below which all are used; 0: never.
	Panic int
	// Turn lets round_robin go on where the Picker before it stopped; nil: it begins with the first member.
	Turn *Turn
}

// Policies returns the names of all policies.
func Policies() []string {
	return []string{"round_robin", "random", "least_request", "ewma", "ring_hash", "maglev"}
}

// Hashes reports whether a policy goes by the hash that Pick is given.
func Hashes(policy string) bool { return policy == "ring_hash" || policy == "maglev" }

// policy chooses among the members of one level. Many goroutines may call it at once.
type policy interface {
	// pick returns the place of a member that is not among tried, -1 when there is none.
	pick(hash uint64, tried []int) int
}

// Picker chooses members; many goroutines may use it at once, and none waits for another.
type Picker struct {
	levels  []level
	all     policy // of the only level, nil when there are several
	places  []place
	panicks bool
	hashes  bool // the policy goes by the hash
}

// place is what becomes of one of the members.
type place struct {
	keeps  bool
	weight float64
}

// New returns the Picker of the members, whose places are those of the slice; it keeps nothing of the slice itself. A group that changes
// gets a new Picker.
func New(o Options, members []Member) (*Picker, error) {
	if err := check(o, members); err != nil {
		return nil, err
	}
	p := &Picker{places: make([]place, len(members)), hashes: Hashes(o.Policy)}
	for _, l := range rank(members, o.Panic) {
		if len(l.places) == 0 {
			continue
		}
		var err error
		if l.policy, err = newPolicy(o, members, l.places); err != nil {
			return nil, err
		}
		p.levels, p.panicks = append(p.levels, l), p.panicks || l.panicks && l.load > 0
		for _, at := range l.places {
			p.places[at].keeps = !members[at].Out || l.blind
			if l.load > 0 {
				p.places[at].weight = float64(members[at].Weight*percent(&members[at])) / 100
			}
		}
	}
	if len(p.levels) == 1 {
		p.all = p.levels[0].policy
	}
	return p, nil
}

// Pick returns the place of a member, one of tried only when there is no other, and -1 when there is none that could be used. The hash
// says which requests belong together; policies that do not go by it take any.
func (p *Picker) Pick(hash uint64, tried []int) int {
	if p.all != nil && len(tried) == 0 {
		return p.all.pick(hash, nil)
	}
	return p.pickLevel(hash, tried)
}

// Keeps reports whether who has been sent to the member at a place before may stay there. In a panic that is so only when no member can be
// used, for then nothing tells them apart.
func (p *Picker) Keeps(place int) bool { return p.places[place].keeps }

// Weight returns what the weight of the member at a place comes to: 0 when it is not picked unless others have been tried in vain.
func (p *Picker) Weight(place int) float64 { return p.places[place].weight }

// Panics reports whether so few members can be used that all are.
func (p *Picker) Panics() bool { return p.panicks }

// newPolicy makes the policy for the members at those places, of which there is at least one.
func newPolicy(o Options, members []Member, places []int) (policy, error) {
	if len(places) == 1 {
		return only(places[0]), nil
	}
	s, err := newShares(members, places)
	if err != nil {
		return nil, err
	}
	switch o.Policy {
	case "random":
		return &random{s}, nil
	case "least_request":
		return newLeastRequest(s, members), nil
	case "ewma":
		return newEWMA(s, members), nil
	case "ring_hash":
		return newRing(s, members, o.Factor), nil
	case "maglev":
		return newMaglev(s, members, o.Factor), nil
	}
	return newRoundRobin(s, o.Turn), nil
}

// check says what is wrong with what New is given.
func check(o Options, members []Member) error {
	if err := checkPolicy(o); err != nil {
		return err
	}
	hashes := Hashes(o.Policy)
	if hashes && len(members) > maxHashed {
		return fmt.Errorf("%d members are too many for %s: the most is %d", len(members), o.Policy, maxHashed)
	}
	counts := o.Policy == "least_request" || o.Policy == "ewma" || hashes && o.Factor > 0
	for i, m := range members {
		switch {
		case m.Weight < 1:
			return fmt.Errorf("weight %d of member %d: the least is 1", m.Weight, i)
		case m.Percent < 0 || m.Percent > 100:
			return fmt.Errorf("member %d has %d %% of its weight", i, m.Percent)
		case counts && m.Active == nil:
			return fmt.Errorf("member %d has no count of exchanges in flight", i)
		case o.Policy == "ewma" && m.Latency == nil:
			return fmt.Errorf("member %d has no latency", i)
		}
	}
	return nil
}
