package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// reader reads one file. It collects what is wrong and goes on.
type reader struct {
	config  *Config
	sources sources
	folder  string // absolute; what relative paths start at
	root    value
	plugins []string // names of the files in the plugin folder and of the tables in [plugins]
	wrong   Errors
}

// value is a value of the file, at its key path. Its methods that store into a destination leave it as it is when
// the value is not as it must be, after noting that.
type value struct {
	r   *reader
	key string
	raw any // as the TOML library decodes it
}

// fail notes that something is wrong with v.
func (v value) fail(format string, args ...any) {
	v.r.wrong = append(v.r.wrong, v.r.config.Errorf(v.key, format, args...))
}

// child is what v, a table, holds under name. A name that is not there has a key path all the same.
func (v value) child(name string) value {
	table, _ := v.raw.(map[string]any)
	return value{v.r, join(v.key, name), table[name]}
}

// has reports whether v is a table that holds name.
func (v value) has(name string) bool {
	table, _ := v.raw.(map[string]any)
	_, ok := table[name]
	return ok
}

// names returns the keys of v, a table, in the file's order.
func (v value) names() []string {
	table, _ := v.raw.(map[string]any)
	places := v.r.config.places
	at := make(map[string]Place, len(table))
	for name := range table {
		at[name] = places[join(v.key, name)].Place
	}
	return slices.SortedFunc(maps.Keys(table), func(a, b string) int {
		return cmp.Or(at[a].Line-at[b].Line, at[a].Col-at[b].Col)
	})
}

// kindName says what a TOML value is, for messages.
func kindName(raw any) string {
	switch raw.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case bool:
		return "a boolean"
	case time.Time:
		return "a date or time"
	case map[string]any:
		return "a table"
	}
	return "an array"
}

func (v value) wrongType(wanted string) {
	v.fail("must be %s, not %s", wanted, kindName(v.raw))
}

// isTable notes it if v is no table.
func (v value) isTable() bool {
	if !v.holdsKeys() {
		v.wrongType("a table")
		return false
	}
	return true
}

// holdsKeys reports whether v is a table.
func (v value) holdsKeys() bool {
	_, ok := v.raw.(map[string]any)
	return ok
}

// text returns v's string, which must not be empty; wanted says for the message what it should hold.
func (v value) text(wanted string) (string, bool) {
	s, ok := v.raw.(string)
	switch {
	case !ok:
		v.wrongType("a string: " + wanted)
	case s == "":
		v.fail("must not be empty: %s", wanted)
	}
	return s, ok && s != ""
}

// list returns the elements of v, an array.
func (v value) list(wanted string) (elements []value, ok bool) {
	switch raw := v.raw.(type) {
	case []any:
		elements = make([]value, 0, len(raw))
		for i, e := range raw {
			elements = append(elements, value{v.r, element(v.key, i), e})
		}
	case []map[string]any:
		elements = make([]value, 0, len(raw))
		for i, e := range raw {
			elements = append(elements, value{v.r, element(v.key, i), e})
		}
	default:
		v.wrongType("an array of " + wanted)
		return nil, false
	}
	return elements, true
}

// texts reads an array of different strings; check may refuse or change each.
func (v value) texts(dst *[]string, wanted string, check func(value, string) (string, bool)) {
	elements, ok := v.list(wanted)
	if !ok {
		return
	}
	list := make([]string, 0, len(elements))
	for _, e := range elements {
		s, ok := e.text("one of the " + wanted)
		if ok {
			s, ok = check(e, s)
		}
		switch {
		case !ok:
		case slices.Contains(list, s):
			e.fail("%q is in the list already", s)
		default:
			list = append(list, s)
		}
	}
	*dst = list
}

// oneOf reads a string out of a fixed choice.
func (v value) oneOf(dst *string, choice ...string) {
	s, ok := v.text("one of " + quoted(choice))
	if !ok {
		return
	}
	if !slices.Contains(choice, s) {
		v.fail("%q is not one of %s%s", s, quoted(choice), didYouMean(s, choice))
		return
	}
	*dst = s
}

func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(list, ", ")
}

// boolean reads true or false.
func (v value) boolean(dst *bool) {
	b, ok := v.raw.(bool)
	if !ok {
		v.wrongType("true or false")
		return
	}
	*dst = b
}
