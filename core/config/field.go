package config

import (
	"slices"
	"strings"
)

// isToken reports whether s can be a method or a field's name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isBareByte(c) && strings.IndexByte("!#$%&'*+.^`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isFieldValue reports whether s can be a field's value (RFC 9110, section 5.5): no control characters but tabs, no
// space at either end.
func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return s == strings.Trim(s, " \t")
}

// reservedFields are those that belong to a connection or to a message's framing (RFC 9110, section 7.6.1): no filter
// may touch them.
func reservedFields() []string {
	return []string{
		"connection", "content-length", "expect", "http2-settings", "keep-alive", "proxy", "proxy-authenticate",
		"proxy-authentication-info", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
	}
}

// checkFieldName reports whether name can be the name of a field that is set or removed, and notes it if not.
func (v value) checkFieldName(name string) bool {
	switch {
	case !isToken(name):
		v.fail("%q is no field name", name)
	case strings.EqualFold(name, "host"):
		v.fail("Host is not edited as a field: a route's upstream_host says what is sent")
	case slices.Contains(reservedFields(), strings.ToLower(name)):
		v.fail("%s belongs to the connection or to framing: it cannot be changed", name)
	default:
		return true
	}
	return false
}

// fieldList reads a table of fields, name = value, in the file's order. Values may come from the environment or a file.
func (v value) fieldList(dst *[]NameValue) {
	if !v.isTable() {
		return
	}
	seen := map[string]string{}
	for _, name := range v.names() {
		e := v.child(name)
		text, ok := e.secretText("the field's value")
		if !e.checkFieldName(name) || !ok {
			continue
		}
		if before, twice := seen[strings.ToLower(name)]; twice {
			e.fail("%s and %s are the same field", name, before)
			continue
		}
		seen[strings.ToLower(name)] = name
		if !isFieldValue(text) {
			e.fail("the value has a control character, or space at an end")
			continue
		}
		*dst = append(*dst, NameValue{name, text})
	}
}

// match is a predicate on something named: there, or there with exactly that value.
type match struct {
	name  string
	value *string
}

// matches reads a table of predicates, name = "value" or name = true; check may refuse a name.
func (v value) matches(check func(value, string) bool) (list []match) {
	if !v.isTable() {
		return nil
	}
	for _, name := range v.names() {
		e := v.child(name)
		if !check(e, name) {
			continue
		}
		switch raw := e.raw.(type) {
		case string:
			list = append(list, match{name, &raw})
		case bool:
			if !raw {
				e.fail("must be the value wanted, or true if any will do: there is no way to ask that it be missing")
				continue
			}
			list = append(list, match{name, nil})
		default:
			e.wrongType("a string (the value wanted) or true (any value)")
		}
	}
	return list
}
