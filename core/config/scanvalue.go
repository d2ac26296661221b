package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// value finds the end of a value and notes the keys and elements inside of it.
func (s *scanner) value(path string, depth int) bool {
	if depth > maxDepth {
		place := s.place(s.pos)
		s.tooDeep = &place
		return false
	}
	switch {
	case s.skip("["):
		return s.array(path, depth+1)
	case s.skip("{"):
		return s.inlineTable(path, depth+1)
	case s.skip(`"""`):
		return s.multiline('"')
	case s.skip("'''"):
		return s.multiline('\'')
	case s.skip(`"`):
		return s.quoted()
	case s.skip("'"):
		end := strings.IndexByte(s.text[s.pos:], '\'')
		s.pos += end + 1
		return end >= 0
	}
	return s.primitive()
}

func (s *scanner) array(path string, depth int) bool {
	for i := 0; ; i++ {
		if s.skipBlank(); s.skip("]") {
			return true
		}
		elem := element(path, i)
		s.places[elem] = known{s.place(s.pos), isValue}
		if !s.value(elem, depth) {
			return false
		}
		if s.skipBlank(); !s.skip(",") {
			return s.skip("]")
		}
	}
}

func (s *scanner) inlineTable(path string, depth int) bool {
	for {
		if s.skipBlank(); s.skip("}") {
			return true
		}
		if !s.pair(path, depth) {
			return false
		}
		if s.skipBlank(); !s.skip(",") {
			return s.skip("}")
		}
	}
}

// multiline reads up to the end of a string that began with three quotes. Up to two more may stand before the three
// that end it.
func (s *scanner) multiline(quote byte) bool {
	for s.pos < len(s.text) {
		switch {
		case s.text[s.pos] == '\\' && quote == '"':
			s.pos += 2
		case s.text[s.pos] == quote:
			start := s.pos
			for s.pos < len(s.text) && s.text[s.pos] == quote {
				s.pos++
			}
			if s.pos-start >= 3 {
				return true
			}
		default:
			s.pos++
		}
	}
	s.pos = len(s.text)
	return false
}

// quoted reads up to the end of a string that began with one double quote.
func (s *scanner) quoted() bool {
	for s.pos < len(s.text) && s.text[s.pos] != '\n' {
		switch s.text[s.pos] {
		case '"':
			s.pos++
			return true
		case '\\':
			s.pos++
		}
		s.pos++
	}
	s.pos = min(s.pos, len(s.text))
	return false
}

// primitive reads a number, a boolean or a date: whatever has no quote or bracket of its own.
func (s *scanner) primitive() bool {
	end := strings.IndexAny(s.text[s.pos:], ",]}#\r\n")
	if end < 0 {
		end = len(s.text) - s.pos
	}
	s.pos += end
	return end > 0
}

// quotedName reads the rest of a key in double quotes and resolves its escapes.
func (s *scanner) quotedName() (string, bool) {
	start := s.pos
	if !s.quoted() {
		return "", false
	}
	var name strings.Builder
	for raw := s.text[start : s.pos-1]; raw != ""; {
		if raw[0] != '\\' {
			name.WriteByte(raw[0])
			raw = raw[1:]
			continue
		}
		r, size := unescape(raw[1:])
		if size == 0 {
			return "", false
		}
		name.WriteRune(r)
		raw = raw[1+size:]
	}
	return name.String(), true
}

// unescape returns what an escape stands for and its length, both without the backslash; 0 if it is none.
func unescape(s string) (r rune, size int) {
	if s == "" {
		return 0, 0
	}
	if i := strings.IndexByte(`btnfre"\`, s[0]); i >= 0 {
		return rune("\b\t\n\f\r\x1b\"\\"[i]), 1
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	if digits == 0 || len(s) <= digits {
		return 0, 0
	}
	code, err := strconv.ParseUint(s[1:1+digits], 16, 32)
	if err != nil || code > utf8.MaxRune {
		return 0, 0
	}
	return rune(code), 1 + digits
}

// skip goes on behind token if the text goes on with it.
func (s *scanner) skip(token string) bool {
	if !strings.HasPrefix(s.text[s.pos:], token) {
		return false
	}
	s.pos += len(token)
	return true
}

func (s *scanner) skipSpace() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t') {
		s.pos++
	}
}

// skipBlank goes on to the next character that is not space, line end or comment.
func (s *scanner) skipBlank() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		case '#':
			s.skipComment()
		default:
			return
		}
	}
}

func (s *scanner) skipComment() {
	if end := strings.IndexByte(s.text[s.pos:], '\n'); end >= 0 {
		s.pos += end
		return
	}
	s.pos = len(s.text)
}

// endOfLine reports whether nothing but space and a comment follows on the line.
func (s *scanner) endOfLine() bool {
	s.skipSpace()
	return s.pos == len(s.text) || strings.IndexByte("#\r\n", s.text[s.pos]) >= 0
}
