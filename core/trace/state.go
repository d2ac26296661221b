package trace

import "strings"

const (
	maxMembers = 32
	maxKey     = 256
	maxTenant  = 241
	maxSystem  = 14
	maxValue   = 256
)

// State checks a tracestate that may come in several fields. The zero value is an empty one.
type State struct {
	members int
}

// IsEmpty reports whether no field had a member.
func (s *State) IsEmpty() bool { return s.members == 0 }

// Add takes in the value of the next field. It reports false when the whole tracestate must be dropped: a member is malformed, or there
// are more than 32. Members that are empty are allowed, and do not count.
func (s *State) Add(value string) bool {
	for more := true; more; {
		var member string
		member, value, more = strings.Cut(value, ",")
		member = strings.Trim(member, " \t")
		if member == "" {
			continue
		}
		if s.members++; s.members > maxMembers || !isMember(member) {
			return false
		}
	}
	return true
}

func isMember(s string) bool {
	key, value, ok := strings.Cut(s, "=")
	return ok && isKey(key) && isValue(value)
}

// isKey takes a name, or a tenant and a system with "@" between (level 1, section 3.3.1.3.1).
func isKey(s string) bool {
	tenant, system, multi := strings.Cut(s, "@")
	if !multi {
		return len(s) <= maxKey && beginsLow(s) && isKeyText(s)
	}
	return tenant != "" && len(tenant) <= maxTenant && isKeyText(tenant) &&
		len(system) <= maxSystem && beginsLow(system) && isKeyText(system)
}

func beginsLow(s string) bool { return s != "" && 'a' <= s[0] && s[0] <= 'z' }

func isKeyText(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-', c == '*', c == '/':
		default:
			return false
		}
	}
	return true
}

// isValue takes visible ASCII and spaces, but for "," and "=", and no space at the end.
func isValue(s string) bool {
	if s == "" || len(s) > maxValue || s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '=' {
			return false
		}
	}
	return true
}
