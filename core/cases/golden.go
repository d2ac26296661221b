package cases

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/config"
)

// Update returns the text of the file with what was seen in the expect tables of the cases that failed, and how many those are. A case
// that expects nothing gets a table of what is worth expecting.
func Update(cs *config.Cases, results []Result) (text []byte, changed int, err error) {
	texts := map[int]string{}
	for i := range results {
		r := &results[i]
		if r.Passed() || r.stuck {
			continue
		}
		texts[i] = expectText(observed(cs.Kind, r))
	}
	text, err = cs.WithExpect(texts)
	return text, len(texts), err
}

// observed returns what a case expects with the values that were seen.
func observed(kind config.CaseKind, r *Result) []config.Expectation {
	if r.seen.refused != nil {
		return []config.Expectation{{Path: []string{"refused"}, Want: *r.seen.refused}}
	}
	expected := r.Case.Expect
	if len(expected) == 0 || names(expected, "refused") {
		return worthExpecting(kind, r)
	}
	list := slices.Clone(expected)
	for i, e := range list {
		if got := r.seen.get(e.Path); !fits(e.Want, got) {
			list[i].Want = orMissing(e.Path, got)
		}
	}
	if r.seen.verdict == verdictFail && !names(list, "verdict") {
		list = append([]config.Expectation{{Path: []string{"verdict"}, Want: verdictFail}}, list...)
	}
	return list
}

// orMissing is how an expect table says that there was nothing.
func orMissing(path []string, got any) any {
	switch {
	case got != nil:
		return got
	case slices.Contains(path, "headers") || path[0] == "attributes" || path[0] == "kv":
		return false
	}
	return ""
}

// worthExpecting is what a case has shown beyond what went into it.
func worthExpecting(kind config.CaseKind, r *Result) (list []config.Expectation) {
	add := func(path ...string) {
		if want := orMissing(path, r.seen.get(path)); want != "" || len(path) > 1 {
			list = append(list, config.Expectation{Path: path, Want: want})
		}
	}
	add("route")
	add("verdict")
	add("filter")
	if len(r.seen.log) > 0 {
		add("log")
	}
	if len(r.seen.fetches) > 0 {
		add("fetches")
	}
	for _, a := range r.seen.attributes {
		add("attributes", a.Name)
	}
	sent := requestOf(&r.Case.Request)
	for _, name := range []string{"request", "upstream"} {
		if m := r.seen.messages[name]; m != nil {
			addMessage(add, name, m, sent, "name", "host", "path", "query")
		}
	}
	if m := r.seen.messages["response"]; m != nil {
		back := &message{}
		if kind == config.PluginCases && r.seen.verdict == verdictContinue {
			back = answerOf(&r.Case.Response)
		}
		if m.status != back.status {
			add("response", "status")
		}
		addMessage(add, "response", m, back)
	}
	return list
}

// addMessage adds what m has that before has not so, without what differs from run to run.
func addMessage(add func(...string), name string, m, before *message, texts ...string) {
	for _, text := range texts {
		if m.texts[text] != before.texts[text] {
			add(name, text)
		}
	}
	if m.body != before.body {
		add(name, "body")
	}
	for _, field := range m.fieldNames(before) {
		if !slices.Contains([]string{"date", "content-length", "x-request-id"}, strings.ToLower(field)) {
			add(name, "headers", field)
		}
	}
	for _, field := range before.fieldNames(m) {
		if len(m.values(field)) == 0 {
			add(name, "headers", field)
		}
	}
}

// expectText writes expectations as tables.
func expectText(list []config.Expectation) string {
	var b strings.Builder
	table := ""
	heading := func(path string) {
		if path != table {
			fmt.Fprintf(&b, "  [%s]\n", path)
			table = path
		}
	}
	for i := 0; i < len(list); {
		e := list[i]
		n := 1
		switch {
		case len(e.Path) == 1:
			heading("cases.expect")
			pair(&b, e.Path[0], e.Want)
		case e.Path[0] == "attributes" || e.Path[0] == "kv":
			heading("cases.expect")
			n = inline(&b, list[i:], 1)
		default:
			heading("cases.expect." + e.Path[0])
			if len(e.Path) == 2 {
				pair(&b, e.Path[1], e.Want)
			} else {
				n = inline(&b, list[i:], 2)
			}
		}
		i += n
	}
	return b.String()
}

func pair(b *strings.Builder, name string, want any) {
	fmt.Fprintf(b, "  %s = %s\n", keyText(name), tomlText(want))
}

// inline writes the expectations at the beginning of list that share their path up to depth as one inline table, and returns how many.
func inline(b *strings.Builder, list []config.Expectation, depth int) (n int) {
	prefix := list[0].Path[:depth]
	var items []string
	for n < len(list) && len(list[n].Path) == depth+1 && slices.Equal(list[n].Path[:depth], prefix) {
		items = append(items, keyText(list[n].Path[depth])+" = "+tomlText(list[n].Want))
		n++
	}
	fmt.Fprintf(b, "  %s = { %s }\n", prefix[depth-1], strings.Join(items, ", "))
	return n
}

func keyText(name string) string {
	bare := func(r rune) bool {
		return r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !bare(r) }) < 0 {
		return name
	}
	return quote(name)
}

func tomlText(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case []string:
		items := make([]string, len(v))
		for i := range v {
			items[i] = quote(v[i])
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprint(value)
}

// quote writes a string of TOML, in the form that needs fewest escapes. Bytes that are no UTF-8 cannot be written, and become U+FFFD.
func quote(s string) string {
	isControl := func(r rune) bool { return r < ' ' || r == 0x7f }
	special := strings.ContainsAny(s, `"\`)
	switch {
	case special && !strings.Contains(s, "'") && strings.IndexFunc(s, isControl) < 0:
		return "'" + strings.ToValidUTF8(s, "\uFFFD") + "'"
	case special && !strings.Contains(s, `""`) && !strings.HasSuffix(s, `"`) && s[0] != '\n':
		return `"""` + strings.ReplaceAll(escape(s), `\"`, `"`) + `"""`
	}
	return `"` + escape(s) + `"`
}

// escape writes what stands between the quotes of a basic string.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
