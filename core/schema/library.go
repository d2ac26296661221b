package schema

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// base is the place of schemas that have no other: "$ref": "other" in one leads to the schema of the name other.
const base = "sallyport:///schemas/"

// bounds of schemas themselves, which are trusted, but may be damaged.
var schemaLimits = Limits{Size: 1 << 20, Depth: 256, Members: 1 << 20}

// library holds the schemas of a Set in two forms: as they were written, which is what their meta-schema looks at, and ready to be
// compiled with a meter. It is not changed once it is made.
type library struct {
	urls    map[string]string // by name
	written map[string]any    // documents by URL
	ready   map[string]any
	rules   []rule // what the documents in ready refer to by "format"
}

func newLibrary(sources []Source) (*library, Faults) {
	l := &library{urls: map[string]string{}, written: map[string]any{}, ready: map[string]any{}}
	wrong := Faults{}
	formats := map[string]func(any) error{}
	for i := range sources {
		if err := l.add(&sources[i], formats); err != nil {
			wrong[sources[i].Name] = err
		}
	}
	for i := range sources {
		if s := &sources[i]; wrong[s.Name] == nil {
			if err := l.examine(l.urls[s.Name]); err != nil {
				wrong[s.Name] = err
			}
		}
	}
	return l, wrong
}

// add takes a document in under all its URLs.
func (l *library) add(s *Source, formats map[string]func(any) error) error {
	m := &meter{left: 1 << 62}
	limits := schemaLimits
	doc, fault, err := m.parse([]byte(s.Text), limits)
	switch {
	case err != nil || len(s.Text) > limits.Size:
		return errors.New("is too large for a schema")
	case fault != nil:
		return fmt.Errorf("%s%s", at(fault.pointer), fault.message)
	}
	if object, ok := doc.(map[string]any); ok {
		if object["$schema"] == nil {
			object["$schema"] = draftURL(s.Draft)
		}
		if object["$id"] == nil && s.ID != "" { // its references start there, whatever name led to it
			object["$id"] = s.ID
		}
	}
	r := &rewriter{library: l, formats: formats, asserts: s.AssertFormats}
	r.begin(doc)
	ready := r.schema(doc)
	urls, err := s.urlsOf(doc)
	if err != nil {
		return err
	}
	for _, u := range urls {
		if _, taken := l.written[u]; taken {
			return fmt.Errorf("another schema has the URI %q already", u)
		}
		l.written[u], l.ready[u] = doc, ready
	}
	l.urls[s.Name] = urls[0]
	return nil
}

// urlsOf returns what a document can be referred to by, the URL that it is compiled under first.
func (s *Source) urlsOf(doc any) ([]string, error) {
	urls := []string{base + url.PathEscape(s.Name)}
	object, _ := doc.(map[string]any)
	own, _ := object["$id"].(string)
	for _, id := range []string{s.ID, own} {
		id, _, _ = strings.Cut(id, "#")
		if id == "" {
			continue
		}
		u, err := url.Parse(id)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is no URI", id)
		case strings.Contains(id, "//json-schema.org/"):
			return nil, fmt.Errorf("the URI %q is not free to take", id)
		case u.IsAbs() && id != urls[len(urls)-1]:
			urls = append(urls, id)
		}
	}
	if len(urls) > 1 { // references in the document start from there
		urls[0], urls[1] = urls[1], urls[0]
	}
	return urls, nil
}

func draftURL(draft string) string {
	if draft == Draft7 {
		return "http://json-schema.org/draft-07/schema#"
	}
	return "https://json-schema.org/draft/2020-12/schema"
}

// examine compiles a document as it was written.
func (l *library) examine(u string) error {
	c := jsonschema.NewCompiler()
	c.UseLoader(shelf(l.written))
	_, err := c.Compile(u)
	return explain(err)
}

// compile compiles a document so that its work is counted.
func (l *library) compile(u string, m *meter) (s *jsonschema.Schema, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: %v", errBroken, reason)
		}
	}()
	c := jsonschema.NewCompiler()
	c.UseLoader(shelf(l.ready))
	c.UseRegexpEngine(m.compilePattern)
	c.AssertFormat()
	for i := range l.rules {
		c.RegisterFormat(&jsonschema.Format{Name: ruleName(i), Validate: func(v any) error { return l.rules[i].check(m, v) }})
	}
	s, err = c.Compile(u)
	return s, explain(err)
}

// shelf is where the library finds what schemas refer to: nothing is fetched, nothing is read.
type shelf map[string]any

// Load is part of jsonschema.URLLoader.
func (s shelf) Load(u string) (any, error) {
	if doc, ok := s[u]; ok {
		return doc, nil
	}
	return nil, errNotThere
}

var errNotThere = errors.New("none of the schemas")

// explain says what is wrong with a schema.
func explain(err error) error {
	var invalid *jsonschema.SchemaValidationError
	var absent *jsonschema.LoadURLError
	var pattern *jsonschema.InvalidRegexError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		if list := findings(invalid.Err, &meter{left: 1 << 62}); len(list) > 0 {
			return fmt.Errorf("%s%s (%s)", at(list[0].pointer), list[0].message, list[0].keyword)
		}
	case errors.As(err, &absent):
		return fmt.Errorf("refers to %q, which is no schema of this file: nothing is fetched", strings.TrimPrefix(absent.URL, base))
	case errors.As(err, &pattern):
		_, place, _ := strings.Cut(pattern.URL, "#")
		return fmt.Errorf("%s%q is no regular expression as RE2 has them: %v", at(place), pattern.Regex, pattern.Err)
	}
	return errors.New(strings.ReplaceAll(strings.ReplaceAll(err.Error(), base, ""), "\n", " "))
}

func at(pointer string) string {
	if pointer == "" {
		return ""
	}
	return "at " + pointer + ": "
}
