package http1

import "math/bits"

// octet is what a byte may be part of.
type octet uint8

const (
	isToken  octet = 1 << iota // RFC 9110, section 5.6.2
	isTarget                   // visible ASCII but "#": of a request target
	isPlain                    // stands in a canonical path without a second look: all of isTarget but % . / ? \
	isHost                     // of a registered name, stricter than RFC 3986: no percent, no sub-delims
	isUnreserved
	isHex
	isExtension // of a chunk extension
	isUpper
)

var octets = makeOctets()

func makeOctets() (t [256]octet) {
	set := func(class octet, from, to byte) {
		for c := int(from); c <= int(to); c++ {
			t[c] |= class
		}
	}
	add := func(class octet, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= class
		}
	}
	add(isToken, "!#$%&'*+-.^_`|~")
	for _, class := range []octet{isToken, isHost, isUnreserved} {
		set(class, '0', '9')
		set(class, 'A', 'Z')
		set(class, 'a', 'z')
	}
	add(isHost|isUnreserved, "-._~")
	set(isTarget|isPlain, '!', '~')
	t['#'] &^= isTarget | isPlain
	for _, c := range []byte(`%./?\`) {
		t[c] &^= isPlain
	}
	set(isHex, '0', '9')
	set(isHex, 'A', 'F')
	set(isHex, 'a', 'f')
	set(isExtension, ' ', '~')
	add(isExtension, "\t")
	set(isUpper, 'A', 'Z')
	return t
}

// skip returns the index of the first byte of s, from i on, that is not of the class.
func skip(s string, i int, class octet) int {
	for i < len(s) && octets[s[i]]&class != 0 {
		i++
	}
	return i
}

// all reports whether every byte of s is of the class.
func all(s string, class octet) bool { return skip(s, 0, class) == len(s) }

const (
	eachByte  = 0x0101010101010101
	highBits  = 0x8080808080808080
	eachSpace = eachByte * ' '
	eachDel   = eachByte * 0x7f
)

// findControl returns the index of the first control byte (below SP, or DEL) of s from i on, or len(s).
// It looks at eight bytes at once, since field values are most of a head.
func findControl(s string, i int) int {
	for i+8 <= len(s) {
		b := s[i : i+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		d := w ^ eachDel
		// The lowest bit set is exact: a borrow only ever disturbs bytes above a true find.
		if found := ((w-eachSpace)&^w | (d-eachByte)&^d) & highBits; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
	}
	for i < len(s) && s[i] >= ' ' && s[i] != 0x7f {
		i++
	}
	return i
}

// validValue reports whether s may stand as a field's value: no control bytes but HTAB.
func validValue(s string) bool {
	for i := 0; ; i++ {
		i = findControl(s, i)
		if i == len(s) {
			return true
		}
		if s[i] != '\t' {
			return false
		}
	}
}

// validName reports whether s is a field name or a method.
func validName(s string) bool { return s != "" && all(s, isToken) }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// trim cuts optional whitespace off both ends (RFC 9110, section 5.6.3).
func trim(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
