package telemetry

import (
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

// captured is an HTTP field that lines show.
type captured struct {
	name   string
	quoted string // `"name":`
	secret bool   // that it is there is all that is shown
}

func capture(names []string) []captured {
	var list []captured
	for _, name := range names {
		list = append(list, captured{name, string(appendString(nil, strings.ToLower(name))) + ":", isSecretHeader(name)})
	}
	return list
}

// isSecretHeader reports whether a field holds what lets its reader act as somebody else. There is no way to have such shown.
func isSecretHeader(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{
		"authorization", "authentication-info", "cookie", "token", "secret", "password", "passwd", "api-key", "apikey", "api_key", "access-key", "auth-key",
		"credential", "signature", "session", "jwt", "assertion", "x-amz-security", "client-cert",
	} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "x-auth" || name == "dpop"
}

// addCaptured adds an object of those fields that are there, each with its values joined by commas.
func (l *line) addCaptured(key string, list []captured, fields *header.Fields) {
	if len(list) == 0 {
		return
	}
	start := len(l.b)
	l.b = append(l.b, key...)
	inside := len(l.b)
	for i := range list {
		l.addField(&list[i], fields, inside)
	}
	if len(l.b) == inside {
		l.b = l.b[:start]
		return
	}
	l.b = append(l.b, '}')
}

func (l *line) addField(c *captured, fields *header.Fields, inside int) {
	n := 0
	for _, field := range fields.All() {
		if !header.EqualName(field.Name, c.name) {
			continue
		}
		switch n++; {
		case n > 1:
			l.b = append(l.b, ", "...)
		case len(l.b) > inside:
			l.b = append(l.b, ',')
			fallthrough
		default:
			l.b = append(append(l.b, c.quoted...), '"')
		}
		if c.secret {
			l.b = append(l.b, redacted...)
			break
		}
		l.b = l.f.query.appendURL(l.b, field.Value, appendEscaped)
	}
	if n > 0 {
		l.b = append(l.b, '"')
	}
}
