// Package route finds the route of a request by host, path and predicates.
package route

import (
	"slices"
	"strings"
	"sync"

	"github.com/julienschmidt/httprouter"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/http1"
)

// values are those of a path's parameters.
type values struct {
	params httprouter.Params
	rest   string // of a catch-all that has no other beside it
}

// reached is a leaf that the path leads to, with the parameters' values.
type reached struct {
	leaf   *leaf
	values values
}

// search is the matcher's scratch room.
type search struct {
	carrier carrier
	reached []reached
	allow   []string // methods of routes that only the method keeps from matching
}

var searches = sync.Pool{New: func() any { return &search{} }}

// Match returns the index of the pattern that the exchange's request matches and fills x.Params, or -1; then allow
// has the methods, for the Allow field, that would have matched, if the method was all that was wrong.
//
// An exact host goes before a wildcard, the longest first, and that before none. Within a host a static path goes before
// one with parameters and that before a catch-all, the longer first; then the pattern with more predicates; then the earlier one.
func (t *Table) Match(x *exchange.Exchange) (index int, allow string) {
	s := searches.Get().(*search)
	index = t.match(x, s)
	if index < 0 && len(s.allow) > 0 {
		slices.Sort(s.allow)
		allow = strings.Join(slices.Compact(s.allow), ", ")
	}
	s.release()
	return index, allow
}

func (s *search) release() {
	clear(s.reached)
	s.reached, s.allow, s.carrier.found = s.reached[:0], s.allow[:0], nil
	searches.Put(s)
}

func (t *Table) match(x *exchange.Exchange, s *search) int {
	host := hostname(x.Req.Host)
	if table := t.exact[host]; table != nil {
		if index := table.match(x, s); index >= 0 {
			return index
		}
	}
	if len(t.wildcard) > 0 {
		// To look up all suffixes of a host with thousands of labels would cost their square.
		for rest := host[max(0, len(host)-t.longest-1):]; ; {
			_, suffix, more := strings.Cut(rest, ".")
			if !more {
				break
			}
			if table := t.wildcard[suffix]; table != nil {
				if index := table.match(x, s); index >= 0 {
					return index
				}
			}
			rest = suffix
		}
	}
	if t.any != nil {
		return t.any.match(x, s)
	}
	return -1
}

func (h *hostTable) match(x *exchange.Exchange, s *search) int {
	s.reached = s.reached[:0]
	if found := h.exact[x.Req.Path]; found != nil {
		// Nothing goes before a static path: most requests need no tree.
		if first := found.leaves[0]; first.shape.kind == static {
			if index := first.choose(x, s, values{}); index >= 0 {
				return index
			}
			s.reach(found.leaves[1:], values{})
		} else {
			s.reach(found.leaves, values{})
		}
	}
	h.lead(x.Req.Path, s)
	for i := range s.reached {
		r := &s.reached[i]
		if index := r.leaf.choose(x, s, r.values); index >= 0 {
			return index
		}
	}
	return -1
}

// lead reaches what a path that is not static leads to.
func (h *hostTable) lead(path string, s *search) {
	for found, end := h.prefixes.next(path, len(path)+1); found != nil; found, end = h.prefixes.next(path, end) {
		s.reach(found.leaves, values{rest: path[end-1:]})
	}
	for _, t := range h.trees {
		if found, params := t.lookup(path, &s.carrier); found != nil {
			s.reach(found.leaves, values{params: params})
		}
	}
}

// reach adds leaves in the order of their rank.
func (s *search) reach(leaves []*leaf, v values) {
	for _, l := range leaves {
		at := len(s.reached)
		s.reached = append(s.reached, reached{l, v})
		for ; at > 0 && s.reached[at-1].leaf.rank > l.rank; at-- {
			s.reached[at], s.reached[at-1] = s.reached[at-1], s.reached[at]
		}
	}
}

// choose returns the index of the leaf's first pattern whose predicates hold, and sets its parameters.
func (l *leaf) choose(x *exchange.Exchange, s *search, v values) int {
	for i := range l.candidates {
		c := &l.candidates[i]
		if !c.holds(x) {
			continue
		}
		if len(c.methods) > 0 && !slices.Contains(c.methods, x.Req.Method) {
			s.allow = append(s.allow, c.methods...)
			continue
		}
		x.Params = c.bind(x.Params[:0], v)
		return c.index
	}
	return -1
}

// bind appends the path's parameters under the candidate's names.
func (c *candidate) bind(params []exchange.Param, v values) []exchange.Param {
	for place, name := range c.names {
		value := v.rest // "" for a catch-all that matched without its slash
		if place < len(v.params) {
			value = v.params[place].Value
		}
		params = append(params, exchange.Param{Name: name, Value: value})
	}
	return params
}

// holds reports whether the predicates other than the method do.
func (c *candidate) holds(x *exchange.Exchange) bool {
	for i := range c.headers {
		m := &c.headers[i]
		value, ok := x.Req.Fields.Get(m.Name)
		if !ok || (m.Value != nil && *m.Value != value) {
			return false
		}
	}
	for i := range c.query {
		m := &c.query[i]
		value, ok := http1.Query(x.Req.Query, m.Name)
		if !ok || (m.Value != nil && *m.Value != value) {
			return false
		}
	}
	return true
}
