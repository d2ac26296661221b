package config

import "slices"

// expectTable has the keys of a case's expect table.
func expectTable(kind CaseKind) keys[[]Expectation] {
	if kind == PluginCases {
		return keys[[]Expectation]{
			{"refused", expectText("refused")},
			{"verdict", expectVerdict},
			{"log", expectLines("log", `lines such as "info: hello"`)},
			{"fetches", expectLines("fetches", `requests such as "GET auth /check"`)},
			{"attributes", expectTexts("attributes")},
			{"kv", expectTexts("kv")},
			{"request", expectMessage("request", "host", "path", "query")},
			{"response", expectMessage("response", "status")},
		}
	}
	return keys[[]Expectation]{
		{"route", expectText("route")},
		{"verdict", expectVerdict},
		{"filter", expectText("filter")},
		{"log", expectLines("log", `lines such as "info: hello"`)},
		{"attributes", expectTexts("attributes")},
		{"upstream", expectMessage("upstream", "name", "method", "host", "path", "query")},
		{"response", expectMessage("response", "status")},
	}
}

// expectFunc reads what a value is expected to be.
type expectFunc = func(v value, dst *[]Expectation)

func expectVerdict(v value, dst *[]Expectation) {
	var verdict string
	v.oneOf(&verdict, "continue", "respond", "fail")
	*dst = append(*dst, Expectation{[]string{"verdict"}, v.key, verdict})
}

func expectLines(name, wanted string) expectFunc {
	return func(v value, dst *[]Expectation) {
		lines, ok := v.raw.([]any)
		want := make([]string, 0, len(lines))
		for _, raw := range lines {
			line, isText := raw.(string)
			ok = ok && isText
			want = append(want, line)
		}
		switch {
		case !ok && lines != nil:
			v.fail("must hold nothing but %s", wanted)
		case !ok:
			v.wrongType("an array of " + wanted)
		}
		*dst = append(*dst, Expectation{[]string{name}, v.key, want})
	}
}

func expectText(path ...string) expectFunc {
	return func(v value, dst *[]Expectation) {
		var want string
		v.anyText(&want)
		*dst = append(*dst, Expectation{path, v.key, want})
	}
}

func expectStatus(path ...string) expectFunc {
	return func(v value, dst *[]Expectation) {
		var want int64
		integer(v, &want, 100, 599)
		*dst = append(*dst, Expectation{path, v.key, want})
	}
}

// expectTexts reads a table of strings; true stands for any value, false for none.
func expectTexts(path ...string) expectFunc {
	return func(v value, dst *[]Expectation) {
		if !v.isTable() {
			return
		}
		for _, name := range v.names() {
			e := v.child(name)
			switch e.raw.(type) {
			case string, bool:
			default:
				e.wrongType("a string, true (any value) or false (not there)")
			}
			*dst = append(*dst, Expectation{append(slices.Clone(path), name), e.key, e.raw})
		}
	}
}

// expectFields reads a table of fields; several values of one stand in an array.
func expectFields(path ...string) expectFunc {
	return func(v value, dst *[]Expectation) {
		if !v.isTable() {
			return
		}
		for _, name := range v.names() {
			e := v.child(name)
			if !e.isCaseField(name) {
				continue
			}
			want := e.raw
			if _, isBool := want.(bool); !isBool {
				values, ok := e.oneOrMore()
				if want = values; ok && len(values) == 1 {
					want = values[0]
				}
			}
			*dst = append(*dst, Expectation{append(slices.Clone(path), name), e.key, want})
		}
	}
}

// expectMessage reads what is expected of a message: some texts or a status, headers and the body.
func expectMessage(path string, names ...string) expectFunc {
	var k keys[[]Expectation]
	for _, name := range append(names, "body") {
		read := expectText(path, name)
		if name == "status" {
			read = expectStatus(path, name)
		}
		k = append(k, keys[[]Expectation]{{name, read}}...)
	}
	k = append(k, keys[[]Expectation]{{"headers", expectFields(path, "headers")}}...)
	return func(v value, dst *[]Expectation) { k.read(v, dst) }
}
