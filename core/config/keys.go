package config

// keys are the keys that one kind of table may have, each with what reads it into a T. They are read in this order.
type keys[T any] []struct {
	name string
	read func(v value, dst *T)
}

// names returns the names of the keys.
func (k keys[T]) names() []string {
	names := make([]string, len(k))
	for i := range k {
		names[i] = k[i].name
	}
	return names
}

// read reads v, a table, into dst and notes the keys that are not known.
func (k keys[T]) read(v value, dst *T) {
	if !v.isTable() {
		return
	}
	for _, key := range k {
		if v.has(key.name) {
			key.read(v.child(key.name), dst)
		}
	}
	table, _ := v.raw.(map[string]any)
	for name := range table { // in any order: what is wrong is sorted
		if !k.has(name) {
			v.child(name).fail("unknown key%s", didYouMean(name, k.names()))
		}
	}
}

func (k keys[T]) has(name string) bool {
	for i := range k {
		if k[i].name == name {
			return true
		}
	}
	return false
}

// need notes it if v, a table, lacks a key.
func (v value) need(name, what string) bool {
	if v.has(name) {
		return true
	}
	v.child(name).fail("is missing: %s", what)
	return false
}

// exclude notes it if v has more than one of the keys, at each but the first, and returns how many it has.
func (v value) exclude(names ...string) int {
	n := 0
	for _, name := range names {
		if v.has(name) {
			n++
		}
	}
	if n < 2 { // nearly always, and it takes no sorting
		return n
	}
	first, n := "", 0
	for _, name := range v.names() {
		for _, excluded := range names {
			if name != excluded {
				continue
			}
			if n++; n == 1 {
				first = name
				continue
			}
			v.child(name).fail("cannot go together with %s", first)
		}
	}
	return n
}

// named reads a table of tables by name; check may refuse a name.
func named[T any](v value, check func(value, string) bool, read func(v value, name string) T) map[string]T {
	if !v.isTable() {
		return nil
	}
	all := map[string]T{}
	for _, name := range v.names() {
		v.r.sources.rest()
		if e := v.child(name); check(e, name) {
			all[name] = read(e, name)
		}
	}
	return all
}

// checkName notes it if a name is not one that can stand in logs, metrics and addresses as it is.
func (v value) checkName(name string) bool {
	ok := len(name) <= 64
	for i := range len(name) {
		ok = ok && (isBareByte(name[i]) || i > 0 && name[i] == '.')
	}
	if !ok || name == "" {
		v.fail("%q is no name: up to 64 letters, digits, '-', '_' and '.'", name)
	}
	return ok && name != ""
}
