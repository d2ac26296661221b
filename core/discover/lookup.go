package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxQuestions is how often an alias without its address is asked for.
const maxQuestions = 8

// result is what one look-up has brought.
type result struct {
	list    []Endpoint    // nil: nothing that could be used
	err     error         // why not, or what of it is old
	failed  bool          // a question was not answered
	ttl     time.Duration // how long it holds
	lasting bool          // ttl was given
}

// add notes an answer's bounds.
func (r *result) add(a answer) {
	if a.lasting && (!r.lasting || a.ttl < r.ttl) {
		r.ttl, r.lasting = a.ttl, true
	}
}

// lookUp asks all that there is to ask.
func (s *DNS) lookUp(ctx context.Context) (r result) {
	if s.o.SRV {
		return s.lookUpServices(ctx)
	}
	addresses := s.addresses(ctx, [][]string{s.names(s.o.Name)}, &r)[0]
	for _, address := range addresses {
		r.list = append(r.list, Endpoint{Address: netip.AddrPortFrom(address, uint16(s.o.Port)).String(), Weight: 1})
	}
	if r.list == nil && r.err == nil {
		r.err = errors.New("the name has no address")
	}
	return r
}

// inquiry is a question to be put to the names of a list until one exists.
type inquiry struct {
	names []string
	kind  dnsmessage.Type
}

// addresses returns the addresses of each name, where a name is a list of those to try.
func (s *DNS) addresses(ctx context.Context, names [][]string, r *result) [][]netip.Addr {
	var asked []inquiry
	kinds := s.kinds()
	for _, list := range names {
		for _, kind := range kinds {
			asked = append(asked, inquiry{list, kind})
		}
	}
	found := make([][]netip.Addr, len(names))
	answers := s.inquireAll(ctx, asked, r)
	some := slices.ContainsFunc(answers, func(a answer) bool { return !a.isEmpty() })
	for i, a := range answers {
		found[i/len(kinds)] = append(found[i/len(kinds)], a.addresses...)
		if !a.isEmpty() || !some { // that one kind is missing bounds nothing when there are others
			r.add(a)
		}
	}
	return found
}

func (s *DNS) kinds() []dnsmessage.Type {
	switch s.o.Family {
	case "ipv4":
		return []dnsmessage.Type{dnsmessage.TypeA}
	case "ipv6":
		return []dnsmessage.Type{dnsmessage.TypeAAAA}
	}
	return []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}
}

// inquireAll asks all at once. What is not answered is as it was last known, and the failure is in r.
func (s *DNS) inquireAll(ctx context.Context, asked []inquiry, r *result) []answer {
	answers, failures := make([]answer, len(asked)), make([]error, len(asked))
	var group sync.WaitGroup
	for i, one := range asked {
		group.Go(func() { answers[i], failures[i] = s.inquire(ctx, one) })
	}
	group.Wait()
	for i, one := range asked {
		q := question{one.names[0], one.kind}
		switch {
		case failures[i] != nil:
			r.failed, r.err = true, cmp.Or(r.err, fmt.Errorf("%s %s: %w", one.names[0], kindName(one.kind), failures[i]))
			answers[i] = s.known[q]
			answers[i].lasting = false
		case answers[i].isEmpty():
			delete(s.known, q)
		default:
			s.known[q] = answers[i]
		}
	}
	return answers
}

// kindName writes a type of records as DNS tools do.
func kindName(kind dnsmessage.Type) string {
	switch kind {
	case dnsmessage.TypeA:
		return "A"
	case dnsmessage.TypeAAAA:
		return "AAAA"
	}
	return "SRV"
}

// inquire asks one name after the other until one exists.
func (s *DNS) inquire(ctx context.Context, one inquiry) (a answer, err error) {
	for i, name := range one.names {
		var next answer
		if next, err = s.follow(ctx, question{name, one.kind}); err != nil {
			return next, err
		}
		if next.code != dnsmessage.RCodeNameError {
			return next, nil
		}
		if i == 0 || next.lasting && next.ttl < a.ttl {
			a = next // all of them must be gone, so the first to be asked again counts
		}
	}
	return a, nil
}

// follow asks q, and for the name that it is an alias of when the answer has nothing more.
func (s *DNS) follow(ctx context.Context, q question) (answer, error) {
	bound := time.Duration(math.MaxInt64)
	for range maxQuestions {
		a, err := s.ask(ctx, q)
		if err != nil {
			return a, err
		}
		if a.lasting {
			bound = min(bound, a.ttl)
			a.ttl = bound
		}
		if a.alias == "" {
			return a, nil
		}
		q.name = a.alias
	}
	return answer{}, fmt.Errorf("too many aliases, up to %s", q.name)
}
