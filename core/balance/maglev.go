package balance

import "math/bits"

// maglevSize is how many entries the table has: a prime, and so many that a hundred members' shares are right to one percent of
// themselves. It is the same for all groups, since each size has other owners. A table takes 128 KiB.
const maglevSize = 65537

// maglev gives each key the owner of its entry in a table, in which members take turns in claiming the entry that each likes best
// ("Maglev: A Fast and Reliable Software Network Load Balancer", 2016). Shares are exact; when a member goes, half a percent of the others' keys moves, too.
type maglev struct{ table }

func newMaglev(s shares, members []Member, factor float64) *maglev {
	t := newTable(s, members, factor)
	t.owners = make([]uint16, maglevSize)
	taken := make([]bool, maglevSize)
	claims, heaviest := claimants(s, members)
	for left := maglevSize; left > 0; {
		for i := range claims {
			c := &claims[i]
			if c.credit += c.weight; c.credit < heaviest || left == 0 {
				continue
			}
			c.credit -= heaviest
			entry := c.next()
			for taken[entry] {
				entry = c.next()
			}
			taken[entry], t.owners[entry] = true, uint16(c.member)
			left--
		}
	}
	return &maglev{t}
}

// claimant is a member while the table is made: it likes the entries in the order at, at+stride, at+2·stride…
type claimant struct {
	member         int
	at, stride     uint32
	weight, credit uint64
}

func claimants(s shares, members []Member) (list []claimant, heaviest uint64) {
	for _, member := range byHash(s, members) {
		hash, weight := members[s.places[member]].Hash, uint64(s.weights[member])
		at, stride := mix(hash)%maglevSize, mix(hash+golden)%(maglevSize-1)+1
		list = append(list, claimant{member: member, at: uint32(at), stride: uint32(stride), weight: weight})
		heaviest = max(heaviest, weight)
	}
	return list, heaviest
}

// next returns the entry that the member likes best of those that it has not been told yet.
func (c *claimant) next() uint32 {
	entry := c.at
	if c.at += c.stride; c.at >= maglevSize {
		c.at -= maglevSize
	}
	return entry
}

func (m *maglev) pick(hash uint64, tried []int) int {
	entry, _ := bits.Mul64(hash, maglevSize)
	return m.walk(int(entry), hash, tried)
}
