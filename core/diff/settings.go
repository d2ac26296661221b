package diff

import (
	"slices"
	"strconv"

	"github.com/sallyport/sallyport/core/config"
)

// compare notes the settings that differ below a key.
func (c *Change) compare(key string, old, now *config.Setting) {
	switch {
	case old.Same(now):
	case old == nil && now.IsLeaf(), now == nil && old.IsLeaf(), old != nil && now != nil && (old.IsLeaf() || now.IsLeaf()):
		c.add(key, old, now)
	case isTable(old) && isTable(now):
		for _, name := range names(old, now) {
			c.compare(under(key, name), old.Child(name), now.Child(name))
		}
	case old == nil || now == nil || identity(old) == "" || identity(old) != identity(now):
		c.add(key, old, now)
	default:
		c.compareLists(key, identity(now), old, now)
	}
}

func (c *Change) add(key string, from, to *config.Setting) {
	c.Settings = append(c.Settings, Setting{key, from, to, to != nil && to.Place == (config.Place{})})
}

func isTable(s *config.Setting) bool { return s == nil || !s.List }

func under(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// identity returns the name of what tells a list's elements apart, "" when nothing does.
func identity(list *config.Setting) string {
	for _, by := range []string{"address", "name", "upstream", "cert"} {
		var seen []string
		for _, e := range list.Children {
			if id := text(e.Child(by)); id != "" && !slices.Contains(seen, id) {
				seen = append(seen, id)
			}
		}
		if len(seen) == len(list.Children) {
			return by
		}
	}
	return ""
}

// compareLists compares the elements that have the same identity.
func (c *Change) compareLists(key, by string, old, now *config.Setting) {
	find := func(list *config.Setting, id string) *config.Setting {
		for _, e := range list.Children {
			if text(e.Child(by)) == id {
				return e
			}
		}
		return nil
	}
	var ids []string
	for _, e := range slices.Concat(now.Children, old.Children) {
		if id := text(e.Child(by)); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		before, after := find(old, id), find(now, id)
		at := key + "[" + id + "]"
		if before == nil || after == nil {
			c.add(at, before, after)
			continue
		}
		c.compare(at, before, after)
	}
}

// compareChains notes how a chain differs: which filters run, and of those that ran before as well, their settings.
func (c *Change) compareChains(old, now *config.Setting) {
	before, after := uses(old), uses(now)
	pairs := align(before, after)
	if !slices.Equal(before, after) {
		c.Chain = &Chain{Before: before, After: after, Added: []string{}, Removed: []string{}}
		for i, use := range after {
			if !slices.ContainsFunc(pairs, func(p pair) bool { return p.now == i }) {
				c.Chain.Added = append(c.Chain.Added, use)
				c.add(place(i, use), nil, now.Children[i])
			}
		}
		for i, use := range before {
			if !slices.ContainsFunc(pairs, func(p pair) bool { return p.old == i }) {
				c.Chain.Removed = append(c.Chain.Removed, use)
			}
		}
	}
	for _, p := range pairs {
		c.compare(place(p.now, after[p.now]), old.Children[p.old], now.Children[p.now])
	}
}

// place is what a filter's settings are called by: filters[0 jwt-auth].
func place(i int, use string) string { return "filters[" + strconv.Itoa(i) + " " + use + "]" }

func uses(filters *config.Setting) []string {
	list := []string{}
	if filters != nil {
		for _, f := range filters.Children {
			list = append(list, text(f.Child("use")))
		}
	}
	return list
}

// pair is a filter that is in both chains, by its places.
type pair struct{ old, now int }

// align pairs the filters of two chains, of those with the same name first with first. What changes its place is none that has gone.
func align(before, after []string) (pairs []pair) {
	taken := make([]bool, len(before))
	for now, use := range after {
		for old, other := range before {
			if other == use && !taken[old] {
				taken[old] = true
				pairs = append(pairs, pair{old, now})
				break
			}
		}
	}
	return pairs
}
