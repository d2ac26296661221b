package http1

import (
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

// Query returns the first value of a parameter in a raw query, decoded; a pair that cannot be decoded is passed over.
func Query(query, name string) (value string, ok bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, raw, _ := strings.Cut(pair, "=")
		if key != name {
			decoded, err := url.QueryUnescape(key)
			if err != nil || decoded != name {
				continue
			}
		}
		if value, err := url.QueryUnescape(raw); err == nil {
			return value, true
		}
	}
	return "", false
}

// Cookie returns the value of the first cookie of that name in a request's fields (RFC 6265, section 5.4), and whether there is one.
// Quotes around it are not part of it.
func Cookie(fields *header.Fields, name string) (value string, ok bool) {
	for _, f := range fields.All() {
		if !header.EqualName(f.Name, "Cookie") {
			continue
		}
		for rest := f.Value; rest != ""; {
			var pair string
			pair, rest, _ = strings.Cut(rest, ";")
			key, value, found := strings.Cut(strings.Trim(pair, " \t"), "=")
			if found && key == name {
				return unquoted(value), true
			}
		}
	}
	return "", false
}

func unquoted(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}
