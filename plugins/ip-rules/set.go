package main

import (
	"cmp"
	"slices"
)

// set is a set of addresses: spans that do not overlap, in order, so that one is found in few steps among many. IPv4
// and IPv6 are kept apart: ::/0 is not everybody.
type set struct {
	v4 []span4
	v6 []span
}

// span4 is the IPv4 addresses from the upper half to the lower half, both included: lists can be long, and most are of these.
type span4 uint64

func (s span4) first() uint32 { return uint32(s >> 32) }
func (s span4) last() uint32  { return uint32(s) }

// span is the addresses from first to last, both included.
type span struct {
	first, last number
}

func (a number) compare(b number) int {
	if c := cmp.Compare(a.high, b.high); c != 0 {
		return c
	}
	return cmp.Compare(a.low, b.low)
}

// add adds a network; finish must follow before contains.
func (s *set) add(n network) {
	if n.v4 {
		s.v4 = append(s.v4, span4(n.first.low<<32|n.last().low&ones(32)))
	} else {
		s.v6 = append(s.v6, span{n.first, n.last()})
	}
}

// len returns how many spans there are.
func (s *set) len() int { return len(s.v4) + len(s.v6) }

// finish puts the spans in order and makes one of those that overlap.
func (s *set) finish() {
	slices.Sort(s.v4)
	s.v4 = merge4(s.v4)
	slices.SortFunc(s.v6, func(a, b span) int { return a.first.compare(b.first) })
	s.v6 = merge(s.v6)
}

func merge4(spans []span4) []span4 {
	merged := spans[:0]
	for _, next := range spans {
		if n := len(merged); n > 0 && next.first() <= merged[n-1].last() {
			merged[n-1] = merged[n-1]&^0xffff_ffff | span4(max(next.last(), merged[n-1].last()))
			continue
		}
		merged = append(merged, next)
	}
	return merged
}

func merge(spans []span) []span {
	merged := spans[:0]
	for _, next := range spans {
		if n := len(merged); n > 0 && next.first.compare(merged[n-1].last) <= 0 {
			if next.last.compare(merged[n-1].last) > 0 {
				merged[n-1].last = next.last
			}
			continue
		}
		merged = append(merged, next)
	}
	return merged
}

// contains reports whether the address is in the set.
func (s *set) contains(address network) bool {
	if address.v4 {
		return s.contains4(uint32(address.first.low))
	}
	wanted := address.first
	low, high := 0, len(s.v6)
	for low < high {
		middle := int(uint(low+high) / 2)
		if s.v6[middle].last.compare(wanted) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(s.v6) && s.v6[low].first.compare(wanted) <= 0
}

func (s *set) contains4(wanted uint32) bool {
	low, high := 0, len(s.v4)
	for low < high {
		middle := int(uint(low+high) / 2)
		if s.v4[middle].last() < wanted {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(s.v4) && s.v4[low].first() <= wanted
}
