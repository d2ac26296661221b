package http1

import (
	"bytes"
	"strings"
)

// CanonicalPath returns the one form of a path that is matched, filtered and sent upstream (RFC 3986, section 6.2.2):
// percent-encoded unreserved characters are decoded, other escapes are in capitals, "//" is one slash and dot
// segments are gone. A slash at the end stays. It reports false for what has no such form: a path that does not begin
// with a slash, leads above the root, holds %00, a broken escape, a dot segment with parameters ("..;a"), or a raw control, space,
// non-ASCII byte, "\", "#" or "?".
// It is idempotent, and allocates only when the path is not canonical already.
func CanonicalPath(path string) (string, bool) {
	if path == "" || path[0] != '/' {
		return "", false
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		if octets[c]&isPlain != 0 {
			continue
		}
		switch {
		case c == '/' && !oddSegment(path[i+1:]):
		case c == '.':
		case c == '%' && canonicalEscape(path[i:]):
			i += 2
		default:
			return rebuildPath(path)
		}
	}
	return path, true
}

// oddSegment reports whether what follows a slash is a slash or a dot segment, with parameters or without.
func oddSegment(rest string) bool {
	if rest == "" {
		return false
	}
	if rest[0] == '/' {
		return true
	}
	if rest[0] != '.' {
		return false
	}
	rest = rest[1:]
	if rest != "" && rest[0] == '.' {
		rest = rest[1:]
	}
	return rest == "" || rest[0] == '/' || rest[0] == ';'
}

// canonicalEscape reports whether s begins with an escape that stays as it is.
func canonicalEscape(s string) bool {
	if len(s) < 3 || !isUpperHex(s[1]) || !isUpperHex(s[2]) {
		return false
	}
	c := unhex(s[1])<<4 | unhex(s[2])
	return c != 0 && octets[c]&isUnreserved == 0
}

func isUpperHex(c byte) bool { return isDigit(c) || 'A' <= c && c <= 'F' }

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return lower(c) - 'a' + 10
}

func rebuildPath(path string) (string, bool) {
	out := make([]byte, 0, len(path)+1)
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '/':
			var ok bool
			if out, ok = endSegment(out, true); !ok {
				return "", false
			}
		case c == '%':
			if i+2 >= len(path) || octets[path[i+1]]&isHex == 0 || octets[path[i+2]]&isHex == 0 {
				return "", false
			}
			decoded := unhex(path[i+1])<<4 | unhex(path[i+2])
			i += 2
			if decoded == 0 {
				return "", false
			}
			out = appendDecoded(out, decoded)
		case octets[c]&isPlain == 0 && c != '.':
			return "", false
		default:
			out = append(out, c)
		}
	}
	out, ok := endSegment(out, false)
	return string(out), ok
}

func appendDecoded(out []byte, c byte) []byte {
	if octets[c]&isUnreserved != 0 {
		return append(out, c)
	}
	return append(out, '%', upperHex[c>>4], upperHex[c&15])
}

const upperHex = "0123456789ABCDEF"

// endSegment resolves the last segment of out when it is empty or dots; with slash, another segment follows.
func endSegment(out []byte, slash bool) ([]byte, bool) {
	start := len(out)
	for start > 0 && out[start-1] != '/' {
		start--
	}
	switch segment := out[start:]; {
	case len(out) == 0: // the slash a path begins with
	case len(segment) == 0:
		return out, true
	case string(segment) == ".":
		return out[:start], true
	case string(segment) == "..":
		if start == 1 {
			return nil, false
		}
		start--
		for out[start-1] != '/' {
			start--
		}
		return out[:start], true
	case bytes.HasPrefix(segment, []byte(".;")), bytes.HasPrefix(segment, []byte("..;")):
		return nil, false // for us a name like any other, for a Java server that cuts off parameters first the way up
	}
	if slash {
		out = append(out, '/')
	}
	return out, true
}

// whyNoPath returns the reason for which CanonicalPath has no form for path.
func whyNoPath(path string) refusal {
	if path == "" || path[0] != '/' {
		return badPath
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '/' || c == '.' || octets[c]&isPlain != 0:
		case c != '%':
			return rawPath
		case i+2 >= len(path) || octets[path[i+1]]&isHex == 0 || octets[path[i+2]]&isHex == 0:
			return badEscape
		case path[i+1] == '0' && path[i+2] == '0':
			return nulPath
		default:
			i += 2
		}
	}
	if plain := strings.NewReplacer("%2e", ".", "%2E", ".").Replace(path); strings.Contains(plain, "/.;") || strings.Contains(plain, "/..;") {
		return dotParameters
	}
	return aboveRoot
}
