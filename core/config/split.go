package config

import (
	"slices"
	"time"
)

// Split is a route's keys split, split_by and split_sticky: its requests go to several upstreams.
type Split struct {
	Branches []Branch
	By       string // "header:NAME" or "cookie:NAME", whose value names a branch; "": nothing does
	Sticky   string // a part of a key that keeps a client with its branch; "": none does
	Cookie   string // set for the same purpose, its value the branch; "": none is
	MaxAge   time.Duration
}

// Branch is one way that a split route's requests go.
type Branch struct {
	Name     string // by default the upstream's
	Upstream string
	Weight   int
}

// Mirror is a route's table mirror: a share of its requests goes to another upstream, too.
type Mirror struct {
	Upstream    string
	Share       int // percent
	MaxBody     int64
	Concurrency int
	Timeout     time.Duration
}

// split returns the route's Split, made when it is first asked for.
func (r *Route) split() *Split {
	if r.Split == nil {
		r.Split = &Split{}
	}
	return r.Split
}

// checkSplit notes keys that mean nothing without branches.
func (v value) checkSplit() {
	for _, name := range []string{"split_by", "split_sticky"} {
		if v.has(name) && !v.has("split") {
			v.child(name).fail("only goes with split")
		}
	}
}

func readBranches(v value) []Branch {
	elements, ok := v.list("tables with an upstream and a weight")
	if ok && len(elements) == 0 {
		v.fail("must hold at least one branch")
	}
	var list []Branch
	total := 0
	for _, e := range elements {
		b := readBranch(e)
		if b.Name != "" && slices.ContainsFunc(list, func(other Branch) bool { return other.Name == b.Name }) {
			e.fail("%q is the name of another branch already: give this one a name of its own", b.Name)
		}
		list, total = append(list, b), total+b.Weight
	}
	if len(list) > 0 && total == 0 {
		v.fail("all weights are 0: nothing would go anywhere")
	}
	return list
}

func readBranch(v value) Branch {
	b := Branch{Weight: 1}
	branchKeys().read(v, &b)
	if v.holdsKeys() {
		v.need("upstream", "where the branch goes")
	}
	if b.Name == "" {
		b.Name = b.Upstream
	}
	return b
}

func branchKeys() keys[Branch] {
	return keys[Branch]{
		{"upstream", func(v value, b *Branch) { readUpstreamName(v, &b.Upstream) }},
		{"weight", func(v value, b *Branch) { integer(v, &b.Weight, 0, 1_000_000) }},
		{"name", func(v value, b *Branch) { readBranchName(v, &b.Name) }},
	}
}

func readBranchName(v value, dst *string) {
	if s, ok := v.text("what headers and cookies call the branch"); ok && v.checkName(s) {
		*dst = s
	}
}

func readSplitBy(v value, dst *string) {
	s, ok := v.text(`"header:NAME" or "cookie:NAME"`)
	switch {
	case !ok:
	case !isNamed(s, "header", "cookie"):
		v.fail(`%q is neither "header:NAME" nor "cookie:NAME"`, s)
	default:
		*dst = s
	}
}

// readSplitSticky reads a part of a key, or a table that has a cookie set.
func readSplitSticky(v value, s *Split) {
	if v.holdsKeys() {
		splitCookieKeys().read(v, s)
		v.need("cookie", "its name")
		return
	}
	text, ok := v.text(`what keeps a client with its branch, such as "client", or a table with a cookie`)
	if !ok {
		return
	}
	if text, ok = checkLimitKey(v, text); ok {
		s.Sticky = text
	}
}

func splitCookieKeys() keys[Split] {
	return keys[Split]{
		{"cookie", func(v value, s *Split) { readCookieName(v, &s.Cookie) }},
		{"max_age", func(v value, s *Split) { v.duration(&s.MaxAge, 0, 366*24*time.Hour) }},
	}
}

func readCookieName(v value, dst *string) {
	s, ok := v.text("the name of a cookie")
	switch {
	case !ok:
	case !isToken(s):
		v.fail("%q is no name of a cookie", s)
	default:
		*dst = s
	}
}

func readMirror(v value) *Mirror {
	m := &Mirror{Share: 100, MaxBody: 64 << 10, Concurrency: 64, Timeout: 10 * time.Second}
	mirrorKeys().read(v, m)
	if v.holdsKeys() {
		v.need("upstream", "where the copies go")
	}
	return m
}

func mirrorKeys() keys[Mirror] {
	return keys[Mirror]{
		{"upstream", func(v value, m *Mirror) { readUpstreamName(v, &m.Upstream) }},
		{"share", func(v value, m *Mirror) { integer(v, &m.Share, 1, 100) }},
		{"max_body", func(v value, m *Mirror) { size(v, &m.MaxBody, 0, 16<<20) }},
		{"concurrency", func(v value, m *Mirror) { integer(v, &m.Concurrency, 1, 100_000) }},
		{"timeout", func(v value, m *Mirror) { v.duration(&m.Timeout, shortest, longest) }},
	}
}
