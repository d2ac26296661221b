package route

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Pattern is what a route matches. Everything that is set must hold.
type Pattern struct {
	Name    string
	Host    string   // "", exact, or *.suffix for one label or more before it; lower case, without port
	Path    string   // httprouter's syntax: /users/:id, /files/*rest; a parameter reaches to the next slash
	Methods []string // GET stands for HEAD too
	Headers []Match
	Query   []Match
}

// Match is a predicate: the field or parameter is there, with exactly that first value if one is given.
type Match struct {
	Name  string
	Value *string
}

// kind says how a path matches; a smaller one goes before a greater one.
type kind uint8

const (
	static kind = iota
	parameter
	catchAll
)

// shape is a path pattern without the names of its parameters.
type shape struct {
	segments []string // literal text, ending in ":" for a parameter; "*" alone for a catch-all
	names    []string // of the parameters, in order
	kind     kind
	literals int // bytes of literal text
}

// maxParams is the most parameters of a path; httprouter counts them in a byte and would not match past it.
const maxParams = 64

// parse reads a path pattern.
func parse(path string) (shape, error) {
	if path == "" || path[0] != '/' {
		return shape{}, errors.New(`a path must begin with "/"`)
	}
	s := shape{}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		literal, name, wild, err := parseSegment(segment)
		switch {
		case err != nil:
			return shape{}, err
		case wild == '*' && i != len(segments)-1:
			return shape{}, errors.New("a catch-all can only be the last segment")
		case wild != 0 && len(s.names) == maxParams:
			return shape{}, fmt.Errorf("at most %d parameters are possible", maxParams)
		case wild != 0 && slices.Contains(s.names, name):
			return shape{}, errors.New("the parameter " + name + " is there twice")
		}
		s.add(literal, name, wild)
	}
	return s, nil
}

// parseSegment splits a segment into literal text, and the name and kind of the parameter behind it.
func parseSegment(segment string) (literal, name string, wild byte, err error) {
	at := strings.IndexAny(segment, ":*")
	if at < 0 {
		return segment, "", 0, nil
	}
	literal, wild, name = segment[:at], segment[at], segment[at+1:]
	switch {
	case name == "":
		err = errors.New("a parameter needs a name")
	case strings.ContainsAny(name, ":*"):
		err = errors.New("only one parameter is possible in a segment")
	case wild == '*' && literal != "":
		err = errors.New("a catch-all must be a whole segment")
	}
	return literal, name, wild, err
}

func (s *shape) add(literal, name string, wild byte) {
	s.literals += len(literal)
	switch wild {
	case 0:
		s.segments = append(s.segments, literal)
		return
	case ':':
		s.segments = append(s.segments, literal+":")
		s.kind = max(s.kind, parameter)
	case '*':
		s.segments = append(s.segments, "*")
		s.kind = catchAll
	}
	s.names = append(s.names, name)
}

// key is the same for paths that differ only in the names of parameters.
func (s *shape) key() string { return "/" + strings.Join(s.segments, "/") }

// router is the pattern as the trees take it: a parameter is named by its place, so that :a and :b do not clash.
func (s *shape) router() string {
	var b strings.Builder
	place := 0
	for _, segment := range s.segments {
		b.WriteByte('/')
		b.WriteString(segment)
		if strings.HasSuffix(segment, ":") || segment == "*" {
			b.WriteString(strconv.Itoa(place))
			place++
		}
	}
	return b.String()
}

// compareShapes puts first what is more particular: static before parameter before catch-all, then the longer path.
func compareShapes(a, b *shape) int {
	return cmp.Or(
		cmp.Compare(a.kind, b.kind),
		cmp.Compare(len(b.segments), len(a.segments)),
		cmp.Compare(b.literals, a.literals),
		slices.CompareFunc(a.segments, b.segments, compareSegments),
	)
}

// compareSegments lets the pattern win whose first difference is the more literal one.
func compareSegments(a, b string) int {
	return cmp.Compare(wildness(a), wildness(b))
}

func wildness(segment string) int {
	switch {
	case segment == "*":
		return 2
	case strings.HasSuffix(segment, ":"):
		return 1
	}
	return 0
}
