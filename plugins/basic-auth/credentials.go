package main

import (
	"unicode/utf8"

	"github.com/sallyport/sallyport/plugins/internal/field"
)

// longest is how many bytes a user's name or a password may have: the gateway takes no more.
const longest = 512

// longestEncoded is the length of the longest credentials in base64.
const longestEncoded = (2*longest + 1 + 2) / 3 * 4

// afterBasic returns what follows the scheme and its spaces, and whether it is there. Its case does not matter.
func afterBasic(value []byte) (encoded []byte, ok bool) {
	const scheme = "Basic"
	if len(value) < len(scheme) || !field.Equal(value[:len(scheme)], scheme) {
		return nil, false
	}
	encoded = value[len(scheme):]
	if len(encoded) > 0 && encoded[0] != ' ' && encoded[0] != '\t' {
		return nil, false // another scheme, that begins alike
	}
	for len(encoded) > 0 && encoded[0] == ' ' {
		encoded = encoded[1:]
	}
	return encoded, true
}

// decode finds user and password, and reports whether they can be anybody's. They are valid until the next request.
func (s *settings) decode(encoded []byte) bool {
	if len(encoded) > longestEncoded {
		return false
	}
	var ok bool
	if s.decoded, ok = appendBase64(s.decoded[:0], encoded); !ok {
		return false
	}
	text := field.View(s.decoded)
	colon := -1
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c == 0x7f: // RFC 7617, section 2
			return false
		case c == ':' && colon < 0:
			colon = i
		}
	}
	if colon <= 0 || colon == len(text)-1 || !utf8.ValidString(text) {
		return false
	}
	s.user, s.password = text[:colon], text[colon+1:]
	return len(s.user) <= longest && len(s.password) <= longest && field.IsValue(s.user)
}

// appendBase64 decodes strictly (RFC 4648, section 4): one text has one encoding, with padding. encoding/base64 would pass over line ends.
func appendBase64(dst, src []byte) ([]byte, bool) {
	if len(src) == 0 || len(src)%4 != 0 {
		return dst, false
	}
	pad := 0
	for pad < 2 && src[len(src)-1-pad] == '=' {
		pad++
	}
	held, have := uint32(0), 0
	for _, c := range src[:len(src)-pad] {
		digit, ok := base64Digit(c)
		if !ok {
			return dst, false
		}
		held, have = held<<6|digit, have+6
		if have >= 8 {
			have -= 8
			dst = append(dst, byte(held>>have))
			held &= 1<<have - 1
		}
	}
	return dst, held == 0
}

func base64Digit(c byte) (uint32, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return uint32(c - 'A'), true
	case c >= 'a' && c <= 'z':
		return uint32(c-'a') + 26, true
	case c >= '0' && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	}
	return 0, false
}
