package config

import "strings"

// partSize is about how many bytes the TOML library is given at once: it cannot be interrupted, and a file with 50 000 routes would keep
// it busy for a third of a second.
const partSize = 8 << 10

// decodeInParts decodes the scanned text, in parts that begin with a table of their own. Whenever anything is unusual about a part, the
// text is decoded as a whole, so that the library alone says what is wrong.
func decodeInParts(s *scanner, size int, rest func()) (map[string]any, error) {
	if len(s.text) <= size || len(s.repeated) > 0 || s.tooDeep != nil {
		return decodeTOML(s.text)
	}
	all := map[string]any{}
	from := 0
	for _, h := range s.headers {
		if h.from-from < size || !h.standsAlone() {
			continue
		}
		if !decodePart(all, s.text[from:h.from]) {
			return decodeTOML(s.text)
		}
		from = h.from
		rest()
	}
	if !decodePart(all, s.text[from:]) {
		return decodeTOML(s.text)
	}
	return all, nil
}

// standsAlone reports whether what follows the header needs nothing that was before it: [a], [a.b] and [[a]] with plain names. (The b of
// [a.b] may be an array's element or defined already: then the path says so, or merge does.)
func (h tableHeader) standsAlone() bool {
	path := h.path
	if name, _, ok := strings.Cut(path, "["); ok && strings.HasSuffix(path, "]") {
		return isBareKey(name) && strings.Count(path, "[") == 1
	}
	parent, name, ok := strings.Cut(path, ".")
	return isBareKey(parent) && (!ok || isBareKey(name))
}

// decodePart adds what text holds to all, and reports whether it could.
func decodePart(all map[string]any, text string) bool {
	part, err := decodeTOML(text)
	return err == nil && merge(all, part, 2)
}

// merge adds what from holds to into: tables down to the given depth, and elements of arrays of tables at the top. It reports false if
// something is there already.
func merge(into, from map[string]any, depth int) bool {
	for name, added := range from {
		known, ok := into[name]
		if !ok {
			into[name] = added
			continue
		}
		switch known := known.(type) {
		case map[string]any:
			added, ok := added.(map[string]any)
			if !ok || depth == 1 || !merge(known, added, depth-1) {
				return false
			}
		case []map[string]any:
			added, ok := added.([]map[string]any)
			if !ok || depth == 1 {
				return false
			}
			into[name] = append(known, added...)
		default:
			return false
		}
	}
	return true
}
