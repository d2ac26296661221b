package schema

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Numbers are kept as they are written; arithmetic with these takes no time to speak of.
const (
	maxDigits   = 1000
	maxExponent = 1000
)

// document is what is left to parse of one.
type document struct {
	m       *meter
	text    []byte
	at      int
	limits  Limits
	members int
	depth   int
	path    []string // to the value that is read, or was read last
	fault   *finding // the first
	err     error
}

// parse reads a document as strictly as RFC 8259 and RFC 7493 (I-JSON) have it: UTF-8 without mark, no member twice, no lone surrogates, nothing behind
// it. What is no such document is a finding.
func (m *meter) parse(text []byte, limits Limits) (value any, fault *finding, err error) {
	m.spend(int64(len(text)) * costByte)
	d := &document{m: m, text: text, limits: limits}
	if !utf8.Valid(text) {
		return nil, &finding{keyword: keywordJSON, message: "is not UTF-8"}, nil
	}
	value, ok := d.value()
	if ok && d.next() != 0 {
		d.fail("has something behind the end of the document")
	} else if ok && d.at < len(d.text) {
		d.fail("is no JSON")
	}
	return value, d.fault, d.err
}

// fail notes what is wrong at the place where the parser is.
func (d *document) fail(message string) bool {
	if d.fault == nil && d.err == nil {
		d.fault = &finding{pointer: pointer(d.path), keyword: keywordJSON, message: message}
	}
	return false
}

func (d *document) tooLarge() bool {
	d.err = ErrTooLarge
	return false
}

// next skips white space and returns the byte behind it, 0 at the end.
func (d *document) next() byte {
	for d.at < len(d.text) {
		switch c := d.text[d.at]; c {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return c
		}
	}
	return 0
}

func (d *document) take(c byte) bool {
	if d.next() != c || d.at == len(d.text) {
		return false
	}
	d.at++
	return true
}

func (d *document) value() (any, bool) {
	d.m.spend(costValue)
	switch c := d.next(); {
	case c == '{':
		return d.object()
	case c == '[':
		return d.array()
	case c == '"':
		return d.string()
	case c == '-' || isDigit(c):
		return d.number()
	}
	return d.word()
}

func (d *document) word() (any, bool) {
	switch rest := d.text[d.at:]; {
	case bytes.HasPrefix(rest, []byte("true")):
		d.at += len("true")
		return true, true
	case bytes.HasPrefix(rest, []byte("false")):
		d.at += len("false")
		return false, true
	case bytes.HasPrefix(rest, []byte("null")):
		d.at += len("null")
		return nil, true
	}
	return nil, d.fail("is no JSON")
}

// down goes into an object or array, unless that is too deep.
func (d *document) down() bool {
	d.at++
	if d.depth++; d.depth > d.limits.Depth {
		return d.tooLarge()
	}
	return true
}

func (d *document) up() {
	d.depth--
	d.path = d.path[:d.depth]
}

// one counts a member or element, and goes to it.
func (d *document) one(name string) bool {
	d.path = append(d.path[:d.depth-1], name)
	if d.members++; d.members > d.limits.Members {
		return d.tooLarge()
	}
	return true
}

func (d *document) object() (any, bool) {
	members := map[string]any{}
	if !d.down() || !d.take('}') && !d.membersOf(members) {
		return nil, false
	}
	d.up()
	return members, true
}

// membersOf reads members up to the closing brace.
func (d *document) membersOf(members map[string]any) bool {
	for {
		name, ok := d.name()
		if !ok || !d.one(name) {
			return false
		}
		if _, twice := members[name]; twice {
			return d.fail("is there twice")
		}
		if members[name], ok = d.value(); !ok {
			return false
		}
		if d.take('}') {
			return true
		}
		if !d.take(',') {
			return d.fail("is no JSON")
		}
	}
}

func (d *document) name() (string, bool) {
	if d.next() != '"' {
		return "", d.fail("is no JSON")
	}
	name, ok := d.string()
	if ok && !d.take(':') {
		ok = d.fail("is no JSON")
	}
	text, _ := name.(string)
	return text, ok
}

func (d *document) array() (any, bool) {
	if !d.down() {
		return nil, false
	}
	elements := []any{}
	for more := !d.take(']'); more; more = !d.take(']') {
		if len(elements) > 0 && !d.take(',') {
			return nil, d.fail("is no JSON")
		}
		if !d.one(index(len(elements))) {
			return nil, false
		}
		element, ok := d.value()
		if !ok {
			return nil, false
		}
		elements = append(elements, element)
	}
	d.up()
	return elements, true
}

// string reads a string from its opening quote on.
func (d *document) string() (any, bool) {
	d.at++
	start := d.at
	for d.at < len(d.text) {
		switch c := d.text[d.at]; {
		case c == '"':
			d.at++
			return string(d.text[start : d.at-1]), true
		case c == '\\':
			return d.escaped(append([]byte(nil), d.text[start:d.at]...))
		case c < ' ':
			return nil, d.fail("has a control character in a string")
		default:
			d.at++
		}
	}
	return nil, d.fail("is no JSON")
}

// escaped reads the rest of a string that has come to its first escape.
func (d *document) escaped(b []byte) (any, bool) {
	for d.at < len(d.text) {
		c := d.text[d.at]
		d.at++
		switch {
		case c == '"':
			return string(b), true
		case c < ' ':
			return nil, d.fail("has a control character in a string")
		case c != '\\':
			b = append(b, c)
		default:
			var ok bool
			if b, ok = d.escape(b); !ok {
				return nil, d.fail("has an escape in a string that stands for nothing")
			}
		}
	}
	return nil, d.fail("is no JSON")
}

// escape appends what an escape stands for, whose backslash has been read.
func (d *document) escape(b []byte) ([]byte, bool) {
	if d.at == len(d.text) {
		return b, false
	}
	c := d.text[d.at]
	d.at++
	if c == 'u' {
		r, ok := d.unit()
		if !ok || !utf16.IsSurrogate(r) {
			return utf8.AppendRune(b, r), ok
		}
		if d.at+1 >= len(d.text) || d.text[d.at] != '\\' || d.text[d.at+1] != 'u' {
			return b, false
		}
		d.at += 2
		low, ok := d.unit()
		r = utf16.DecodeRune(r, low)
		return utf8.AppendRune(b, r), ok && r != utf8.RuneError
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if i < 0 {
		return b, false
	}
	return append(b, "\"\\/\b\f\n\r\t"[i]), true
}

// unit reads four hexadecimal digits.
func (d *document) unit() (r rune, ok bool) {
	if d.at+4 > len(d.text) {
		return 0, false
	}
	for _, c := range d.text[d.at : d.at+4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	d.at += 4
	return r, true
}

// number reads a number, and keeps it as it is written.
func (d *document) number() (any, bool) {
	start := d.at
	if d.text[d.at] == '-' {
		d.at++
	}
	if d.at < len(d.text) && d.text[d.at] == '0' {
		d.at++
	} else if !d.digits() {
		return nil, d.fail("is no JSON")
	}
	if d.at < len(d.text) && d.text[d.at] == '.' {
		if d.at++; !d.digits() {
			return nil, d.fail("is no JSON")
		}
	}
	mantissa, exponent := d.at-start, 0
	if d.at < len(d.text) && d.text[d.at]|0x20 == 'e' {
		d.at++
		if d.at < len(d.text) && (d.text[d.at] == '+' || d.text[d.at] == '-') {
			d.at++
		}
		first := d.at
		if !d.digits() {
			return nil, d.fail("is no JSON")
		}
		exponent = magnitude(d.text[first:d.at])
	}
	if mantissa > maxDigits || exponent > maxExponent {
		return nil, d.tooLarge()
	}
	d.m.digits = max(d.m.digits, int64(mantissa+exponent))
	return json.Number(d.text[start:d.at]), true
}

// digits reads at least one.
func (d *document) digits() bool {
	start := d.at
	for d.at < len(d.text) && isDigit(d.text[d.at]) {
		d.at++
	}
	return d.at > start
}

// magnitude is what digits mean, or maxExponent+1 for all that is more.
func magnitude(digits []byte) (n int) {
	for _, c := range digits {
		n = min(n*10+int(c-'0'), maxExponent+1)
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
