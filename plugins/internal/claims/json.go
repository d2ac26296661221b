// Package claims reads what a verified token says: single values out of a JSON object, in one pass and without copying.
package claims

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrMalformed is what becomes of claims that are no JSON object, are nested too deep, or name a claim that is asked for twice: readers
// differ on which of the two counts.
var ErrMalformed = errors.New("the claims are not what they should be")

// maxDepth is how deep values may be nested.
const maxDepth = 32

// members calls visit with each member of a JSON object; both texts are as written.
func members(text string, visit func(key, value string) error) error {
	return items(text, '{', '}', func(item string) error {
		n, ok := valueEnd(item)
		if !ok || item[0] != '"' {
			return ErrMalformed
		}
		rest := space(item[n:])
		if rest == "" || rest[0] != ':' {
			return ErrMalformed
		}
		return visit(item[:n], rest[1:])
	})
}

// items calls visit with the text from each item of an object or array on, and skips what visit has to read.
func items(text string, opening, closing byte, visit func(item string) error) error {
	text = space(text)
	if text == "" || text[0] != opening {
		return ErrMalformed
	}
	for text = space(text[1:]); text != ""; text = space(text[1:]) {
		if text[0] == closing {
			return nil
		}
		end, ok := itemEnd(text)
		if !ok {
			return ErrMalformed
		}
		if err := visit(text[:end]); err != nil {
			return err
		}
		if text = space(text[end:]); text == "" || text[0] == closing {
			return nil
		}
		if text[0] != ',' {
			return ErrMalformed
		}
	}
	return ErrMalformed
}

// itemEnd returns where a member or an element ends: at the comma or bracket that follows.
func itemEnd(text string) (int, bool) {
	end := 0
	for end < len(text) && text[end] != ',' && text[end] != '}' && text[end] != ']' {
		if c := text[end]; c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ':' {
			end++
			continue
		}
		n, ok := valueEnd(text[end:])
		if !ok {
			return 0, false
		}
		end += n
	}
	return end, end > 0
}

// valueEnd returns the length of the value that text begins with. It counts brackets: that they are of the right kind the gateway has
// made sure of.
func valueEnd(text string) (int, bool) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			n := stringEnd(text[i:])
			if n == 0 {
				return 0, false
			}
			i += n - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return 0, false
			}
			continue
		case '}', ']':
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i, i > 0
			}
			continue
		default:
			if depth == 0 {
				i += wordEnd(text[i:]) - 1
			}
		}
		if depth <= 0 {
			return i + 1, depth == 0
		}
	}
	return 0, false
}

// wordEnd returns the length of a number or a literal.
func wordEnd(text string) int {
	for i := range len(text) {
		switch text[i] {
		case ',', ':', ' ', '\t', '\r', '\n', '}', ']', '{', '[', '"':
			return i
		}
	}
	return len(text)
}

// stringEnd returns the length of a string with its quotes, 0 if it has no end.
func stringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return 0
}

func space(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t' || s[0] == '\r' || s[0] == '\n') {
		s = s[1:]
	}
	return s
}

// Text returns what a raw value says if it is a string. One without escapes is not copied.
func Text(raw string) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	raw = raw[1 : len(raw)-1]
	for i := range len(raw) {
		if raw[i] == '\\' {
			return unescape(raw, i)
		}
	}
	return raw, true
}

// unescape decodes a string whose first plain bytes hold no escape.
func unescape(s string, plain int) (string, bool) {
	b := append(make([]byte, 0, len(s)), s[:plain]...)
	for i := plain; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		if i++; i == len(s) {
			return "", false
		}
		switch s[i] {
		case 'u':
			r, n := codePoint(s[i-1:])
			if n == 0 {
				return "", false
			}
			b = utf8.AppendRune(b, r)
			i += n - 2
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		default:
			b = append(b, s[i])
		}
	}
	return string(b), true
}

// codePoint reads \uXXXX, or two of them that make one character.
func codePoint(s string) (r rune, n int) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if low, ok := hex4(s[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
	}
	return r, 6 // half a pair becomes U+FFFD when it is appended
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
