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
	p.parts = strings.Split(string(lowered(nil, text)), "*")
	return p
}

// lowered returns a text in small letters, as far as they are ASCII, in the room of dst if it is large enough. An append for each byte would cost
// TinyGo's builds more than all the rest.
func lowered[T string | []byte](dst []byte, text T) []byte {
	if cap(dst) < len(text) {
		dst = make([]byte, len(text))
	}
	dst = dst[:len(text)]
	for i := range dst {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst[i] = c
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
		i := index(value, part)
		if i < 0 {
			return false
		}
		value = value[i+len(part):]
	}
	return true
}

// index is strings.Index for short texts, which TinyGo's builds do in less than half of the time.
func index(value, part string) int {
	if part == "" {
		return 0
	}
	first := part[0]
	for i := 0; i+len(part) <= len(value); i++ {
		if value[i] == first && value[i:i+len(part)] == part {
			return i
		}
	}
	return -1
}
