package balance

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// spare is how many times its share of the load a level is taken to stand: with one in four members out, the others still take all, and
// below that the rest of the load flows over to the next level.
const spare = 1.4

// level is members that come at the same turn: of one priority, and either at home or away.
type level struct {
	policy
	places  []int   // of the members that are used; none: the level is left out
	load    float64 // the part of all picks that begins here
	panicks bool    // all of its members are used, whether they can be or not
	blind   bool    // it panics, and no member of any level can be used
}

// turn is what tells levels apart.
type turn struct {
	priority int
	away     bool
}

func (t turn) compare(other turn) int {
	if t.priority != other.priority || t.away == other.away {
		return cmp.Compare(t.priority, other.priority)
	}
	if other.away {
		return -1
	}
	return 1
}

// rank sorts the members into levels, the first at first, and shares the load out among them: each level takes as much of what those
// before it leave as it can stand, and when all together cannot stand it, each takes more in proportion.
func rank(members []Member, panicBelow int) []level {
	var levels []level
	var health []float64
	sum := 0.0
	for _, all := range turns(members) {
		usable := slices.DeleteFunc(slices.Clone(all), func(place int) bool { return members[place].Out })
		share := usableShare(members, all)
		l := level{places: usable}
		if share*100 < float64(panicBelow) {
			l.places, l.panicks = all, true
		}
		levels, health = append(levels, l), append(health, min(1, spare*share))
		sum += health[len(health)-1]
	}
	if len(levels) > 1 && sum >= 1 {
		calm(levels, members) // together they can take all
	}
	distribute(levels, health, sum)
	return levels
}

// usableShare returns which part of a level's members can be used, of those that anything is known of.
func usableShare(members []Member, places []int) float64 {
	usable, known := 0, 0
	for _, place := range places {
		switch m := &members[place]; {
		case !m.Out:
			usable, known = usable+1, known+1
		case !m.New:
			known++
		}
	}
	if known == 0 {
		return 0
	}
	return float64(usable) / float64(known)
}

// turns returns the places of the members of each level.
func turns(members []Member) [][]int {
	byTurn := map[turn][]int{}
	var order []turn
	for i := range members {
		if members[i].Never {
			continue
		}
		t := turn{members[i].Priority, members[i].Away}
		if byTurn[t] == nil {
			order = append(order, t)
		}
		byTurn[t] = append(byTurn[t], i)
	}
	slices.SortFunc(order, turn.compare)
	list := make([][]int, len(order))
	for i, t := range order {
		list[i] = byTurn[t]
	}
	return list
}

// calm takes back the levels' panic.
func calm(levels []level, members []Member) {
	for i := range levels {
		if l := &levels[i]; l.panicks {
			l.panicks = false
			l.places = slices.DeleteFunc(l.places, func(place int) bool { return members[place].Out })
		}
	}
}

// distribute gives each level its load. When no member can be used at all, the first level that is used all the same has it.
func distribute(levels []level, health []float64, sum float64) {
	if sum == 0 {
		if len(levels) > 0 {
			levels[0].load, levels[0].blind = 1, levels[0].panicks
		}
		return
	}
	left := 1.0
	for i := range levels {
		levels[i].load = min(left, health[i]/min(sum, 1))
		left -= levels[i].load
	}
}

// pickLevel asks the level that the hash or chance leads to, then the others in their order, and then again for one that was tried.
func (p *Picker) pickLevel(hash uint64, tried []int) int {
	if len(p.levels) == 0 {
		return -1
	}
	first := p.level(hash)
	if place := first.pick(hash, tried); place >= 0 {
		return place
	}
	for i := range p.levels {
		if place := p.levels[i].pick(hash, tried); place >= 0 {
			return place
		}
	}
	if place := first.pick(hash, tried[len(tried)-1:]); place >= 0 {
		return place
	}
	return first.pick(hash, nil)
}

// level returns the level at which a pick begins.
func (p *Picker) level(hash uint64) *level {
	if p.levels[0].load >= 1 {
		return &p.levels[0]
	}
	point := p.point(hash)
	for i := range p.levels {
		if point -= p.levels[i].load; point < 0 {
			return &p.levels[i]
		}
	}
	return &p.levels[0] // rounding, or loads of levels that nothing can be used of
}

// point returns where in the loads, from 0 to 1, a pick falls: what belongs together falls together.
func (p *Picker) point(hash uint64) float64 {
	random := mix(hash) // anew: what the members' own policy goes by must not decide here as well
	if !p.hashes {
		random = rand.Uint64()
	}
	return float64(random>>11) / (1 << 53)
}
