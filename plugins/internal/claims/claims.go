package claims

import "strings"

// Path names a claim: by its name, or, with a slash first, by a JSON pointer (RFC 6901) to one within another. Indexes of arrays are not
// followed.
type Path []string

// ParsePath returns the path that a text in a configuration stands for.
func ParsePath(text string) (Path, bool) {
	if !strings.HasPrefix(text, "/") {
		return Path{text}, text != ""
	}
	path := strings.Split(text[1:], "/")
	for i, name := range path {
		path[i] = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
	}
	return path, path[0] != ""
}

// Reader finds some claims in one token after the other.
type Reader struct {
	paths  []Path
	values []string // raw, by path; "" for none
	visit  func(key, value string) error
}

// Want adds a claim to those that are looked for, once, and returns its number.
func (r *Reader) Want(p Path) int {
	for i, known := range r.paths {
		if strings.Join(known, "\x00") == strings.Join(p, "\x00") {
			return i
		}
	}
	r.paths = append(r.paths, p)
	r.values = append(r.values, "")
	return len(r.paths) - 1
}

// Read finds what is wanted in the claims, a JSON object.
func (r *Reader) Read(text string) error {
	for i := range r.values {
		r.values[i] = ""
	}
	if r.visit == nil {
		r.visit = r.member
	}
	return members(text, r.visit)
}

// member keeps a top-level claim, or what is wanted within it.
func (r *Reader) member(key, value string) error {
	name, ok := Text(key)
	if !ok {
		return ErrMalformed
	}
	for i, path := range r.paths {
		if path[0] != name {
			continue
		}
		found, err := within(value, path[1:])
		if err != nil || r.values[i] != "" && found != "" {
			return ErrMalformed
		}
		if found != "" {
			r.values[i] = found
		}
	}
	return nil
}

// within follows a path down objects, and returns the raw value at its end.
func within(value string, path []string) (found string, err error) {
	value = space(value)
	n, ok := valueEnd(value)
	if !ok {
		// A value that ends the text ends with it.
		n = len(value)
	}
	value = value[:n]
	if len(path) == 0 {
		return value, nil
	}
	if value == "" || value[0] != '{' {
		return "", nil
	}
	err = members(value, func(key, inner string) error {
		name, ok := Text(key)
		if !ok || name != path[0] {
			return nil
		}
		next, err := within(inner, path[1:])
		if err != nil || found != "" {
			return ErrMalformed
		}
		found = next
		return nil
	})
	return found, err
}

// Raw returns the value of a claim as it is written, and whether it is there. null is not.
func (r *Reader) Raw(number int) (raw string, ok bool) {
	raw = r.values[number]
	return raw, raw != "" && raw != "null"
}

// Each calls visit with a claim: with each element if it is an array, until it returns false.
func (r *Reader) Each(number int, visit func(raw string) bool) error {
	raw, ok := r.Raw(number)
	if !ok {
		return nil
	}
	if raw[0] != '[' {
		visit(raw)
		return nil
	}
	done := false
	return items(raw, '[', ']', func(item string) error {
		if n, ok := valueEnd(item); ok {
			item = item[:n]
		}
		done = done || !visit(item)
		return nil
	})
}
