package route

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Conflict says why a pattern cannot be part of a table.
type Conflict struct {
	Index   int // of the pattern
	Message string
}

// Conflicts are all that is wrong with a list of patterns.
type Conflicts []Conflict

// Error lists the conflicts, one a line.
func (c Conflicts) Error() string {
	var b strings.Builder
	for _, one := range c {
		fmt.Fprintf(&b, "pattern %d: %s\n", one.Index, one.Message)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// candidate is a pattern as the matcher needs it.
type candidate struct {
	index   int
	methods []string // with HEAD where GET is
	headers []Match
	query   []Match
	names   []string
}

// predicates is how many there are: more go before fewer.
func (c *candidate) predicates() int {
	n := len(c.headers) + len(c.query)
	if len(c.methods) > 0 {
		n++
	}
	return n
}

// leaf is all patterns of one host and one shape, in the order to be tried.
type leaf struct {
	shape      shape
	rank       int
	candidates []candidate
}

// slot is what a path leads to: the leaves of one shape, by rank. There are two where a catch-all without its last
// slash has the shape of another pattern.
type slot struct {
	leaves []*leaf
}

// hostTable has the routes of one host.
type hostTable struct {
	exact    map[string]*slot
	prefixes prefixes
	trees    []*tree
	leaves   []*leaf // all of them, by rank
}

// Table finds routes. It is immutable; many goroutines may use it at once.
type Table struct {
	exact    map[string]*hostTable // by host
	wildcard map[string]*hostTable // by what follows "*."
	any      *hostTable
	longest  int // bytes of the longest key of wildcard
}

// Build makes a table. Its error is of type Conflicts and names every pattern that is malformed or the same as an
// earlier one.
func Build(patterns []Pattern) (*Table, error) {
	return BuildGently(patterns, func() {})
}

// BuildGently is Build for when there is more urgent work: it calls rest between small steps.
func BuildGently(patterns []Pattern, rest func()) (*Table, error) {
	var wrong Conflicts
	hosts := map[string]map[string]*leaf{}
	for i := range patterns {
		rest()
		p := &patterns[i]
		s, err := parse(p.Path)
		if err != nil {
			wrong = append(wrong, Conflict{i, err.Error()})
			continue
		}
		leaves := hosts[p.Host]
		if leaves == nil {
			leaves = map[string]*leaf{}
			hosts[p.Host] = leaves
		}
		if twin := addCandidate(leaves, s, newCandidate(i, p, s)); twin >= 0 {
			wrong = append(wrong, Conflict{i, fmt.Sprintf("it matches the same requests as route %q", patterns[twin].Name)})
		}
	}
	t := &Table{exact: map[string]*hostTable{}, wildcard: map[string]*hostTable{}}
	for host, leaves := range hosts {
		table, conflicts := buildHost(leaves, rest)
		wrong = append(wrong, conflicts...)
		t.place(host, table)
	}
	if len(wrong) > 0 {
		slices.SortFunc(wrong, func(a, b Conflict) int { return cmp.Compare(a.Index, b.Index) })
		return nil, wrong
	}
	return t, nil
}

func (t *Table) place(host string, table *hostTable) {
	suffix, wild := strings.CutPrefix(host, "*.")
	switch {
	case host == "":
		t.any = table
	case wild:
		t.wildcard[suffix] = table
		t.longest = max(t.longest, len(suffix))
	default:
		t.exact[strings.TrimSuffix(host, ".")] = table
	}
}

func newCandidate(index int, p *Pattern, s shape) candidate {
	c := candidate{index: index, headers: p.Headers, query: p.Query, names: s.names}
	c.methods = append(c.methods, p.Methods...)
	if slices.Contains(c.methods, "GET") && !slices.Contains(c.methods, "HEAD") {
		c.methods = append(c.methods, "HEAD")
	}
	slices.Sort(c.methods)
	return c
}

// addCandidate returns the index of a pattern that is the same, -1 if there is none.
func addCandidate(leaves map[string]*leaf, s shape, c candidate) int {
	key := s.key()
	l := leaves[key]
	if l == nil {
		l = &leaf{shape: s}
		leaves[key] = l
	}
	for i := range l.candidates {
		if samePredicates(&l.candidates[i], &c) {
			return l.candidates[i].index
		}
	}
	l.candidates = append(l.candidates, c)
	slices.SortStableFunc(l.candidates, func(a, b candidate) int { return cmp.Compare(b.predicates(), a.predicates()) })
	return -1
}

func samePredicates(a, b *candidate) bool {
	return slices.Equal(a.methods, b.methods) && sameMatches(a.headers, b.headers, strings.ToLower) &&
		sameMatches(a.query, b.query, strings.Clone)
}

func sameMatches(a, b []Match, fold func(string) string) bool {
	texts := func(matches []Match) []string {
		var list []string
		for _, m := range matches {
			text := fold(m.Name)
			if m.Value != nil {
				text += "=" + *m.Value
			}
			list = append(list, text)
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(texts(a), texts(b))
}

// restEvery is how many comparisons are made between two rests, which cost as much as several.
const restEvery = 64

// buildHost ranks a host's leaves and lays them into the map and the trees.
func buildHost(leaves map[string]*leaf, rest func()) (*hostTable, Conflicts) {
	sorted := make([]*leaf, 0, len(leaves))
	for _, l := range leaves {
		sorted = append(sorted, l)
	}
	compared := 0
	slices.SortFunc(sorted, func(a, b *leaf) int {
		if compared++; compared%restEvery == 0 {
			rest()
		}
		return cmp.Or(compareShapes(&a.shape, &b.shape), cmp.Compare(a.candidates[0].index, b.candidates[0].index))
	})
	b := hostBuilder{slots: map[string]*slot{}, table: &hostTable{exact: map[string]*slot{}, leaves: sorted}}
	for rank, l := range sorted {
		rest()
		l.rank = rank
		b.lay(l, l.shape)
		if l.shape.kind == catchAll && len(l.shape.segments) > 1 {
			b.lay(l, withoutTail(l.shape))
		}
	}
	return b.table, b.wrong
}

// withoutTail is the shape of /x for /x/*rest, which matches it too.
func withoutTail(s shape) shape {
	s.segments = s.segments[:len(s.segments)-1]
	s.kind = static
	for _, segment := range s.segments {
		s.kind = max(s.kind, kind(wildness(segment)))
	}
	return s
}

type hostBuilder struct {
	table *hostTable
	slots map[string]*slot
	wrong Conflicts
}

// lay makes a leaf reachable by a shape; leaves come in the order of their rank.
func (b *hostBuilder) lay(l *leaf, s shape) {
	key := s.key()
	if found := b.slots[key]; found != nil {
		found.leaves = append(found.leaves, l)
		return
	}
	found := &slot{leaves: []*leaf{l}}
	b.slots[key] = found
	if s.kind == static {
		b.table.exact[key] = found
		return
	}
	if b.table.prefixes.add(&s, found) {
		return
	}
	if err := b.tree(s.segments).add(&s, found); err != nil {
		b.wrong = append(b.wrong, Conflict{l.candidates[0].index, err.Error()})
	}
}

// tree returns the first tree that the segments fit into.
func (b *hostBuilder) tree(segments []string) *tree {
	for _, t := range b.table.trees {
		if t.fits(segments) {
			return t
		}
	}
	t := newTree()
	b.table.trees = append(b.table.trees, t)
	return t
}
