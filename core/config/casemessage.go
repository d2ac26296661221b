package config

import (
	"net/netip"
	"strings"
)

// requestTable has the keys of a case's request.
func requestTable(kind CaseKind) keys[CaseRequest] {
	k := keys[CaseRequest]{
		{"method", func(v value, r *CaseRequest) { v.token(&r.Method, "a method such as GET") }},
		{"scheme", func(v value, r *CaseRequest) { v.oneOf(&r.Scheme, "http", "https") }},
		{"host", func(v value, r *CaseRequest) { readCaseHost(v, &r.Host) }},
		{"path", readCasePath},
		{"query", func(v value, r *CaseRequest) { v.anyText(&r.Query) }},
		{"client", func(v value, r *CaseRequest) { readClient(v, &r.Client) }},
		{"headers", func(v value, r *CaseRequest) { v.caseFields(&r.Fields) }},
		{"body", func(v value, r *CaseRequest) { v.anyText(&r.Body) }},
	}
	if kind == PluginCases {
		k = append(k, keys[CaseRequest]{
			{"route", func(v value, r *CaseRequest) { r.Route, _ = v.text("the route's name") }},
			{"params", func(v value, r *CaseRequest) { v.plainTexts(&r.Params) }},
			{"attributes", func(v value, r *CaseRequest) { v.plainTexts(&r.Attributes) }},
		}...)
	}
	return k
}

// answerTable has the keys of an upstream's answer.
func answerTable() keys[CaseResponse] {
	return keys[CaseResponse]{
		{"status", func(v value, a *CaseResponse) { integer(v, &a.Status, 200, 599) }},
		{"headers", func(v value, a *CaseResponse) { v.caseFields(&a.Fields) }},
		{"body", func(v value, a *CaseResponse) { v.anyText(&a.Body) }},
	}
}

func upstreamAnswerTable() keys[CaseResponse] {
	return append(answerTable(), keys[CaseResponse]{
		{"down", func(v value, a *CaseResponse) { v.boolean(&a.Down) }},
	}...)
}

func readFetches(v value) []CaseFetch {
	elements, _ := v.list("tables: write [[cases.fetch]]")
	list := make([]CaseFetch, 0, len(elements))
	for _, e := range elements {
		f := CaseFetch{Answer: CaseResponse{Status: 200}}
		fetchTable().read(e, &f)
		if e.holdsKeys() {
			e.need("upstream", "the name of the upstream that answers so")
			if e.has("error") && e.exclude("error", "status") < 2 && e.exclude("error", "body") < 2 {
				e.exclude("error", "headers")
			}
		}
		list = append(list, f)
	}
	return list
}

// fetchTable has the keys of an answer to the plugin's own requests.
func fetchTable() keys[CaseFetch] {
	k := keys[CaseFetch]{
		{"upstream", func(v value, f *CaseFetch) { f.Upstream, _ = v.text("the name of an upstream") }},
		{"method", func(v value, f *CaseFetch) { v.token(&f.Method, "a method such as GET") }},
		{"path", func(v value, f *CaseFetch) { f.Path, _ = v.text("a path, perhaps with a query") }},
		{"error", func(v value, f *CaseFetch) { v.oneOf(&f.Failure, "timeout", "unavailable") }},
	}
	for _, answer := range answerTable() {
		k = append(k, keys[CaseFetch]{{answer.name, func(v value, f *CaseFetch) { answer.read(v, &f.Answer) }}}...)
	}
	return k
}

// anyText reads a string, which may be empty.
func (v value) anyText(dst *string) {
	s, ok := v.raw.(string)
	if !ok {
		v.wrongType("a string")
		return
	}
	*dst = s
}

func (v value) token(dst *string, wanted string) {
	s, ok := v.text(wanted)
	if ok && !isToken(s) {
		v.fail("%q is not %s", s, wanted)
		return
	}
	*dst = s
}

func readCaseHost(v value, dst *string) {
	s, ok := v.text("a host, perhaps with a port")
	if ok && strings.ContainsAny(s, "/ \t\r\n") {
		v.fail("%q is no host", s)
		return
	}
	*dst = strings.ToLower(s)
}

// readCasePath takes a query behind the path apart, as a request line has it.
func readCasePath(v value, r *CaseRequest) {
	s, ok := v.text("a path that begins with /")
	if !ok {
		return
	}
	if s[0] != '/' && s != "*" {
		v.fail("%q does not begin with /", s)
		return
	}
	path, query, hasQuery := strings.Cut(s, "?")
	r.Path = path
	if hasQuery {
		r.Query = query
	}
}

func readClient(v value, dst *string) {
	s, ok := v.text("an IP address")
	if !ok {
		return
	}
	if _, err := netip.ParseAddr(s); err != nil {
		v.fail("%q is no IP address", s)
		return
	}
	*dst = s
}

// caseFields reads the fields of a message: name = "value", or a list of values.
func (v value) caseFields(dst *[]NameValue) {
	if !v.isTable() {
		return
	}
	for _, name := range v.names() {
		e := v.child(name)
		values, ok := e.oneOrMore()
		if !e.isCaseField(name) || !e.checkFieldName(name) || !ok {
			continue
		}
		for _, text := range values {
			if !isFieldValue(text) {
				e.fail("the value has a control character, or space at an end")
				continue
			}
			*dst = append(*dst, NameValue{name, text})
		}
	}
}

// isCaseField notes it if name is Host, which is no field here.
func (v value) isCaseField(name string) bool {
	if strings.EqualFold(name, "host") {
		v.fail("Host does not stand among the headers, but beside them: host = …")
		return false
	}
	return true
}

// oneOrMore reads a string or an array of strings.
func (v value) oneOrMore() (texts []string, ok bool) {
	if s, isOne := v.raw.(string); isOne {
		return []string{s}, true
	}
	list, isList := v.raw.([]any)
	for _, raw := range list {
		s, isText := raw.(string)
		isList = isList && isText
		texts = append(texts, s)
	}
	switch {
	case !isList && list != nil:
		v.fail("must hold nothing but strings")
	case !isList:
		v.wrongType("a string or an array of strings")
	}
	return texts, isList
}

// plainTexts reads a table of strings.
func (v value) plainTexts(dst *[]NameValue) {
	if !v.isTable() {
		return
	}
	for _, name := range v.names() {
		pair := NameValue{Name: name}
		v.child(name).anyText(&pair.Value)
		*dst = append(*dst, pair)
	}
}
