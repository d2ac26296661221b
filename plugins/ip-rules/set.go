package main

import (
	"cmp"
	"slices"
)

// set is a set of addresses: spans that do not overlap, in order, so that one is found in few steps among many. IPv4
// and IPv6 are kept apart: ::/0 is not everybody.
type set struct {
	v4, v6 []span
}

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
		s.v4 = append(s.v4, span{n.first, n.last()})
	} else {
		s.v6 = append(s.v6, span{n.first, n.last()})
	}
}

// finish puts the spans in order and makes one of those that overlap.
func (s *set) finish() {
	s.v4, s.v6 = merge(s.v4), merge(s.v6)
}

func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.first.compare(b.first) })
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
	spans := s.v6
	if address.v4 {
		spans = s.v4
	}
	wanted := address.first
	low, high := 0, len(spans)
	for low < high {
		middle := int(uint(low+high) / 2)
		if spans[middle].last.compare(wanted) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(spans) && spans[low].first.compare(wanted) <= 0
}
