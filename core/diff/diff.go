// Package diff tells what differs between two configs by what it means: routes, chains, grants, endpoints, and not lines of text.
package diff

import (
	"slices"

	"github.com/sallyport/sallyport/core/config"
)

// Kind is what became of a part.
type Kind string

// The kinds.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// Change is one part of a config that differs: a route, an upstream, a table. It never holds a secret.
type Change struct {
	Kind Kind   `json:"kind"`
	Part string `json:"part"`           // "route", "upstream", "plugin", "listener", "server"…
	Name string `json:"name,omitempty"` // none for what there is but one of
	// Settings are what differs of a part that changed, and the whole of one that was added or removed.
	Settings []Setting `json:"settings,omitempty"`
	Chain    *Chain    `json:"chain,omitempty"` // nil: the same filters in the same order
	// Attention is what somebody should look at twice: grants, filters that run no more, checks that are off.
	Attention []string `json:"attention,omitempty"`
}

// Setting is one value that differs.
type Setting struct {
	Key  string          `json:"key"`            // within the part
	From *config.Setting `json:"from,omitempty"` // nil: it was not there
	To   *config.Setting `json:"to,omitempty"`   // nil: it is not there any more
	// Default says that To does not stand in the file.
	Default bool `json:"default,omitempty"`
}

// Chain is what a route's filters were and are, by their names in order.
type Chain struct {
	Before  []string `json:"before"`
	After   []string `json:"after"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
}

// Of returns what differs, in the order of the documentation, and by name within it. Where things stand in the file does not count, but for
// the order of filters. (That of routes means nothing beyond ties, which precedence decides.)
func Of(before, after *config.Config) []Change {
	old, now := before.Effective(), after.Effective()
	var changes []Change
	for _, table := range names(old, now) {
		changes = append(changes, compareTable(table, old.Child(table), now.Child(table))...)
	}
	return changes
}

// names returns the names of both settings' children: those of now in their order, then those that have gone.
func names(old, now *config.Setting) (list []string) {
	for _, s := range []*config.Setting{now, old} {
		if s == nil {
			continue
		}
		for _, child := range s.Children {
			if !slices.Contains(list, child.Name) {
				list = append(list, child.Name)
			}
		}
	}
	return list
}

// singles are the tables that are one part each. All others hold parts by name.
func singles() []string { return []string{"server", "admin", "log", "sandbox", "metrics", "tracing"} }

// called is what a part of a table is called.
func called(table string) string {
	known := map[string]string{
		"routes": "route", "upstreams": "upstream", "plugins": "plugin", "secrets": "secret", "stores": "store", "limits": "limit", "filters": "filters",
		"passwords": "passwords", "schemas": "schema",
	}
	if name, ok := known[table]; ok {
		return name
	}
	return table
}

func compareTable(table string, old, now *config.Setting) []Change {
	part := called(table)
	switch {
	case table == "filters":
		return comparePart(part, "", wrapped(old), wrapped(now))
	case table == "server":
		listeners := compareElements("listener", "address", old.Child("listen"), now.Child("listen"))
		return append(listeners, comparePart(part, "", without(old, "listen"), without(now, "listen"))...)
	case slices.Contains(singles(), table):
		return comparePart(part, "", old, now)
	case table == "routes":
		return compareElements(part, "name", old, now)
	}
	var changes []Change
	for _, name := range names(old, now) {
		changes = append(changes, comparePart(part, name, old.Child(name), now.Child(name))...)
	}
	return changes
}

// wrapped makes a table with the top's filters in it, as routes have them.
func wrapped(filters *config.Setting) *config.Setting {
	if filters == nil {
		return &config.Setting{Children: []*config.Setting{}}
	}
	return &config.Setting{Children: []*config.Setting{filters}}
}

func without(s *config.Setting, name string) *config.Setting {
	if s == nil {
		return nil
	}
	rest := *s
	rest.Children = slices.DeleteFunc(slices.Clone(s.Children), func(c *config.Setting) bool { return c.Name == name })
	return &rest
}

// compareElements compares lists whose elements have a name.
func compareElements(part, by string, old, now *config.Setting) []Change {
	byName := func(list *config.Setting) (*config.Setting, map[string]*config.Setting) {
		table, index := &config.Setting{}, map[string]*config.Setting{}
		if list == nil {
			return table, index
		}
		for _, e := range list.Children {
			name := text(e.Child(by))
			index[name] = e
			table.Children = append(table.Children, &config.Setting{Name: name})
		}
		return table, index
	}
	oldNames, oldIndex := byName(old)
	nowNames, nowIndex := byName(now)
	var changes []Change
	for _, name := range names(oldNames, nowNames) {
		changes = append(changes, comparePart(part, name, oldIndex[name], nowIndex[name])...)
	}
	return changes
}

// comparePart returns the change of one part, if there is one.
func comparePart(part, name string, old, now *config.Setting) []Change {
	if old.Same(now) || now == nil && old == nil {
		return nil
	}
	c := Change{Kind: Changed, Part: part, Name: name}
	switch {
	case old == nil:
		c.Kind = Added
	case now == nil:
		c.Kind = Removed
	}
	c.compareChains(old.Child("filters"), now.Child("filters"))
	c.compare("", without(old, "filters"), without(now, "filters"))
	c.look(old, now)
	return []Change{c}
}

func text(s *config.Setting) string {
	if s == nil {
		return ""
	}
	name, _ := s.Value.(string)
	return name
}
