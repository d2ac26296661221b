package schema

import (
	"encoding/json"
	"slices"
	"strings"
)

// typesOf reads the value of "type": nil if it names no types.
func typesOf(value any) (types []string) {
	named, isList := value.([]any)
	if !isList {
		named = []any{value}
	}
	for _, name := range [...]string{"null", "boolean", "number", "integer", "string", "array", "object"} {
		if slices.Contains(named, any(name)) {
			types = append(types, name)
		}
	}
	return types
}

// isOf reports whether a value is of one of some types. The library would do it, too, but before a rule can count anything: it reads each number as
// a fraction to see whether it is an integer, and before that copies the names of all members where something is "unevaluated".
func (m *meter) isOf(types []string, value any) bool {
	kind := "null"
	switch v := value.(type) {
	case bool:
		kind = "boolean"
	case string:
		kind = "string"
	case []any:
		kind = "array"
	case map[string]any:
		kind = "object"
	case json.Number:
		kind = "number"
		if slices.Contains(types, "integer") && m.isInteger(v) {
			return true
		}
	}
	return slices.Contains(types, kind)
}

func (m *meter) isInteger(number json.Number) bool {
	m.spend(int64(len(number)))
	_, power, _ := strings.Cut(plain(string(number)), "e")
	return !strings.HasPrefix(power, "-")
}
