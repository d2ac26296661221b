package schema

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// rewriter makes a document ready: every schema in it gets a rule as its "format", which the library comes to before it goes on to anything
// deeper. So all work passes by a meter.
type rewriter struct {
	library *library
	formats map[string]func(any) error // of the library, by name; nil for those that it does not know
	asserts bool
	oldRefs bool // what stands beside a "$ref" does not count
	foreign bool // the meta-schema is not one of the drafts': what the keywords mean is left to it
}

const rulePrefix = "sallyport-"

func ruleName(i int) string { return rulePrefix + strconv.Itoa(i) }

// begin looks at which rules the document follows.
func (r *rewriter) begin(doc any) {
	object, _ := doc.(map[string]any)
	draft, _ := object["$schema"].(string)
	draft = strings.TrimSuffix(draft, "#")
	_, known := strings.CutPrefix(draft, "http://json-schema.org/draft-0")
	r.oldRefs = known
	r.foreign = !known && !strings.HasPrefix(draft, "https://json-schema.org/draft/20")
}

// schema returns a document, or a part of it that may be a schema, made ready.
func (r *rewriter) schema(doc any) any {
	switch v := doc.(type) {
	case map[string]any:
		return r.object(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = r.schema(v[i])
		}
		return list
	}
	return doc
}

func (r *rewriter) object(from map[string]any) map[string]any {
	to := make(map[string]any, len(from)+1)
	for keyword, value := range from {
		switch keyword {
		case "const", "enum", "default", "examples", "$vocabulary", "dependentRequired", "required", "type":
			to[keyword] = value
		case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies":
			to[keyword] = r.each(value)
		default:
			to[keyword] = r.schema(value)
		}
	}
	ref, _ := from["$ref"].(string)
	if r.oldRefs && strings.Contains(ref, "//json-schema.org/") {
		delete(to, "$ref")
		to["allOf"] = []any{map[string]any{"$ref": ref}} // else there is no rule beside it
	}
	if _, ok := from["format"].(string); ok || from["format"] == nil {
		to["format"] = r.rule(from, to)
	}
	return to
}

// each makes the values of a table ready, whose names are no keywords.
func (r *rewriter) each(table any) any {
	from, ok := table.(map[string]any)
	if !ok {
		return table
	}
	to := make(map[string]any, len(from))
	for name, value := range from {
		to[name] = r.schema(value)
	}
	return to
}

// rule notes what a schema costs, takes over what the library does in more time than it has to, and returns the rule's name.
func (r *rewriter) rule(from, to map[string]any) string {
	one := rule{visit: costVisit, member: costMember}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf", "required", "dependentSchemas", "dependentRequired", "dependencies"} {
		one.visit += costBranch * int64(length(from[keyword]))
	}
	for _, keyword := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} {
		if from[keyword] != nil {
			one.numbers++
		}
	}
	one.member += costBranch * int64(length(from["patternProperties"]))
	for _, keyword := range []string{"$ref", "$dynamicRef"} {
		ref, _ := from[keyword].(string)
		one.meta = one.meta || strings.Contains(ref, "//json-schema.org/")
	}
	if !r.foreign {
		r.takeOver(&one, from, to)
	}
	if name, ok := from["format"].(string); ok && r.asserts {
		one.format, one.name = r.format(name), name
	}
	r.library.rules = append(r.library.rules, one)
	return ruleName(len(r.library.rules) - 1)
}

func (r *rewriter) takeOver(one *rule, from, to map[string]any) {
	m := &meter{left: 1 << 62}
	if from["uniqueItems"] == true {
		one.unique = true
		delete(to, "uniqueItems")
	}
	if constant, ok := from["const"]; ok {
		one.constant = string(m.canonical(nil, constant))
		delete(to, "const")
	}
	if list, ok := from["enum"].([]any); ok {
		one.enum = make(map[string]struct{}, len(list))
		for _, value := range list {
			one.enum[string(m.canonical(nil, value))] = struct{}{}
		}
		delete(to, "enum")
	}
}

func length(value any) int {
	switch v := value.(type) {
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

// format finds the library's own check of a format.
func (r *rewriter) format(name string) func(any) error {
	check, known := r.formats[name]
	if known {
		return check
	}
	const u = base + "format"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if c.AddResource(u, map[string]any{"format": name}) == nil {
		if s, err := c.Compile(u); err == nil && s.Format != nil {
			check = s.Format.Validate
		}
	}
	r.formats[name] = check
	return check
}

// rule is checked where a schema and a value meet.
type rule struct {
	visit, member int64
	numbers       int64 // keywords that do arithmetic
	meta          bool  // it refers to a meta-schema, in which there are no rules
	unique        bool
	constant      string
	enum          map[string]struct{}
	format        func(any) error
	name          string // of the format
}

// mismatch is what a rule says of a value.
type mismatch struct{ keyword, message string }

// Error is part of error.
func (m *mismatch) Error() string { return m.message }

// check counts the work that the library is about to do, and does what was taken over from it.
func (r *rule) check(m *meter, value any) error {
	m.spend(r.visit)
	if r.meta {
		m.spend(costMetaNode * size(value))
	}
	switch v := value.(type) {
	case map[string]any:
		m.spend(int64(len(v)) * (r.member + m.digits*costDigit))
	case []any:
		m.spend(int64(len(v)) * (r.member + m.digits*costDigit))
		if r.unique && !m.unique(v) {
			return &mismatch{"uniqueItems", "must not have the same element twice"}
		}
	case string:
		m.spend(int64(len(v)))
	case json.Number:
		m.spend(r.numbers * (costNumber + m.digits*costDigit))
	}
	return r.compare(m, value)
}

func (r *rule) compare(m *meter, value any) error {
	if r.constant != "" || r.enum != nil {
		form := m.canonical(nil, value)
		if r.constant != "" && r.constant != string(form) {
			return &mismatch{"const", "must be the one value that is allowed"}
		}
		if r.enum != nil {
			if _, listed := r.enum[string(form)]; !listed {
				return &mismatch{"enum", "must be one of the values that are allowed"}
			}
		}
	}
	text, isText := value.(string)
	if r.format == nil || !isText {
		return nil
	}
	m.spend(int64(len(text)) * costText * 2)
	if r.format(text) != nil {
		return &mismatch{"format", "is not of the format " + strconv.Quote(r.name)}
	}
	return nil
}
