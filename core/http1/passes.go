package http1

import "github.com/sallyport/sallyport/core/header"

// Passes reports whether a field goes from one connection to the next: it belongs neither to a connection nor to framing, and can
// stand on the wire. AppendRequestHead and AppendResponseHead look by themselves; who writes a message in another protocol asks.
func Passes(field header.Field) bool {
	switch roleOf(field.Name) {
	case endToEnd, roleDate:
		return validName(field.Name) && validValue(field.Value)
	}
	return false
}

// PassesBehind reports the same of a field behind the content (RFC 9110, section 6.5.1).
func PassesBehind(field header.Field) bool {
	return MayTrail(field.Name) && validName(field.Name) && validValue(field.Value)
}

// Target returns s, a path or a query, with all that cannot stand in a request target percent-encoded.
func Target(s string) string {
	if all(s, isTarget) {
		return s
	}
	return string(appendTarget(nil, s))
}
