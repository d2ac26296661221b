package http1

import (
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

func parseTrailers(section string, trailers *header.Fields) refusal {
	for at, count := 0, 1; section[at] != '\r'; count++ {
		name, value, next, why := parseField(section, at)
		if why != accepted {
			return why
		}
		if count > maxTrailerFields {
			return longTrailers
		}
		if trailers != nil && MayTrail(name) {
			trailers.Add(name, value)
		}
		at = next
	}
	return accepted
}

// MayTrail reports whether a field of that name may come behind the content: not what frames, routes, authenticates or
// describes the content (RFC 9110, section 6.5.1), and nothing that the gateway itself has vouched for in the head. An underscore
// counts as a hyphen: to many an application they are the same.
func MayTrail(name string) bool {
	if roleOf(name) != endToEnd {
		return false
	}
	if strings.IndexByte(name, '_') >= 0 {
		return MayTrail(strings.ReplaceAll(name, "_", "-"))
	}
	for _, refused := range [...]string{
		"authorization", "cookie", "set-cookie", "www-authenticate", "content-type", "content-encoding",
		"content-range", "cache-control", "range", "max-forwards", "age", "expires", "location", "retry-after", "vary",
		"forwarded", "x-real-ip", "x-request-id", "traceparent", "tracestate", "client-cert",
	} {
		if header.EqualName(name, refused) {
			return false
		}
	}
	return !hasPrefix(name, "client-cert") && !hasPrefix(name, "if-") && !hasPrefix(name, "x-forwarded-") && !hasPrefix(name, "access-control-")
}

func hasPrefix(name, prefix string) bool {
	return len(name) > len(prefix) && header.EqualName(name[:len(prefix)], prefix)
}
