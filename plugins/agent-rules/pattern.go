package main

import "strings"

// pattern is texts, in small letters, that a value must have one after the other, with anything between them.
type pattern struct {
	parts    []string
	from, to bool // it begins with the first one, ends with the last one
}

// patterns are met by a value that meets one of them.
type patterns []pattern

// parsePattern reads a pattern: a text to be found somewhere, "^" before it for at the beginning, "$" behind it for at the end, "*" in it for anything.
func parsePattern(text string) pattern {
	var p pattern
	text, p.from = strings.CutPrefix(text, "^")
	text, p.to = strings.CutSuffix(text, "$")
	p.parts = strings.Split(string(appendLower(nil, text)), "*")
	return p
}

// appendLower appends a text in small letters, as far as they are ASCII.
func appendLower[T string | []byte](dst []byte, text T) []byte {
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func (all patterns) meets(value string) bool {
	for i := range all {
		if all[i].meets(value) {
			return true
		}
	}
	return false
}

// meets takes each part where it comes first, and the last one at the end if it must be there: whatever the value, nothing is tried twice.
func (p *pattern) meets(value string) bool {
	parts := p.parts
	if p.from {
		rest, ok := strings.CutPrefix(value, parts[0])
		if !ok {
			return false
		}
		if value, parts = rest, parts[1:]; len(parts) == 0 {
			return !p.to || value == ""
		}
	}
	if p.to {
		rest, ok := strings.CutSuffix(value, parts[len(parts)-1])
		if !ok {
			return false
		}
		value, parts = rest, parts[:len(parts)-1]
	}
	for _, part := range parts {
		i := strings.Index(value, part)
		if i < 0 {
			return false
		}
		value = value[i+len(part):]
	}
	return true
}
