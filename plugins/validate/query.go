package main

import (
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/percent"
	"github.com/sallyport/sallyport/sdk/go"
)

// pair is a value of a parameter, as it is written. Only those that are asked for are kept, and of each only as many as may be: for the
// collector, thousands of strings that are parts of a long one are far more work than to find them was.
type pair struct {
	of    *parameter
	value string
}

// readQuery takes from the query what is a parameter, and tells of what is not if it is to be refused. A + is a space.
func (s *settings) readQuery(query string) {
	s.unknown, s.known, s.removed = s.unknown[:0], s.known[:0], false
	for query != "" {
		var text string
		text, query, _ = strings.Cut(query, "&")
		if text == "" {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		if decoded, ok := decode(name, true); !ok {
			s.fault(inQuery, name, "has a name that is not percent-encoded UTF-8")
		} else {
			s.sort(name, text, s.keep(inQuery, decoded, value))
		}
	}
}

// sort notes what is to become of a part of the query.
func (s *settings) sort(name, text string, isKnown bool) {
	switch {
	case !isKnown && s.refuseUnknown && len(s.unknown) < maxFaults:
		s.unknown = append(s.unknown, name)
	case !isKnown:
		s.removed = s.removeUnknown
	case s.removeUnknown:
		if len(s.known) > 0 {
			s.known = append(s.known, '&')
		}
		s.known = append(s.known, text...)
	}
}

// pass lets a request go on, without what nobody described if that is to be removed.
func (s *settings) pass(r *sallyport.Request) (sallyport.Verdict, error) {
	if !s.removed || s.reportOnly {
		return sallyport.Continue, nil
	}
	return sallyport.Continue, r.SetQuery(string(s.known))
}

// keep keeps a value if it is a parameter's, and reports whether it is.
func (s *settings) keep(in place, name, value string) bool {
	for i := range s.parameters {
		p := &s.parameters[i]
		if p.in != in || p.name != name {
			continue
		}
		most := 2 // one too many
		if p.repeats() {
			most = p.maxItems + 1
		}
		if p.found < most {
			p.found++
			s.pairs = append(s.pairs, pair{p, value})
		}
		return true
	}
	return false
}

// decode undoes percent-encoding; what is not encoded rightly, is no UTF-8 or holds a NUL is no text.
func decode(text string, plus bool) (string, bool) {
	escaped := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '%' && (i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2])):
			return "", false
		case c == '%' || c == '+' && plus:
			escaped = true
		}
	}
	if escaped {
		if !plus {
			text = strings.ReplaceAll(text, "+", "%2B")
		}
		text = string(percent.AppendDecoded(nil, text))
	}
	return text, utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// checkUnknown tells of what is no parameter.
func (s *settings) checkUnknown() {
	for _, name := range s.unknown {
		s.fault(inQuery, name, "is not a parameter")
	}
}

// readCookies takes from the cookies what is a parameter, behind the query's.
func (s *settings) readCookies(h sallyport.Headers) {
	if !s.cookies {
		return
	}
	for _, line := range h.Values("Cookie") {
		for more := true; more; {
			var text string
			text, line, more = strings.Cut(line, ";")
			name, value, _ := strings.Cut(text, "=")
			s.keep(inCookie, strings.Trim(name, " \t"), strings.Trim(value, " \t")) // as many servers read them
		}
	}
}

// lookForDoubles notes parameters whose header is there in a spelling that many servers take for the same.
func (s *settings) lookForDoubles(name, _ []byte) bool {
	for i := range s.parameters {
		if p := &s.parameters[i]; p.in == inHeader && field.Alike(name, p.name) && !field.Equal(name, p.name) {
			p.found++
		}
	}
	return true
}

// checkParameter finds the values of a parameter and checks them.
func (s *settings) checkParameter(r *sallyport.Request, p *parameter) {
	s.items = s.items[:0]
	switch p.in {
	case inPath:
		if value := r.Param(p.name); value != "" {
			s.items = append(s.items, value)
		}
	case inHeader:
		if p.found > 0 {
			s.fault(p.in, p.name, "is there with _ for -, or the other way round")
			return
		}
		s.items = append(s.items, r.Headers.Values(p.name)...)
	default:
		for i := range s.pairs {
			if pair := &s.pairs[i]; pair.of == p {
				s.items = append(s.items, pair.value)
			}
		}
	}
	switch {
	case len(s.items) == 0:
		if p.required {
			s.fault(p.in, p.name, "is missing")
		}
		return
	case len(s.items) > 1 && !p.repeats():
		s.fault(p.in, p.name, "is there more than once")
		return
	}
	if p.array && !p.split(s) {
		s.fault(p.in, p.name, "has too many elements")
		return
	}
	s.checkItems(p)
}

// repeats reports whether a parameter may be there several times.
func (p *parameter) repeats() bool {
	return p.array && (p.in == inHeader || p.in == inQuery && p.explode)
}

// split puts an array's elements in the place of what holds them, before they are decoded: an encoded separator is none, unless the style has
// no other. It reports false when they are too many.
func (p *parameter) split(s *settings) bool {
	if p.in == inQuery && p.explode {
		return len(s.items) <= p.maxItems
	}
	written := s.items
	s.items = nil
	for _, text := range written {
		separator := ","
		switch p.style {
		case "spaceDelimited":
			separator, text = "+", strings.ReplaceAll(text, "%20", "+")
		case "pipeDelimited":
			separator, text = "|", strings.ReplaceAll(strings.ReplaceAll(text, "%7C", "|"), "%7c", "|")
		}
		for rest, more := text, text != ""; more; {
			var item string
			item, rest, more = strings.Cut(rest, separator)
			if len(s.items) == p.maxItems {
				return false
			}
			if p.in == inHeader {
				item = strings.Trim(item, " \t")
			}
			s.items = append(s.items, item)
		}
	}
	return true
}

// checkItems checks the values of a parameter. It tells of the first that is wrong.
func (s *settings) checkItems(p *parameter) {
	if p.array && len(s.items) < p.minItems {
		s.fault(p.in, p.name, "must have at least "+itoa(p.minItems)+" elements")
		return
	}
	if p.unique && twice(s.items, p.in == inQuery) {
		s.fault(p.in, p.name, "must not have the same element twice")
		return
	}
	for i, value := range s.items {
		if p.in == inQuery {
			var ok bool
			if value, ok = decode(value, true); !ok {
				s.fault(p.in, p.name, "is not percent-encoded UTF-8")
				return
			}
		}
		wrong, err := p.value.check(value)
		if err != nil {
			s.failed = err
			return
		}
		if wrong != "" {
			if p.array {
				wrong = "element " + itoa(i) + " " + wrong
			}
			s.fault(p.in, p.name, wrong)
			return
		}
	}
}

// twice reports whether an element is there twice. In the query, one may be written in several ways; those that mean nothing are refused later.
func twice(items []string, encoded bool) bool {
	seen := make(map[string]struct{}, len(items))
	for _, item := range items {
		if encoded {
			decoded, ok := decode(item, true)
			if !ok {
				return false
			}
			item = decoded
		}
		if _, again := seen[item]; again {
			return true
		}
		seen[item] = struct{}{}
	}
	return false
}
