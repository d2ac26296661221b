package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep arrays and inline tables may be nested, and of how many names a dotted key may be.
const maxDepth = 64

// kind is what a key path stands for, as far as the rules of TOML on defining a key twice need it.
type kind uint8

const (
	isValue    kind = iota // anything after "=": may not be added to
	isImplied              // a table that only a longer header or key has named so far
	isTable                // a table with a header of its own
	isElements             // an array of tables, made by [[…]]
)

// scanner reads the keys of a TOML document and where they stand. It takes values apart only as far as it must to find
// their end: the TOML library judges them. It stops at what it cannot read.
type scanner struct {
	text     string
	pos      int
	places   places
	elements map[string]int // of arrays of tables
	repeated []repetition
	tooDeep  *Place
	headers  []tableHeader
	parts    []part // of the key that was read last

	counted   int // text[:counted] has been counted into place
	linePlace Place
}

// tableHeader is a [table] or [[array of tables]] and where its line begins in the text.
type tableHeader struct {
	path string
	from int
}

// repetition is a key that is defined a second time.
type repetition struct {
	key           string
	first, second Place
}

func (r repetition) message() string {
	return fmt.Sprintf("is defined twice, first in line %d", r.first.Line)
}

// scan reads a document without byte order mark. It never fails: for a document that is not TOML, it returns what it
// has found up to there. It calls rest between small steps.
func scan(text string, rest func()) *scanner {
	s := &scanner{text: text, places: places{}, elements: map[string]int{}, linePlace: Place{1, 1}}
	table := ""
	for s.skipBlank(); s.pos < len(s.text); s.skipBlank() {
		rest()
		ok := false
		if s.text[s.pos] == '[' {
			from := strings.LastIndexByte(s.text[:s.pos], '\n') + 1
			table, ok = s.header()
			s.headers = append(s.headers, tableHeader{table, from})
		} else {
			ok = s.pair(table, 0)
		}
		if !ok || !s.endOfLine() {
			break
		}
	}
	return s
}

// header reads [table] or [[array of tables]] and returns the key path of what follows.
func (s *scanner) header() (path string, ok bool) {
	brackets := 1
	if strings.HasPrefix(s.text[s.pos:], "[[") {
		brackets = 2
	}
	s.pos += brackets
	parts, ok := s.key()
	if !ok || !s.skip(strings.Repeat("]", brackets)) {
		return "", false
	}
	last := len(parts) - 1
	for _, part := range parts[:last] {
		path = s.enter(path, part)
	}
	if brackets == 2 {
		return s.appendElement(join(path, parts[last].name), parts[last].place), true
	}
	path = join(path, parts[last].name)
	s.define(path, parts[last].place, isTable)
	return path, true
}

// pair reads `key = value` into the table at path.
func (s *scanner) pair(path string, depth int) bool {
	parts, ok := s.key()
	if !ok || !s.skip("=") {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[:last] {
		path = s.enter(path, part)
	}
	path = join(path, parts[last].name)
	s.define(path, parts[last].place, isValue)
	s.skipSpace()
	return s.value(path, depth)
}

// part is one name of a dotted key.
type part struct {
	name  string
	place Place
}

// key reads a dotted key and the space behind it. Its parts are good until the next key is read.
func (s *scanner) key() (parts []part, ok bool) {
	parts = s.parts[:0]
	defer func() { s.parts = parts[:0] }()
	for {
		s.skipSpace()
		place := s.place(s.pos)
		name, ok := s.keyName()
		if !ok {
			return nil, false
		}
		if parts = append(parts, part{name, place}); len(parts) > maxDepth {
			s.tooDeep = &Place{place.Line, place.Col}
			return nil, false
		}
		s.skipSpace()
		if !s.skip(".") {
			return parts, true
		}
	}
}

func (s *scanner) keyName() (string, bool) {
	start := s.pos
	switch {
	case s.skip(`"`):
		return s.quotedName()
	case s.skip("'"):
		end := strings.IndexAny(s.text[s.pos:], "'\n")
		if end < 0 || s.text[s.pos+end] == '\n' {
			return "", false
		}
		s.pos += end + 1
		return s.text[start+1 : s.pos-1], true
	}
	for s.pos < len(s.text) && isBareByte(s.text[s.pos]) {
		s.pos++
	}
	return s.text[start:s.pos], s.pos > start
}

// enter goes on from the table at path into one that a dotted key names, which need not be there yet.
func (s *scanner) enter(path string, p part) string {
	path = join(path, p.name)
	switch it, ok := s.places[path]; {
	case !ok:
		s.define(path, p.place, isImplied)
	case it.kind == isValue:
		s.repeat(path, p.place)
	case it.kind == isElements:
		return element(path, s.elements[path]-1)
	}
	return path
}

func (s *scanner) define(path string, place Place, as kind) {
	it, ok := s.places[path]
	switch {
	case !ok:
		it.Place = place
	case it.kind != isImplied || as != isTable:
		s.repeat(path, place)
	}
	s.places[path] = known{it.Place, as}
}

func (s *scanner) appendElement(path string, place Place) string {
	it, ok := s.places[path]
	if !ok {
		it.Place = place
	} else if it.kind != isElements {
		s.repeat(path, place)
	}
	s.places[path] = known{it.Place, isElements}
	last := element(path, s.elements[path])
	s.elements[path]++
	s.places[last] = known{place, isTable}
	return last
}

func (s *scanner) repeat(path string, place Place) {
	s.repeated = append(s.repeated, repetition{path, s.places[path].Place, place})
}

// place returns line and column of text[pos:]. It is cheap when pos only grows.
func (s *scanner) place(pos int) Place {
	between := s.text[s.counted:pos]
	if lines := strings.Count(between, "\n"); lines > 0 {
		s.linePlace = Place{s.linePlace.Line + lines, 1}
		between = between[strings.LastIndexByte(between, '\n')+1:]
	}
	s.linePlace.Col += utf8.RuneCountInString(between)
	s.counted = pos
	return s.linePlace
}
