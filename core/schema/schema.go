// Package schema checks JSON documents against JSON Schemas, with bounds on the documents and on the work that they make.
package schema

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The drafts that a schema without "$schema" can be of.
const (
	Draft202012 = "2020-12"
	Draft7      = "draft-07"
)

// Source is a schema as its author wrote it.
type Source struct {
	Name          string // others refer to it by this name
	ID            string // a URI by which others may refer to it as well, beside its own "$id"; "" for none
	Text          string // JSON
	Draft         string // what it is written in unless it says so: Draft202012 or Draft7
	AssertFormats bool   // "format" is checked, not only noted
	Limits        Limits
}

// Limits bound the documents that are checked, before anything else looks at them.
type Limits struct {
	Size    int // bytes
	Depth   int // arrays and objects in each other
	Members int // of all objects and arrays together
}

// ErrTooLarge says that a document is beyond a limit, or that to check it takes more work than was allowed.
var ErrTooLarge error = tooLarge{}

type tooLarge struct{}

// Error is part of error.
func (tooLarge) Error() string { return "document too large, or too much work" }

// TooLarge tells the error from others.
func (tooLarge) TooLarge() bool { return true }

// errBroken says that the checking itself went wrong, which is nobody's fault but ours.
var errBroken = errors.New("the check failed")

// Set is a number of schemas that may refer to each other, compiled. It may be used by many goroutines at once.
type Set struct {
	schemas map[string]*Schema
}

// Faults tell what is wrong with schemas, by name.
type Faults map[string]error

// Error is part of error.
func (f Faults) Error() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(&b, "schema %s: %v\n", name, f[name])
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// New compiles schemas. The error is Faults.
func New(sources []Source) (*Set, error) {
	l, wrong := newLibrary(sources)
	s := &Set{schemas: map[string]*Schema{}}
	for i := range sources {
		source := &sources[i]
		if wrong[source.Name] != nil {
			continue
		}
		made, err := l.schema(source)
		if err != nil {
			wrong[source.Name] = err
			continue
		}
		s.schemas[source.Name] = made
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return s, nil
}

// Schema returns the schema of a name; nil for none.
func (s *Set) Schema(name string) *Schema { return s.schemas[name] }

// Schema is one compiled schema. It may be used by many goroutines at once.
type Schema struct {
	library *library
	url     string
	limits  Limits
	// copies holds what is idle; nil stands for one that is not compiled yet. One serves one goroutine at a time, since the work is counted in
	// it. More than there are cores would gain nothing: nobody waits for anything else.
	copies chan *checker
}

func (l *library) schema(source *Source) (*Schema, error) {
	s := &Schema{library: l, url: l.urls[source.Name], limits: source.Limits, copies: make(chan *checker, runtime.GOMAXPROCS(0))}
	first, err := s.compile()
	if err != nil {
		return nil, err
	}
	s.copies <- first
	for range cap(s.copies) - 1 {
		s.copies <- nil
	}
	return s, nil
}

// checker is a compiled copy of a schema with the meter that its parts count in.
type checker struct {
	schema *jsonschema.Schema
	meter  *meter
}

func (s *Schema) compile() (*checker, error) {
	m := &meter{left: 1 << 62} // compiling looks for matches, too
	compiled, err := s.library.compile(s.url, m)
	if err != nil {
		return nil, err
	}
	return &checker{compiled, m}, nil
}

// Check checks a document, which is looked at during the call only. It returns what is wrong with it as a JSON array of objects with the members
// "pointer" (RFC 6901), "keyword" and "message", of at most MaxReport bytes, or "" for a good one; and the work that was done, which is never
// more than allowed. A unit is about a nanosecond's work. The error is ErrTooLarge, or says that the check could not be done. Values and
// patterns of the schema, and values of the document, are never told.
func (s *Schema) Check(document []byte, allowed int64) (wrong string, work int64, err error) {
	if len(document) > s.limits.Size {
		return "", 0, ErrTooLarge
	}
	c := <-s.copies
	sound := false
	defer func() {
		if !sound { // whatever stopped it half-way, the next one starts from a fresh copy
			c = nil
		}
		s.copies <- c
	}()
	if c == nil {
		if c, err = s.compile(); err != nil {
			return "", 0, err
		}
	}
	c.meter.begin(allowed)
	wrong, sound, err = c.check(document, s.limits)
	return wrong, allowed - c.meter.left, err
}

// check recovers from whatever the library makes of a document: the meter stops it so, too.
func (c *checker) check(document []byte, limits Limits) (wrong string, sound bool, err error) {
	defer func() {
		switch reason := recover(); reason {
		case nil:
		case errSpent:
			wrong, sound, err = "", true, ErrTooLarge
		default:
			wrong, sound, err = "", false, fmt.Errorf("%w: %v", errBroken, reason)
		}
	}()
	value, fault, err := c.meter.parse(document, limits)
	switch {
	case err != nil:
		return "", true, err
	case fault != nil:
		return report([]finding{*fault}), true, nil
	}
	failed := c.schema.Validate(value)
	if failed == nil {
		return "", true, nil
	}
	return report(findings(failed, c.meter)), true, nil
}
