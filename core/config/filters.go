package config

import (
	"maps"
	"slices"
)

// usable are the names that a filter can have as its use.
func (r *reader) usable() []string {
	names := nativeNames()
	for _, name := range r.plugins {
		if !slices.Contains(nativeNames(), name) {
			names = append(names, name)
		}
	}
	return names
}

// readFilters reads a chain: names, or tables with use and options.
func readFilters(v value) []Filter {
	elements, _ := v.list("filters: names, or tables with use")
	list := make([]Filter, 0, len(elements))
	for _, e := range elements {
		f := Filter{Key: e.key}
		switch e.raw.(type) {
		case string, map[string]any:
			e.readFilter(&f)
		default:
			e.wrongType("a filter's name or a table with use")
		}
		list = append(list, f)
	}
	return list
}

// readGlobalFilters reads the chain that runs before every route's own, whose paths have no parameter in common.
func readGlobalFilters(v value) []Filter {
	list := readFilters(v)
	for _, f := range list {
		if f.Rewrite != nil && len(templateParameters(f.Rewrite.Path)) > 0 {
			value{v.r, f.Key + ".path", nil}.fail("runs for every route, so it cannot use a route's parameters")
		}
	}
	return list
}

func (v value) readFilter(f *Filter) {
	at := v
	if v.holdsKeys() {
		at = v.child("use")
		if !v.need("use", "the name of a native filter or of a plugin") {
			return
		}
	}
	use, ok := at.text("the name of a native filter or of a plugin")
	if !ok {
		return
	}
	f.Use = use
	for _, n := range natives() {
		if n.name == use {
			v.readNative(n, f)
			return
		}
	}
	if !slices.Contains(v.r.plugins, use) {
		at.fail("no native filter and no plugin is called %q%s (plugins are the .wasm files in %s)",
			use, didYouMean(use, v.r.usable()), v.r.config.Sandbox.Dir)
		return
	}
	v.readPluginFilter(f)
}

// readNative reads the options; a filter that is just a name has none.
func (v value) readNative(n native, f *Filter) {
	if v.has("on_error") {
		v.child("on_error").fail("only plugins have it: a native filter does not fail")
	}
	if v.has("config") {
		v.child("config").fail("only plugins have it: the options of %s stand beside use", n.name)
	}
	options := map[string]any{}
	if v.holdsKeys() {
		options = maps.Clone(v.raw.(map[string]any))
	}
	delete(options, "on_error")
	delete(options, "config")
	v.raw = options
	n.read(v, f)
}

// readPluginFilter reads what stands beside a plugin's name.
func (v value) readPluginFilter(f *Filter) {
	f.OnError, f.Config = "deny", []byte("{}")
	if !v.holdsKeys() {
		return
	}
	known := pluginFilterKeys()
	for _, name := range v.names() {
		switch hint := didYouMean(name, known.names()); {
		case known.has(name):
		case hint != "":
			v.child(name).fail("unknown key%s", hint)
		default:
			v.child(name).fail("a plugin's own options stand in its config: did you mean config = { %s = … }?", join("", name))
		}
	}
	for _, key := range known {
		if v.has(key.name) {
			key.read(v.child(key.name), f)
		}
	}
}

func pluginFilterKeys() keys[Filter] {
	return keys[Filter]{
		{"use", func(value, *Filter) {}},
		{"on_error", func(v value, f *Filter) { v.oneOf(&f.OnError, "deny", "skip") }},
		{"config", func(v value, f *Filter) { v.pluginConfig(&f.Config) }},
	}
}
