package config

import (
	"net/url"
	"unicode/utf8"
)

// Schema is one [schemas.NAME] table: what JSON documents are checked against.
type Schema struct {
	File          string // absolute; "" for one that stands in the table itself
	Text          string // JSON
	ID            string // a URI by which others may refer to it; "" for none but its own
	Draft         string // "2020-12" or "draft-07", unless the text says so itself
	AssertFormats bool
	MaxSize       int // of documents: bytes
	MaxDepth      int
	MaxMembers    int
}

func readSchema(v value, _ string) Schema {
	s := Schema{Draft: "2020-12", MaxSize: 1 << 20, MaxDepth: 64, MaxMembers: 100_000}
	schemaKeys().read(v, &s)
	if v.holdsKeys() && v.exclude("file", "schema") == 0 {
		v.fail("needs one of file and schema")
	}
	return s
}

func schemaKeys() keys[Schema] {
	return keys[Schema]{
		{"file", func(v value, s *Schema) { readSchemaFile(v, s) }},
		{"schema", func(v value, s *Schema) { s.Text, _ = v.text("a JSON Schema") }},
		{"id", func(v value, s *Schema) { readSchemaID(v, &s.ID) }},
		{"draft", func(v value, s *Schema) { v.oneOf(&s.Draft, "2020-12", "draft-07") }},
		{"assert_formats", func(v value, s *Schema) { v.boolean(&s.AssertFormats) }},
		{"max_size", func(v value, s *Schema) { size(v, &s.MaxSize, 1, 1<<30) }},
		{"max_depth", func(v value, s *Schema) { integer(v, &s.MaxDepth, 1, 1000) }},
		{"max_members", func(v value, s *Schema) { integer(v, &s.MaxMembers, 1, 10_000_000) }},
	}
}

func readSchemaFile(v value, s *Schema) {
	if v.path(&s.File); s.File == "" {
		return
	}
	data, err := v.r.sources.file(s.File)
	switch {
	case err != nil:
		v.fail("cannot read: %v", err)
	case len(data) > maxSecret:
		v.fail("the file %q is larger than %s", s.File, sizeText(maxSecret))
	case !utf8.Valid(data):
		v.fail("the file %q holds something that is not UTF-8", s.File)
	default:
		s.Text = string(data)
	}
}

func readSchemaID(v value, dst *string) {
	s, ok := v.text(`a URI such as "https://example.com/order.json"`)
	if !ok {
		return
	}
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() || u.Fragment != "" {
		v.fail("%q is no absolute URI without a fragment", s)
		return
	}
	*dst = s
}
