package filter

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
)

// Template is a text with :name and *name standing for a route's path parameters. It is immutable.
type Template struct {
	parts []templatePart
}

// templatePart is literal text, then a parameter unless its name is empty.
type templatePart struct {
	literal, param string
}

// ParseTemplate reads a template. A parameter begins with ":" or "*" behind a "/", "=" or "&" and goes on to the next "/", "?", "&" or "#";
// so the "://" of a URL and a port are text.
func ParseTemplate(text string) (*Template, error) {
	t := &Template{}
	rest := text
	start := 0
	for i := 1; i < len(rest); i++ {
		if (rest[i] != ':' && rest[i] != '*') || !strings.ContainsRune("/=&", rune(rest[i-1])) {
			continue
		}
		end := i + 1
		for end < len(rest) && !strings.ContainsRune("/?&#", rune(rest[end])) {
			end++
		}
		name := rest[i+1 : end]
		if name == "" {
			return nil, fmt.Errorf("%q: a parameter without a name", text)
		}
		t.parts = append(t.parts, templatePart{rest[start:i], name})
		start, i = end, end-1
	}
	t.parts = append(t.parts, templatePart{literal: rest[start:]})
	return t, nil
}

// Params returns the names of the parameters in the template.
func (t *Template) Params() []string {
	var names []string
	for _, part := range t.parts {
		if part.param != "" {
			names = append(names, part.param)
		}
	}
	return names
}

// Expand puts the exchange's path parameters, percent-encoded as they came, in their places. Behind a "?" what would
// end a value or begin another is encoded too, so that a client cannot add parameters to the query.
func (t *Template) Expand(x *exchange.Exchange) string {
	var room [256]byte
	b := room[:0]
	inQuery := false
	for _, part := range t.parts {
		b = append(b, part.literal...)
		inQuery = inQuery || strings.Contains(part.literal, "?")
		if part.param == "" {
			continue
		}
		value, _ := x.Param(part.param) // a build makes sure that the route has it
		value = strings.TrimPrefix(value, "/")
		if inQuery {
			b = appendQueryValue(b, value)
			continue
		}
		b = append(b, value...)
	}
	return x.Text.Copy(b)
}

// appendQueryValue encodes what a path may hold as it is, but means something between the values of a query.
func appendQueryValue(b []byte, value string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(value) {
		switch c := value[i]; c {
		case '&', '=', '+', ';':
			b = append(b, '%', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}
