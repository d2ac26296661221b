package main

import (
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/percent"
)

// parameter is one of a query's: its name, decoded, and all of it as written.
type parameter struct {
	name, text string
}

// rewriteQuery does the steps of the query. Parameters that no step changes stay as they are written.
func (s *settings) rewriteQuery(c context) error {
	query := c.request.Query()
	s.parameters = s.parameters[:0]
	for rest := query; rest != ""; {
		var text string
		text, rest, _ = strings.Cut(rest, "&")
		name, _, _ := strings.Cut(text, "=")
		s.parameters = append(s.parameters, parameter{string(percent.AppendDecoded(nil, name)), text})
	}
	for i := range s.query {
		s.queryStep(&s.query[i], c)
	}
	b := s.scratch[:0]
	for _, p := range s.parameters {
		if len(b) > 0 {
			b = append(b, '&')
		}
		b = append(b, p.text...)
	}
	s.scratch = b
	if next := string(b); next != query {
		return c.request.SetQuery(next)
	}
	return nil
}

func (s *settings) queryStep(t *step, c context) {
	switch t.op {
	case remove:
		s.dropParameter(t)
	case rename, duplicate:
		s.carryParameter(t)
	case fallback:
		if !s.hasParameter(t.name) {
			s.addParameter(t, c)
		}
	case set:
		s.dropParameter(t)
		s.addParameter(t, c)
	case add:
		s.addParameter(t, c)
	}
}

func (s *settings) hasParameter(name string) bool {
	for _, p := range s.parameters {
		if p.name == name {
			return true
		}
	}
	return false
}

// dropParameter takes away the parameter, or all that begin as it does.
func (s *settings) dropParameter(t *step) {
	kept := s.parameters[:0]
	for _, p := range s.parameters {
		if p.name != t.name && !(t.below && strings.HasPrefix(p.name, t.name)) {
			kept = append(kept, p)
		}
	}
	s.parameters = kept
}

// addParameter appends a parameter, unless its value holds values of the exchange and comes out empty.
func (s *settings) addParameter(t *step, c context) {
	s.scratch = t.value.expand(s.scratch[:0], c)
	if len(s.scratch) == 0 && !t.value.isConstant() {
		return
	}
	text := percent.AppendEncoded(nil, t.name, false)
	text = percent.AppendEncoded(append(text, '='), string(s.scratch), false)
	s.parameters = append(s.parameters, parameter{t.name, string(text)})
}

// carryParameter renames or copies a parameter, whose values replace those of the other name.
func (s *settings) carryParameter(t *step) {
	if !s.hasParameter(t.name) {
		return
	}
	s.dropParameter(&step{name: t.to})
	to := string(percent.AppendEncoded(nil, t.to, false))
	for i, n := 0, len(s.parameters); i < n; i++ {
		p := &s.parameters[i]
		if p.name != t.name {
			continue
		}
		renamed := parameter{t.to, to + p.text[len(beforeEquals(p.text)):]}
		if t.op == rename {
			*p = renamed
		} else {
			s.parameters = append(s.parameters, renamed)
		}
	}
}

func beforeEquals(text string) string {
	name, _, _ := strings.Cut(text, "=")
	return name
}
