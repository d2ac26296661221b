package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/net/dns/dnsmessage"
)

// maxTargets is the most servers that SRV records of one name may lead to: each costs up to two questions.
const maxTargets = 1000

// lookUpServices asks for SRV records, and for the addresses of their targets that did not come along.
func (s *DNS) lookUpServices(ctx context.Context) (r result) {
	a := s.inquireAll(ctx, []inquiry{{s.names(s.o.Name), dnsmessage.TypeSRV}}, &r)[0]
	r.add(a)
	// The target "." says that there is no such service (RFC 2782).
	services := slices.DeleteFunc(slices.Clone(a.services), func(one service) bool { return one.target == "." || one.port == 0 })
	if len(services) == 0 {
		r.err = cmp.Or(r.err, errors.New("there are no SRV records of the name"))
		return r
	}
	if n := countTargets(services); n > maxTargets {
		r.err = fmt.Errorf("%d targets, %d are the most", n, maxTargets)
		return r
	}
	at := s.targets(ctx, services, a.extra, &r)
	s.forget(services)
	if n := countEndpoints(services, at); n > maxEndpoints { // before they are made: two answers can multiply to millions
		r.err = fmt.Errorf("%d endpoints, %d are the most", n, maxEndpoints)
		return r
	}
	r.list = endpoints(services, at)
	if r.list == nil {
		r.err = cmp.Or(r.err, errors.New("none of the SRV records' targets has an address"))
	}
	return r
}

func countTargets(services []service) int {
	targets := map[string]struct{}{}
	for _, one := range services {
		targets[one.target] = struct{}{}
	}
	return len(targets)
}

func countEndpoints(services []service, at map[string][]netip.Addr) (n int) {
	for _, one := range services {
		n += len(at[one.target])
	}
	return n
}

// targets returns the addresses of the targets.
func (s *DNS) targets(ctx context.Context, services []service, extra map[string][]netip.Addr, r *result) map[string][]netip.Addr {
	at := map[string][]netip.Addr{}
	missing := map[string]bool{}
	for _, one := range services {
		if _, done := missing[one.target]; done {
			continue
		}
		for _, address := range extra[one.target] {
			if s.wants(address) && !slices.Contains(at[one.target], address) {
				at[one.target] = append(at[one.target], address)
			}
		}
		missing[one.target] = len(at[one.target]) == 0
	}
	var names [][]string
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		if missing[name] {
			names = append(names, []string{name})
		}
	}
	for i, addresses := range s.addresses(ctx, names, r) {
		at[names[i][0]] = addresses
	}
	return at
}

// wants reports whether an address is of the family that is wanted.
func (s *DNS) wants(address netip.Addr) bool {
	return s.o.Family != "ipv4" && s.o.Family != "ipv6" || (s.o.Family == "ipv4") == address.Is4()
}

// forget lets go of what is known of targets that are none any more.
func (s *DNS) forget(services []service) {
	maps.DeleteFunc(s.known, func(q question, _ answer) bool {
		return q.kind != dnsmessage.TypeSRV && !slices.ContainsFunc(services, func(one service) bool { return one.target == q.name })
	})
}

// endpoints makes endpoints of records. Priorities become 0, 1, 2 in their order, up to the
// highest that there is.
func endpoints(services []service, at map[string][]netip.Addr) (list []Endpoint) {
	services = slices.SortedFunc(slices.Values(services), func(a, b service) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(b.weight, a.weight), cmp.Compare(a.target, b.target), cmp.Compare(a.port, b.port))
	})
	var shares []float64
	rank, before := -1, -1
	for _, one := range services {
		if len(at[one.target]) > 0 && int(one.priority) != before {
			rank, before = min(rank+1, maxPriority), int(one.priority)
		}
		for _, address := range at[one.target] {
			list = append(list, Endpoint{Address: net.JoinHostPort(address.String(), strconv.Itoa(int(one.port))), Priority: rank})
			shares = append(shares, float64(one.weight)/float64(len(at[one.target])))
		}
	}
	for i, weight := range weights(shares) {
		list[i].Weight = weight
	}
	return list
}

// weights makes whole numbers from 1 to maxWeight of shares: as they are if they are that already, or none is more than 0, else in
// proportion. A share of 0 beside others becomes the least that there is (RFC 2782: "a very small chance").
func weights(shares []float64) []int {
	largest, fit := 0.0, true
	for _, share := range shares {
		largest = max(largest, share)
		fit = fit && share >= 1 && share <= maxWeight && share == math.Trunc(share)
	}
	whole := make([]int, len(shares))
	for i, share := range shares {
		switch {
		case largest == 0:
			whole[i] = 1
		case fit:
			whole[i] = int(share)
		default:
			whole[i] = max(1, int(math.Round(share*maxWeight/largest)))
		}
	}
	return whole
}
