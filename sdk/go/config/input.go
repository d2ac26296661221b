package config

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// input is the JSON that is left to read.
type input struct {
	text string
}

// next skips white space and returns the first byte after it, 0 at the end.
func (in *input) next() byte {
	for i := 0; i < len(in.text); i++ {
		if c := in.text[i]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			in.text = in.text[i:]
			return c
		}
	}
	in.text = ""
	return 0
}

// take skips white space and then c, if it is there.
func (in *input) take(c byte) bool {
	if in.next() != c {
		return false
	}
	in.text = in.text[1:]
	return true
}

// items reads what stands between an opening bracket and the closing one, calling item for each.
func (in *input) items(closing byte, item func(i int) error) error {
	in.text = in.text[1:]
	if in.take(closing) {
		return nil
	}
	for i := 0; ; i++ {
		if err := item(i); err != nil {
			return err
		}
		if in.take(closing) {
			return nil
		}
		if !in.take(',') {
			return errNotJSON
		}
	}
}

// key reads a member's name and the colon.
func (in *input) key() (string, error) {
	if in.next() != '"' {
		return "", errNotJSON
	}
	key, err := in.quoted()
	if err == nil && !in.take(':') {
		err = errNotJSON
	}
	return key, err
}

// word reads a number or a literal, "" if there is none.
func (in *input) word() string {
	in.next()
	n := 0
	for n < len(in.text) && strings.IndexByte(" \t\r\n,]}:[{\"", in.text[n]) < 0 {
		n++
	}
	word := in.text[:n]
	in.text = in.text[n:]
	return word
}

// quoted reads a string from its opening quote on. One without escapes is not copied.
func (in *input) quoted() (string, error) {
	s := in.text[1:]
	plain := 0
	for plain < len(s) && s[plain] != '"' && s[plain] != '\\' && s[plain] >= ' ' {
		plain++
	}
	if plain < len(s) && s[plain] == '"' {
		in.text = s[plain+1:]
		return s[:plain], nil
	}
	return in.escaped(s, plain)
}

// escaped reads the rest of a string whose first plain bytes hold no escape.
func (in *input) escaped(s string, plain int) (string, error) {
	b := []byte(s[:plain])
	for i := plain; i < len(s); {
		switch c := s[i]; {
		case c == '"':
			in.text = s[i+1:]
			return string(b), nil
		case c < ' ':
			return "", errNotJSON
		case c != '\\':
			end := i + 1
			for end < len(s) && s[end] != '"' && s[end] != '\\' && s[end] >= ' ' {
				end++
			}
			b = append(b, s[i:end]...) // at once: each append is a call
			i = end
		default:
			n := 0
			if b, n = unescape(b, s[i:]); n == 0 {
				return "", errNotJSON
			}
			i += n
		}
	}
	return "", errNotJSON
}

// unescape appends what the escape at the start of s stands for, and returns its length, 0 if it is none.
func unescape(b []byte, s string) ([]byte, int) {
	if len(s) < 2 {
		return b, 0
	}
	if s[1] == 'u' {
		r, n := unicodeEscape(s)
		return utf8.AppendRune(b, r), n
	}
	i := strings.IndexByte(`"\/bfnrt`, s[1])
	if i < 0 {
		return b, 0
	}
	return append(b, "\"\\/\b\f\n\r\t"[i]), 2
}

// unicodeEscape reads \uXXXX, or a pair of them that makes one character.
func unicodeEscape(s string) (r rune, n int) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if low, ok := hex4(s[6:]); ok && utf16.IsSurrogate(r) {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return r, 6 // a lone surrogate becomes U+FFFD when it is appended
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}

// integer reads a decimal integer. (strconv would do; its errors weigh 20 KB under TinyGo.)
func integer(s string) (n int, ok bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 18 {
		return 0, false
	}
	var sum int64
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		sum = sum*10 + int64(c-'0')
	}
	if len(digits) < len(s) {
		sum = -sum
	}
	return int(sum), int64(int(sum)) == sum
}
