package config

import (
	"slices"
	"strings"
)

// readGrants reads what a plugin may use.
func readGrants(v value, dst *[]Grant) {
	var texts []string
	v.texts(&texts, "grants", checkGrant)
	for _, text := range texts {
		kind, name, _ := strings.Cut(text, ":")
		*dst = append(*dst, Grant{kind, name})
	}
}

// grantKind is a kind of grant, and the table of the file that has what is granted.
type grantKind struct {
	kind, table string
	what        string // that a name stands for, in messages
}

func grantKinds() []grantKind {
	return []grantKind{
		{"fetch", "upstreams", "upstream"}, {"jwt", "jwt", "jwt table"}, {"kv", "kv", "store"}, {"limit", "limits", "limit"},
		{"passwords", "passwords", "set of passwords"}, {"schema", "schemas", "schema"}, {"secret", "secrets", "secret"},
	}
}

// checkGrant wants KIND:NAME with the name of something that the file has, or kv for the plugin's own store.
func checkGrant(v value, s string) (string, bool) {
	kind, name, isNamed := strings.Cut(s, ":")
	var kinds []string
	for _, k := range grantKinds() {
		if k.kind == kind {
			return s, kind == "kv" && !isNamed || v.checkGranted(s, name, k)
		}
		kinds = append(kinds, k.kind)
	}
	v.fail("%q is no kind of grant, there are %s%s", kind, quoted(kinds), didYouMean(kind, kinds))
	return "", false
}

// checkGranted looks for the name in the table, read or not: what is wrong inside of it is told there.
func (v value) checkGranted(grant, name string, k grantKind) bool {
	there := v.r.root.child(k.table).names()
	switch {
	case name == "":
		v.fail("%q must say which: %s:NAME", grant, k.kind)
	case !slices.Contains(there, name):
		v.fail("there is no %s %q (it would be %s)%s", k.what, name, join(k.table, name), didYouMean(name, there))
	default:
		return true
	}
	return false
}

// checkHidden wants the name of a field that plugins would see otherwise.
func checkHidden(v value, name string) (string, bool) {
	switch {
	case !isToken(name):
		v.fail("%q is no field name", name)
	case strings.EqualFold(name, "host"):
		v.fail("the host is no field for plugins, and cannot be hidden")
	default:
		return name, true
	}
	return "", false
}

func readKV(v value, _ string) KV {
	kv := KV{Entries: 100_000, Bytes: 64 << 20}
	kvKeys().read(v, &kv)
	if kv.Store != "" {
		v.without("a store, which has bounds of its own", "entries", "bytes")
	}
	return kv
}

func kvKeys() keys[KV] {
	return keys[KV]{
		{"entries", func(v value, kv *KV) { integer(v, &kv.Entries, 1, 100_000_000) }},
		{"bytes", func(v value, kv *KV) { size(v, &kv.Bytes, 1<<20, 1<<40) }},
		{"store", func(v value, kv *KV) { v.storeName(&kv.Store) }},
	}
}
