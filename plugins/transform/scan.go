package main

import "strings"

// deepest is how deep a body may be nested.
const deepest = 64

// scan returns where the value ends that begins at text[i], which must be JSON as RFC 8259 has it; -1 if it is not.
func scan(text string, i, depth int) int {
	i = space(text, i)
	if i == len(text) || depth > deepest {
		return -1
	}
	switch c := text[i]; {
	case c == '{':
		return scanItems(text, i+1, '}', depth)
	case c == '[':
		return scanItems(text, i+1, ']', depth)
	case c == '"':
		return scanString(text, i+1)
	case c == '-' || isDigit(c):
		return scanNumber(text, i)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(text[i:], word) {
			return i + len(word)
		}
	}
	return -1
}

func space(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// scanItems scans members or elements up to the closing bracket.
func scanItems(text string, i int, closing byte, depth int) int {
	if i = space(text, i); i < len(text) && text[i] == closing {
		return i + 1
	}
	for {
		if closing == '}' {
			if i = scanKey(text, i); i < 0 {
				return -1
			}
		}
		if i = scan(text, i, depth+1); i < 0 {
			return -1
		}
		if i = space(text, i); i == len(text) {
			return -1
		}
		if text[i] == closing {
			return i + 1
		}
		if text[i] != ',' {
			return -1
		}
		i++
	}
}

// scanKey scans a member's name and the colon.
func scanKey(text string, i int) int {
	if i = space(text, i); i == len(text) || text[i] != '"' {
		return -1
	}
	if i = scanString(text, i+1); i < 0 {
		return -1
	}
	if i = space(text, i); i == len(text) || text[i] != ':' {
		return -1
	}
	return i + 1
}

// scanString scans what follows the opening quote.
func scanString(text string, i int) int {
	for i < len(text) {
		c := text[i]
		if c != '"' && c != '\\' && c >= ' ' {
			i++
			continue
		}
		switch {
		case c == '"':
			return i + 1
		case c < ' ':
			return -1
		case i+1 < len(text) && strings.IndexByte(`"\/bfnrt`, text[i+1]) >= 0:
			i += 2
		case i+5 < len(text) && text[i+1] == 'u' && isHex(text[i+2:i+6]):
			i += 6
		default:
			return -1
		}
	}
	return -1
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

func scanNumber(text string, i int) int {
	if text[i] == '-' {
		i++
	}
	if i < len(text) && text[i] == '0' {
		i++
	} else if i = digits(text, i); i < 0 {
		return -1
	}
	if i < len(text) && text[i] == '.' {
		if i = digits(text, i+1); i < 0 {
			return -1
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		i = digits(text, i)
	}
	return i
}

// digits scans at least one digit.
func digits(text string, i int) int {
	start := i
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}
