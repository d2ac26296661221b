package schema

import (
	"encoding/json"
	"math/rand/v2"
)

// random makes schemas and documents that have something to do with each other.
type random struct{ *rand.Rand }

func (r random) pick(from ...string) string { return from[r.IntN(len(from))] }

func (r random) number(from ...string) any { return json.Number(r.pick(from...)) }

func (r random) name() string { return r.pick("a", "b", "c", "", "type", "$ref", "format", "~", "é") }

func (r random) document(depth int) any {
	kind := r.IntN(9)
	if depth > 4 {
		kind = r.IntN(3)
	}
	switch {
	case kind == 0:
		return []any{nil, true, false}[r.IntN(3)]
	case kind == 1:
		return r.number("0", "1", "-1", "1.5", "1.0", "10e-1", "1e3", "1e-3", "1e300", "1e-300", "12345678901234567890", "-0.0")
	case kind == 2:
		return r.pick("", "a", "aaa", "ab@x.y", "2020-01-01", "é\x00", "P1D", "((", "/a/~", "::1", "1.0")
	case kind < 6:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = r.document(depth + 1)
		}
		return list
	}
	table := map[string]any{}
	for range r.IntN(4) {
		table[r.name()] = r.document(depth + 1)
	}
	return table
}

// root returns a schema with others to refer to.
func (r random) root() map[string]any {
	s := r.keywords(0)
	s["$defs"] = map[string]any{"a": r.schema(1), "b": r.schema(1), "c": map[string]any{"$dynamicAnchor": "x", "type": "object"}}
	if r.IntN(3) == 0 {
		s["$schema"] = r.pick("http://json-schema.org/draft-07/schema#", "http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-04/schema#",
			"https://json-schema.org/draft/2019-09/schema")
	}
	return s
}

func (r random) schema(depth int) any {
	if depth > 5 || r.IntN(12) == 0 {
		return r.IntN(3) > 0
	}
	return r.keywords(depth)
}

func (r random) list(depth int) any {
	list := []any{}
	for range 1 + r.IntN(3) {
		list = append(list, r.schema(depth+1))
	}
	return list
}

func (r random) table(depth int, names ...string) any {
	table := map[string]any{}
	for range r.IntN(4) {
		table[r.pick(names...)] = r.schema(depth + 1)
	}
	return table
}

func (r random) keywords(depth int) map[string]any {
	s := map[string]any{}
	for range r.IntN(5) {
		switch r.IntN(4) {
		case 0:
			r.addValue(s)
		case 1:
			r.addReference(s)
		default:
			r.addApplicator(s, depth)
		}
	}
	return s
}

// addValue adds a keyword that looks at the value alone.
func (r random) addValue(s map[string]any) {
	switch k := r.pick("type", "types", "enum", "const", "multipleOf", "maximum", "minimum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
		"minContains", "maxContains", "minProperties", "minItems", "pattern", "uniqueItems", "required", "dependentRequired", "format"); k {
	case "type":
		s[k] = r.pick("null", "boolean", "integer", "number", "string", "array", "object")
	case "types":
		s["type"] = []any{"integer", r.pick("null", "string", "array", "object")}
	case "enum":
		s[k] = []any{r.document(2), r.document(4)}
	case "const":
		s[k] = r.document(2)
	case "multipleOf":
		s[k] = r.number("1", "0.01", "1e-300", "3")
	case "maximum", "minimum", "exclusiveMinimum", "exclusiveMaximum":
		s[k] = r.number("0", "1", "2", "0.5", "1e-10", "1e300")
	case "pattern":
		s[k] = r.pick("a", "^(a|b)*$", "[^a]{3}", "")
	case "uniqueItems":
		s[k] = r.IntN(2) == 0
	case "required":
		s[k] = []any{r.name()}
	case "dependentRequired":
		s[k] = map[string]any{"a": []any{"b"}}
	case "format":
		s[k] = r.pick("email", "uri", "regex", "date", "duration", "json-pointer", "ipv6", "hostname", "uuid", "iri", "nonsense", ruleName(0), ruleName(1))
	default:
		s[k] = r.number("0", "1", "2", "3", "1.0", "100")
	}
}

func (r random) addReference(s map[string]any) {
	switch k := r.pick("$ref", "$ref", "$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "$id"); k {
	case "$ref":
		s[k] = r.pick("#", "#/$defs/a", "#/$defs/b", "#x", "other", "#/$defs/c", "https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#")
	case "$dynamicRef":
		s[k] = r.pick("#x", "#y", "#/$defs/a")
	case "$recursiveRef":
		s[k] = "#"
	case "$id":
		if r.IntN(8) == 0 {
			s[k] = r.pick("https://a/b", "c", "d/e")
		}
	default:
		if r.IntN(6) == 0 {
			s[k] = r.pick("x", "y", "z", "w")
		}
	}
}

// addApplicator adds a keyword with schemas in it.
func (r random) addApplicator(s map[string]any, depth int) {
	switch k := r.pick("items", "list of items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else", "unevaluatedProperties", "unevaluatedItems",
		"contentSchema", "additionalItems", "prefixItems", "allOf", "anyOf", "oneOf", "properties", "dependentSchemas", "definitions", "patternProperties", "dependencies"); k {
	case "list of items":
		s["items"] = r.list(depth)
	case "prefixItems", "allOf", "anyOf", "oneOf":
		s[k] = r.list(depth)
	case "properties", "dependentSchemas", "definitions":
		s[k] = r.table(depth, "a", "b", "c", "", "type", "$ref", "format")
	case "patternProperties":
		s[k] = r.table(depth, "a", "^b", "", ".")
	case "dependencies":
		s[k] = map[string]any{"a": []any{"b"}, "b": r.schema(depth + 1)}
	default:
		s[k] = r.schema(depth + 1)
	}
}
