package route

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/http1"
)

// Outcome is what became of a pattern when a request's route was looked for.
type Outcome uint8

// The outcomes. A pattern that was not Chosen has the first thing that kept it from it, in this order.
const (
	Chosen Outcome = iota
	OtherHost
	OtherPath
	FieldDiffers  // a header field is missing or has another value
	QueryDiffers  // likewise a query parameter
	MethodDiffers // all else fits
	Later         // it fits, but the chosen one goes before it
)

// String returns the outcome as the admin API names it.
func (o Outcome) String() string {
	return [...]string{"matched", "host", "path", "header", "query", "method", "precedence"}[o]
}

// Reason tells of one pattern why a request goes there or not.
type Reason struct {
	Index   int
	Outcome Outcome
	Name    string  // of the field or parameter that differs
	Want    *string // its value; nil: any would do
	Got     *string // nil: it was missing
	Params  []exchange.Param
}

// Explanation is how a request's route was found.
type Explanation struct {
	Index   int              // as Match returns it
	Allow   string           // likewise
	Params  []exchange.Param // likewise
	Reached []Reason         // patterns whose host and path fit, in the order in which they are asked
	Others  []Reason         // the rest, by index
}

// Explain returns how Match finds the route of the exchange's request. It changes nothing of x, looks at every pattern of the table, and
// is for people, not for the hot path.
func (t *Table) Explain(x *exchange.Exchange) *Explanation {
	e := &Explanation{Index: -1}
	s := &search{}
	asked := map[*hostTable]bool{}
	for _, h := range t.asked(x.Req.Host) {
		asked[h] = true
		s.reached = s.reached[:0]
		if found := h.exact[x.Req.Path]; found != nil {
			s.reach(found.leaves, values{})
		}
		h.lead(x.Req.Path, s)
		for i := range s.reached {
			e.ask(x, s, &s.reached[i])
		}
	}
	if e.Index < 0 && len(s.allow) > 0 {
		slices.Sort(s.allow)
		e.Allow = strings.Join(slices.Compact(s.allow), ", ")
	}
	e.addOthers(t, asked)
	return e
}

// asked returns the tables that a host leads to, in their order.
func (t *Table) asked(host string) (tables []*hostTable) {
	host = hostname(host)
	if table := t.exact[host]; table != nil {
		tables = append(tables, table)
	}
	for _, rest, more := strings.Cut(host, "."); more; _, rest, more = strings.Cut(rest, ".") {
		if table := t.wildcard[rest]; table != nil {
			tables = append(tables, table)
		}
	}
	if t.any != nil {
		tables = append(tables, t.any)
	}
	return tables
}

// ask adds what becomes of the patterns of one leaf.
func (e *Explanation) ask(x *exchange.Exchange, s *search, r *reached) {
	for i := range r.leaf.candidates {
		c := &r.leaf.candidates[i]
		reason := c.judge(x)
		reason.Params = c.bind(nil, r.values)
		switch {
		case reason.Outcome == MethodDiffers && e.Index < 0:
			s.allow = append(s.allow, c.methods...)
		case reason.Outcome != Chosen:
		case e.Index >= 0:
			reason.Outcome = Later
		default:
			e.Index, e.Params = c.index, reason.Params
		}
		e.Reached = append(e.Reached, reason)
	}
}

// judge says which predicate does not hold, if one does not.
func (c *candidate) judge(x *exchange.Exchange) Reason {
	for _, m := range c.headers {
		if got, ok := x.Req.Fields.Get(m.Name); !m.fits(got, ok) {
			return m.differs(c.index, FieldDiffers, got, ok)
		}
	}
	for _, m := range c.query {
		if got, ok := http1.Query(x.Req.Query, m.Name); !m.fits(got, ok) {
			return m.differs(c.index, QueryDiffers, got, ok)
		}
	}
	if len(c.methods) > 0 && !slices.Contains(c.methods, x.Req.Method) {
		return Reason{Index: c.index, Outcome: MethodDiffers}
	}
	return Reason{Index: c.index}
}

func (m *Match) fits(got string, there bool) bool {
	return there && (m.Value == nil || *m.Value == got)
}

func (m *Match) differs(index int, outcome Outcome, got string, there bool) Reason {
	r := Reason{Index: index, Outcome: outcome, Name: m.Name, Want: m.Value}
	if there {
		r.Got = &got
	}
	return r
}

// addOthers tells of the patterns that were not reached.
func (e *Explanation) addOthers(t *Table, asked map[*hostTable]bool) {
	reached := map[int]bool{}
	for _, r := range e.Reached {
		reached[r.Index] = true
	}
	for _, h := range t.hosts() {
		outcome := OtherHost
		if asked[h] {
			outcome = OtherPath
		}
		for _, l := range h.leaves {
			for _, c := range l.candidates {
				if !reached[c.index] {
					e.Others = append(e.Others, Reason{Index: c.index, Outcome: outcome})
				}
			}
		}
	}
	slices.SortFunc(e.Others, func(a, b Reason) int { return cmp.Compare(a.Index, b.Index) })
}

// hosts returns the tables of all hosts in the order of precedence: exact ones, then wildcards, the longest first, then that of any host.
func (t *Table) hosts() (tables []*hostTable) {
	for _, host := range slices.Sorted(maps.Keys(t.exact)) {
		tables = append(tables, t.exact[host])
	}
	wild := slices.SortedFunc(maps.Keys(t.wildcard), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(b, "."), strings.Count(a, ".")), cmp.Compare(a, b))
	})
	for _, suffix := range wild {
		tables = append(tables, t.wildcard[suffix])
	}
	if t.any != nil {
		tables = append(tables, t.any)
	}
	return tables
}

// Order returns the indices of all patterns in the order of precedence: of two that a request fits, the one that comes first gets it.
func (t *Table) Order() []int {
	order := []int{}
	for _, h := range t.hosts() {
		for _, l := range h.leaves {
			for _, c := range l.candidates {
				order = append(order, c.index)
			}
		}
	}
	return order
}
