package telemetry

import "strings"

// redacted stands for what is not shown.
const redacted = "[redacted]"

// DefaultRedactQuery returns the names of query parameters that usually hold secrets. In names, "-" and "." are the same as "_".
func DefaultRedactQuery() []string {
	return []string{
		"access_token", "api_key", "apikey", "auth", "authorization", "client_assertion", "client_secret", "code", "credential", "id_token", "jsessionid", "jwt", "key",
		"pass", "passwd", "password", "pwd", "refresh_token", "secret", "session", "session_id", "sessionid", "sid", "sig", "signature", "token",
		"x_amz_credential", "x_amz_security_token", "x_amz_signature",
	}
}

// redactor hides the values of query parameters by their names. It is immutable.
type redactor struct {
	names   []string // folded
	lengths uint64   // a bit for each length that a name has
}

// longestName is the longest name of a parameter that can be hidden.
const longestName = 63

func newRedactor(names []string) *redactor {
	r := &redactor{}
	for _, name := range names {
		if name == "" || len(name) > longestName {
			continue
		}
		folded := []byte(name)
		for i, c := range folded {
			folded[i] = fold(c)
		}
		r.names = append(r.names, string(folded))
		r.lengths |= 1 << len(name)
	}
	return r
}

// fold makes letters small, and one of the characters that languages and habits take for each other in names.
func fold(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case c == '-' || c == '.' || c == ' ':
		return '_'
	}
	return c
}

// escaper appends a text in a way that the line's format asks for.
type escaper func(b []byte, s string) []byte

// append adds a query with the values of hidden parameters replaced.
func (r *redactor) append(b []byte, query string, escape escaper) []byte {
	start := 0 // of what has not been added yet
	for i := 0; i < len(query); {
		end := i
		for end < len(query) && !isSeparator(query[end]) {
			end++
		}
		if equals := strings.IndexByte(query[i:end], '='); equals >= 0 && r.hides(query[i:i+equals]) {
			b = escape(b, query[start:i+equals+1])
			b = append(b, redacted...)
			for end < len(query) && query[end] != '&' { // all else may be the secret's own
				end++
			}
			start = end
		}
		i = end + 1
	}
	return escape(b, query[start:])
}

// isSeparator reports whether c ends a parameter. Some servers take ";" for one; "?" and "#" begin parameters anew where a URL is in a field.
func isSeparator(c byte) bool { return c == '&' || c == ';' || c == '?' || c == '#' }

// hides reports whether a parameter of that name, percent-encoded, is hidden: the name itself, or one in brackets behind it.
func (r *redactor) hides(name string) bool {
	if r.lengths == 0 {
		return false
	}
	if strings.IndexByte(name, '%') < 0 && strings.IndexByte(name, '[') < 0 && strings.IndexByte(name, '+') < 0 {
		return matches(r, name)
	}
	var room [256]byte
	decoded := decode(room[:0], name)
	start := 0
	for i := 0; i <= len(decoded); i++ {
		if i < len(decoded) && decoded[i] != '[' && decoded[i] != ']' {
			continue
		}
		for start < i && decoded[start] == ' ' { // to many servers it is not part of the name
			start++
		}
		if start < i && matches(r, decoded[start:i]) {
			return true
		}
		start = i + 1
	}
	return false
}

// decode appends a percent-encoded name as far as there is room.
func decode(b []byte, name string) []byte {
	for i := 0; i < len(name) && len(b) < cap(b); i++ {
		c := name[i]
		if c == '%' && i+2 < len(name) && unhex(name[i+1]) >= 0 && unhex(name[i+2]) >= 0 {
			c = byte(unhex(name[i+1])<<4 | unhex(name[i+2]))
			i += 2
		} else if c == '+' {
			c = ' '
		}
		b = append(b, c)
	}
	return b
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// matches reports whether a decoded name is one of the redactor's.
func matches[T string | []byte](r *redactor, name T) bool {
	if len(name) > longestName || r.lengths&(1<<len(name)) == 0 {
		return false
	}
	for _, known := range r.names {
		if len(known) == len(name) && equalFolded(name, known) {
			return true
		}
	}
	return false
}

func equalFolded[T string | []byte](name T, folded string) bool {
	for i := range len(folded) {
		if fold(name[i]) != folded[i] {
			return false
		}
	}
	return true
}

// appendURL adds what may be a URL: without a user and password, and its parameters as append adds them. Other text stays as it is.
func (r *redactor) appendURL(b []byte, s string, escape escaper) []byte {
	params := strings.IndexAny(s, "?#")
	if params < 0 {
		params = len(s)
	}
	head := s[:params]
	if scheme := strings.Index(head, "//"); scheme >= 0 {
		authority := head[scheme+2:]
		if slash := strings.IndexByte(authority, '/'); slash >= 0 {
			authority = authority[:slash]
		}
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			b = append(escape(b, head[:scheme+2]), redacted...)
			head = head[scheme+2+at:]
		}
	}
	b = r.appendPath(b, head, escape)
	return r.append(b, s[params:], escape)
}

// appendPath adds a path with the values of hidden parameters of its segments replaced, such as ";jsessionid=" of Java's servers.
func (r *redactor) appendPath(b []byte, path string, escape escaper) []byte {
	for {
		semicolon := strings.IndexByte(path, ';')
		if semicolon < 0 {
			return escape(b, path)
		}
		b, path = escape(b, path[:semicolon+1]), path[semicolon+1:]
		end := strings.IndexAny(path, ";/")
		if end < 0 {
			end = len(path)
		}
		if equals := strings.IndexByte(path[:end], '='); equals >= 0 && r.hides(path[:equals]) {
			b = append(escape(b, path[:equals+1]), redacted...)
			slash := strings.IndexByte(path, '/') // all before it may be the secret's own
			if slash < 0 {
				return b
			}
			path = path[slash:]
		}
	}
}

// withoutUser returns what stands behind the last "@" of a host that no host is: a user and password do not belong there.
func withoutUser(host string) string { return host[strings.LastIndexByte(host, '@')+1:] }

// maxOdd is how long a target may be that is no path. A longer one was cut, maybe within its password.
const maxOdd = 1000

// shownPath returns the path as lines show it: of a target that is none, because its head was refused, neither user nor password.
func shownPath(path string) string {
	if path == "" || path[0] == '/' || path == "*" {
		return path
	}
	at := strings.LastIndexByte(path, '@')
	switch {
	case at >= 0:
		return redacted + path[at:]
	case len(path) > maxOdd:
		return redacted
	}
	return path
}
