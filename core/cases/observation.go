package cases

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin"
)

// The verdicts on an exchange.
const (
	verdictContinue = "continue"
	verdictRespond  = "respond"
	verdictFail     = "fail"
)

// observation is what was seen of a case.
type observation struct {
	refused    *string
	verdict    string
	route      string
	filter     string              // the one that responded
	messages   map[string]*message // request, upstream, response; nil for one that there was not
	attributes []exchange.Attr
	log        []string
	fetches    []string
	kv         plugin.Store // the plugin's own
}

// message is a request or a response as it was seen.
type message struct {
	texts  map[string]string // name, method, host, path, query
	status int
	fields []header.Field
	body   string
}

// get returns what was seen of what a path in an expect table names: a string, int64 or []string; nil for what was not there.
func (o *observation) get(path []string) any {
	switch path[0] {
	case "refused":
		if o.refused != nil {
			return *o.refused
		}
		return nil
	case "verdict":
		return textOrNil(o.verdict)
	case "route":
		return textOrNil(o.route)
	case "filter":
		return textOrNil(o.filter)
	case "log":
		return append([]string{}, o.log...)
	case "fetches":
		return append([]string{}, o.fetches...)
	case "attributes":
		return o.attribute(path[1])
	case "kv":
		return o.stored(path[1])
	}
	m := o.messages[path[0]]
	if m == nil {
		return nil
	}
	return m.get(path[1:])
}

func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (o *observation) attribute(name string) any {
	for _, a := range o.attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return nil
}

// stored returns what the plugin's own store holds at the end.
func (o *observation) stored(key string) any {
	if value, found, err := o.kv.Get(key); err == nil && found {
		return value
	}
	return nil
}

func (m *message) get(path []string) any {
	switch path[0] {
	case "status":
		return int64(m.status)
	case "body":
		return m.body
	case "headers":
		return valueOf(m.values(path[1]))
	}
	return m.texts[path[0]]
}

func (m *message) values(name string) (values []string) {
	for _, f := range m.fields {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// valueOf writes values as an expect table does: one is a string.
func valueOf(values []string) any {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	return values
}

// fieldNames returns the names of the fields that m has and other has not so, in order.
func (m *message) fieldNames(other *message) (names []string) {
	for _, f := range m.fields {
		seen := slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, f.Name) })
		if !seen && !slices.Equal(m.values(f.Name), other.values(f.Name)) {
			names = append(names, f.Name)
		}
	}
	return names
}
