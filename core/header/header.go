// Package header holds HTTP fields as one ordered flat list, the way they came over the wire.
package header

// Field is one HTTP field (RFC 9110, section 5). Name keeps the case it was read or set with.
type Field struct {
	Name, Value string
}

// Fields is an ordered list of HTTP fields. Names are compared without regard to ASCII case.
// The zero value is empty and ready. A Fields belongs to one goroutine.
type Fields struct {
	list []Field
}

// Len returns the number of fields.
func (f *Fields) Len() int { return len(f.list) }

// All returns the fields in order. The slice is the list's own: it is valid, and its values may be
// changed in place, until the next call of Add, Set, Remove, Keep, Reset or CopyFrom.
func (f *Fields) All() []Field { return f.list }

// Get returns the first value of name, and whether there is one.
func (f *Fields) Get(name string) (value string, ok bool) {
	for i := range f.list {
		if EqualName(f.list[i].Name, name) {
			return f.list[i].Value, true
		}
	}
	return "", false
}

// Value returns the first value of name, or "" where there is none.
func (f *Fields) Value(name string) string {
	value, _ := f.Get(name)
	return value
}

// Has reports whether there is a field of that name.
func (f *Fields) Has(name string) bool {
	_, ok := f.Get(name)
	return ok
}

// Count returns how many fields have that name.
func (f *Fields) Count(name string) int {
	n := 0
	for i := range f.list {
		if EqualName(f.list[i].Name, name) {
			n++
		}
	}
	return n
}

// Add appends a field.
func (f *Fields) Add(name, value string) {
	f.list = append(f.list, Field{name, value})
}

// Set makes value the only value of name, in the place of the first one, or at the end.
func (f *Fields) Set(name, value string) {
	for i := range f.list {
		if EqualName(f.list[i].Name, name) {
			f.list[i] = Field{name, value}
			f.removeFrom(i+1, name)
			return
		}
	}
	f.Add(name, value)
}

// Remove deletes every field of that name and returns how many there were.
func (f *Fields) Remove(name string) int {
	return f.removeFrom(0, name)
}

func (f *Fields) removeFrom(start int, name string) int {
	kept := start
	for i := start; i < len(f.list); i++ {
		if EqualName(f.list[i].Name, name) {
			continue
		}
		if kept != i {
			f.list[kept] = f.list[i]
		}
		kept++
	}
	removed := len(f.list) - kept
	f.truncate(kept)
	return removed
}

// Keep deletes the fields for which keep returns false.
func (f *Fields) Keep(keep func(Field) bool) {
	kept := 0
	for _, field := range f.list {
		if keep(field) {
			f.list[kept] = field
			kept++
		}
	}
	f.truncate(kept)
}

// Reset empties the list and keeps its room for reuse.
func (f *Fields) Reset() { f.truncate(0) }

// CopyFrom makes f hold the same fields as src, in room of its own.
func (f *Fields) CopyFrom(src *Fields) {
	old := len(f.list)
	f.list = append(f.list[:0], src.list...)
	if len(f.list) < old {
		clear(f.list[len(f.list):old])
	}
}

// truncate drops the tail and the strings it holds, which would else pin whole heads in memory.
func (f *Fields) truncate(n int) {
	clear(f.list[n:])
	f.list = f.list[:n]
}

// EqualName reports whether two field names are the same without regard to ASCII case.
func EqualName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
