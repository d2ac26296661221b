package main

import (
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/plugins/internal/percent"
	"github.com/sallyport/sallyport/sdk/go"
)

// pair is a query parameter: its name decoded, its value as written.
type pair struct {
	name, value string
	written     string // the name
	known       bool
}

// readQuery takes the query apart. A + is a space.
func (s *settings) readQuery(query string) {
	s.pairs = s.pairs[:0]
	for query != "" {
		var text string
		text, query, _ = strings.Cut(query, "&")
		if text == "" {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		decoded, ok := decode(name, true)
		if !ok {
			s.fault(inQuery, name, "has a name that is not percent-encoded UTF-8")
			continue
		}
		s.pairs = append(s.pairs, pair{decoded, value, name, false})
	}
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

// checkUnknown finds what is no parameter.
func (s *settings) checkUnknown() {
	for i := range s.pairs {
		if p := &s.pairs[i]; !p.known {
			s.fault(inQuery, p.written, "is not a parameter")
		}
	}
}

// readCookies returns all pairs of the Cookie fields.
func (s *settings) readCookies(h sallyport.Headers) (cookies []pair) {
	for i := range s.parameters {
		if s.parameters[i].in != inCookie {
			continue
		}
		for _, line := range h.Values("Cookie") {
			for text := range strings.SplitSeq(line, ";") {
				name, value, _ := strings.Cut(strings.Trim(text, " \t"), "=")
				cookies = append(cookies, pair{name: name, value: value})
			}
		}
		break
	}
	return cookies
}

// checkParameter finds the values of a parameter and checks them.
func (s *settings) checkParameter(r *sallyport.Request, p *parameter, cookies []pair) {
	s.items = s.items[:0]
	switch p.in {
	case inPath:
		if value := r.Param(p.name); value != "" {
			s.items = append(s.items, value)
		}
	case inHeader:
		s.items = append(s.items, r.Headers.Values(p.name)...)
	case inCookie:
		for i := range cookies {
			if cookies[i].name == p.name {
				s.items = append(s.items, cookies[i].value)
			}
		}
	case inQuery:
		for i := range s.pairs {
			if s.pairs[i].name == p.name {
				s.pairs[i].known = true
				s.items = append(s.items, s.pairs[i].value)
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
	if p.unique && twice(s.items) {
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

func twice(items []string) bool {
	seen := make(map[string]struct{}, len(items))
	for _, item := range items {
		decoded, _ := decode(item, true)
		if _, again := seen[decoded]; again {
			return true
		}
		seen[decoded] = struct{}{}
	}
	return false
}
