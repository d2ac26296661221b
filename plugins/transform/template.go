package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go"
)

// template is a text with values of the exchange in it.
type template []piece

// piece is a literal text, or a value.
type piece struct {
	from     source
	name     string // of the value; the text of a literal
	number   sallyport.Field
	fallback string // stands for a value that is not there
}

type source uint8

const (
	literal source = iota
	ofField
	ofParam
	ofSegments
	ofQuery
	ofHeader
	ofAttribute
	ofResponse
	ofStatus
)

// context is where values come from. There is no response in the request hook.
type context struct {
	request  *sallyport.Request
	response *sallyport.Response
}

var fieldNames = [...]struct {
	name  string
	field sallyport.Field
}{
	{"method", sallyport.FieldMethod}, {"scheme", sallyport.FieldScheme}, {"host", sallyport.FieldHost}, {"path", sallyport.FieldPath},
	{"query", sallyport.FieldQuery}, {"protocol", sallyport.FieldProtocol}, {"client", sallyport.FieldClientAddress},
	{"route", sallyport.FieldRoute}, {"id", sallyport.FieldRequestID}, {"consumer", sallyport.FieldConsumer},
	{"upstream", sallyport.FieldUpstream}, {"tls_server_name", sallyport.FieldTLSServerName}, {"tls_client_subject", sallyport.FieldTLSClientSubject},
}

var sourceNames = [...]struct {
	prefix string
	from   source
}{
	{"param.", ofParam}, {"segments.", ofSegments}, {"query.", ofQuery}, {"header.", ofHeader}, {"attr.", ofAttribute}, {"response.", ofResponse},
}

// parseTemplate reads a text with {{ VALUE }} and {{ VALUE | FALLBACK }} in it.
func parseTemplate(text string, side side) (template, error) {
	var t template
	for text != "" {
		before, rest, found := strings.Cut(text, "{{")
		if before != "" {
			t = append(t, piece{name: before})
		}
		if !found {
			break
		}
		inner, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, errors.New("has {{ without }}")
		}
		p, err := parseValue(inner, side)
		if err != nil {
			return nil, err
		}
		t = append(t, p)
		text = after
	}
	return t, nil
}

func parseValue(inner string, side side) (piece, error) {
	name, fallback, _ := strings.Cut(inner, "|")
	name = strings.TrimSpace(name)
	p := piece{fallback: strings.TrimSpace(fallback)}
	if !field.IsValue(p.fallback) {
		return p, errors.New("must have no control characters")
	}
	for _, known := range fieldNames {
		if name == known.name {
			p.from, p.number = ofField, known.field
			return p, nil
		}
	}
	for _, known := range sourceNames {
		if rest, ok := strings.CutPrefix(name, known.prefix); ok && rest != "" && len(rest) <= 256 && (known.from != ofResponse || side == ofAnswer) {
			p.from, p.name = known.from, rest
			return p, nil
		}
	}
	if name == "status" && side == ofAnswer {
		p.from = ofStatus
		return p, nil
	}
	return p, errors.New("has a value that is not known: {{ " + name + " }}")
}

// isConstant reports whether there are no values in it.
func (t template) isConstant() bool { return len(t) == 0 || len(t) == 1 && t[0].from == literal }

// expand appends the text. What is not there, or holds control characters, is its fallback.
func (t template) expand(dst []byte, c context) []byte {
	for i := range t {
		dst = append(dst, t[i].text(c)...)
	}
	return dst
}

func (p *piece) text(c context) string {
	if p.from == literal {
		return p.name
	}
	value := p.lookup(c)
	if value == "" || len(value) > longestValue || !printable(value) {
		return p.fallback
	}
	return value
}

// longestValue is how many bytes a value may have; a field may have 16 KiB.
const longestValue = 8 << 10

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func (p *piece) lookup(c context) string {
	switch p.from {
	case ofField:
		value, _ := c.request.Bytes(p.number)
		return string(value)
	case ofParam, ofSegments:
		return c.request.Param(p.name)
	case ofQuery:
		value, _ := c.request.QueryParam(p.name)
		return value
	case ofHeader:
		return c.request.Headers.Get(p.name)
	case ofAttribute:
		value, _ := c.request.Attr(p.name)
		return value
	case ofResponse:
		return c.response.Headers.Get(p.name)
	}
	return strconv.Itoa(c.response.Status())
}
