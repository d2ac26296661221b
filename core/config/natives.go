package config

import (
	"slices"
	"strings"
)

// native is a filter that is built in: its options stand beside use.
type native struct {
	name string
	read func(v value, f *Filter)
}

func natives() []native {
	return []native{
		{"ratelimit", readRateLimit},
		{"headers", readHeaders},
		{"rewrite", readRewrite},
		{"compress", readCompress},
	}
}

// nativeNames are the names that no plugin can have.
func nativeNames() []string {
	var names []string
	for _, n := range natives() {
		names = append(names, n.name)
	}
	return names
}

func readPolicyName(v value, dst *string) {
	if s, ok := v.text("the name of the limit in RateLimit fields"); ok && v.checkName(s) {
		*dst = s
	}
}

// readLimitKey reads one part of the key that requests are counted by, or a list of parts.
func readLimitKey(v value, dst *[]string) {
	if s, one := v.raw.(string); one {
		if s, ok := checkLimitKey(v, s); ok {
			*dst = []string{s}
		}
		return
	}
	before := len(v.r.wrong)
	v.texts(dst, "parts of a key", checkLimitKey)
	if len(*dst) == 0 && len(v.r.wrong) == before {
		v.fail(`must name at least one part, such as "client"`)
	}
}

// What requests can be told apart by, alone and with a name behind a colon.
var (
	aloneKeys = []string{"client", "route", "host", "path", "consumer"}
	namedKeys = []string{"header", "cookie", "query", "param", "attr"}
)

// checkLimitKey checks one part of a key.
func checkLimitKey(v value, s string) (string, bool) {
	kind, name, isNamed := strings.Cut(s, ":")
	switch {
	case slices.Contains(aloneKeys, s):
	case (kind == "header" || kind == "cookie") && isToken(name):
	case (kind == "header" || kind == "cookie") && isNamed:
		v.fail("%q is no name of a %s", name, kind)
		return "", false
	case name != "" && slices.Contains(namedKeys, kind):
	default:
		v.fail(`%q is no part of a key: there are "%s" and "%s:NAME"%s`, s, strings.Join(aloneKeys, `", "`), strings.Join(namedKeys, `:NAME", "`),
			didYouMean(s, aloneKeys))
		return "", false
	}
	return s, true
}

func readRewrite(v value, f *Filter) {
	f.Rewrite = &Rewrite{}
	rewriteKeys().read(v, f.Rewrite)
	if v.exclude("strip_prefix", "path", "add_prefix") == 0 {
		v.fail("needs one of strip_prefix, path and add_prefix")
	}
}

func rewriteKeys() keys[Rewrite] {
	return keys[Rewrite]{
		{"use", func(value, *Rewrite) {}},
		{"strip_prefix", func(v value, r *Rewrite) { v.literalPath(&r.StripPrefix) }},
		{"path", func(v value, r *Rewrite) { v.template(&r.Path) }},
		{"add_prefix", func(v value, r *Rewrite) { v.literalPath(&r.AddPrefix) }},
	}
}

func readHeaders(v value, f *Filter) {
	f.Headers = &Headers{}
	headersKeys().read(v, f.Headers)
	if !v.has("request") && !v.has("response") {
		v.fail("needs a request or a response table, with set, add or remove")
	}
}

func headersKeys() keys[Headers] {
	return keys[Headers]{
		{"use", func(value, *Headers) {}},
		{"request", func(v value, h *Headers) { headerEditKeys().read(v, &h.Request) }},
		{"response", func(v value, h *Headers) { headerEditKeys().read(v, &h.Response) }},
	}
}

func headerEditKeys() keys[HeaderEdit] {
	return keys[HeaderEdit]{
		{"set", func(v value, e *HeaderEdit) { v.fieldList(&e.Set) }},
		{"add", func(v value, e *HeaderEdit) { v.fieldList(&e.Add) }},
		{"remove", func(v value, e *HeaderEdit) {
			v.texts(&e.Remove, "field names", func(e value, s string) (string, bool) { return s, e.checkFieldName(s) })
		}},
	}
}

// NativeFilters returns the names that no plugin can have, those kept for filters to come among them.
func NativeFilters() []string { return nativeNames() }
