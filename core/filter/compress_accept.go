package filter

import (
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

// unnamed is the weight of a coding that the client does not name.
const unnamed = -1

// accepted is what an Accept-Encoding says: weights in thousandths.
type accepted struct {
	zstd, br, gzip, identity, any int
}

// choose returns the place of the coding that the client likes best, or -1 to leave the content as it is (RFC 9110, section 12.5.3).
func (c *Compress) choose(fields *header.Fields) int {
	a := accepted{unnamed, unnamed, unnamed, unnamed, unnamed}
	for _, field := range fields.All() {
		if header.EqualName(field.Name, "Accept-Encoding") && !a.read(field.Value) {
			return -1
		}
	}
	best, choice := 0, -1
	for i, coding := range c.codings {
		if q := a.weight(coding.name); q > best && q >= a.weight("identity") {
			best, choice = q, i
		}
	}
	return choice
}

func (a *accepted) weight(name string) int {
	if q := *a.of(name); q != unnamed {
		return q
	}
	return a.any
}

// of returns where the weight of a coding is kept; nil for one of no interest.
func (a *accepted) of(name string) *int {
	switch {
	case header.EqualName(name, "gzip") || header.EqualName(name, "x-gzip"):
		return &a.gzip
	case header.EqualName(name, "br"):
		return &a.br
	case header.EqualName(name, "zstd"):
		return &a.zstd
	case header.EqualName(name, "identity"):
		return &a.identity
	case name == "*":
		return &a.any
	}
	return nil
}

// read takes in a field's value. Of a coding named twice the first weight counts. It reports false when the value is malformed:
// then nothing is known of what the client can decode.
func (a *accepted) read(value string) bool {
	for element := range strings.SplitSeq(value, ",") {
		element = trimSpace(element)
		if element == "" {
			continue // a recipient has to bear empty elements (RFC 9110, section 5.6.1.2)
		}
		name, weight, weighted := strings.Cut(element, ";")
		q := 1000
		if weighted {
			name = trimSpace(name)
			if q = parseWeight(trimSpace(weight)); q < 0 {
				return false
			}
		}
		if !isCodingName(name) {
			return false
		}
		if kept := a.of(name); kept != nil && *kept == unnamed {
			*kept = q
		}
	}
	return true
}

// trimSpace takes the optional whitespace of HTTP (RFC 9110, section 5.6.3) off both ends. strings.Trim builds a
// table of the two bytes each time, which was most of the cost of an answer that is left alone.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

func isCodingName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// parseWeight reads "q=" and a qvalue (RFC 9110, section 12.4.2) and returns thousandths, -1 for anything else.
func parseWeight(s string) int {
	if len(s) < 3 || len(s) > len("q=0.000") || s[0]|0x20 != 'q' || s[1] != '=' || s[2] != '0' && s[2] != '1' {
		return -1
	}
	q := int(s[2]-'0') * 1000
	if len(s) == 3 {
		return q
	}
	if s[3] != '.' {
		return -1
	}
	for i, unit := 4, 100; i < len(s); i, unit = i+1, unit/10 {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		q += int(s[i]-'0') * unit
	}
	if q > 1000 {
		return -1
	}
	return q
}
