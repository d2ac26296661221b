package config

import (
	"fmt"
	"os"
	"time"
)

// CaseKind says what a file of test cases is for.
type CaseKind uint8

// The kinds of case files.
const (
	PluginCases CaseKind = iota // one plugin in its sandbox: `sallyport plugin test`
	RouteCases                  // the routes of a gateway.toml: `sallyport test`
)

// Cases are a file of test cases, read as strictly as a gateway.toml. It is not changed after LoadCases.
type Cases struct {
	File string
	Kind CaseKind
	List []Case

	config *Config // for places
	text   string
	blocks []caseBlock // by case
}

// Case is one [[cases]] table.
type Case struct {
	Name      string
	Key       string // key path, for Errorf
	Config    []byte // JSON object, "{}" when absent; plugins only
	Now       time.Time
	Random    int64 // seed of what the plugin gets as random
	Times     int   // the request is sent so often, the last answer counts; routes only
	Request   CaseRequest
	Response  CaseResponse            // what comes back through the chain; plugins only
	Fetches   []CaseFetch             // plugins only
	Grants    CaseGrants              // plugins only
	Upstreams map[string]CaseResponse // what they answer; routes only
	Expect    []Expectation           // in the order of the documentation
}

// CaseGrants are what the plugin of a case is granted beside upstreams.
type CaseGrants struct {
	KV      []NameValue            // what its own store holds; it is always there
	Stores  map[string][]NameValue // what shared stores hold
	Secrets []NameValue
	Tokens  map[string][]NameValue // by key set: tokens with their claims, "expired" for one that is
	Limits  map[string]int         // units that can be taken, by name
	// Passwords are users with their passwords, by set; "busy" for one whose password cannot be checked for now.
	Passwords map[string][]NameValue
	Schemas   []NameValue `json:",omitzero"` // JSON Schemas by name, which check formats, too
}

// CaseRequest is the request of a case.
type CaseRequest struct {
	Method, Scheme, Host, Path, Query, Client string
	Route                                     string // its name; plugins only
	Fields                                    []NameValue
	Body                                      string
	Params                                    []NameValue // path parameters; plugins only
	Attributes                                []NameValue // as filters before have set them; plugins only
}

// CaseResponse is an answer of an upstream.
type CaseResponse struct {
	Status int
	Fields []NameValue
	Body   string
	Down   bool // there is none to be had; upstreams of routes only
}

// CaseFetch answers fetches of the plugin to an upstream. "" for method or path takes any.
type CaseFetch struct {
	Upstream, Method, Path string
	Answer                 CaseResponse
	Failure                string // instead of an answer: "timeout" or "unavailable"
}

// Expectation is one value that a case expects. Want is a string, an int64, a bool (whether it is there) or a []string.
type Expectation struct {
	Path []string // such as request, headers, X-User
	Key  string   // key path, for Errorf
	Want any
}

// LoadCases reads a file of test cases. The error is an Errors that tells all that is wrong with it, or says why it
// could not be read.
func LoadCases(path string, kind CaseKind) (*Cases, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the cases: %w", err)
	}
	return ParseCases(path, data, kind)
}

// ParseCases reads data as the content of file, which names it in errors.
func ParseCases(file string, data []byte, kind CaseKind) (*Cases, error) {
	c := &Cases{File: file, Kind: kind, config: &Config{File: file, places: places{}, secrets: map[string]bool{}}}
	if len(data) > maxFile {
		return nil, Errors{c.config.Errorf("", "the file is larger than %s", sizeText(maxFile))}
	}
	c.text = string(data)
	table, wrong := decode(c.config, withoutMark(c.text), func() {})
	if len(wrong) > 0 {
		return nil, wrong.sort()
	}
	r := &reader{config: c.config, sources: systemSources()}
	root := value{r, "", table}
	keys[Cases]{{"cases", func(v value, c *Cases) { c.List = readCases(v, kind) }}}.read(root, c)
	if root.need("cases", "a file of cases has a [[cases]] table for each") && len(c.List) == 0 && len(r.wrong) == 0 {
		root.child("cases").fail("must hold at least one")
	}
	if len(r.wrong) > 0 {
		return nil, r.wrong.sort()
	}
	c.findBlocks()
	return c, nil
}

// Errorf returns an Error at the place of key.
func (c *Cases) Errorf(key, format string, args ...any) Error {
	return c.config.Errorf(key, format, args...)
}

// At returns the place of key.
func (c *Cases) At(key string) Place { return c.config.At(key) }

// defaultNow is what the clock shows in cases that do not say it.
func defaultNow() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

func readCases(v value, kind CaseKind) []Case {
	elements, _ := v.list("tables: write [[cases]]")
	list := make([]Case, 0, len(elements))
	named := map[string]bool{}
	for _, e := range elements {
		c := Case{Key: e.key, Config: []byte("{}"), Now: defaultNow(), Times: 1}
		c.Request = CaseRequest{Method: "GET", Scheme: "http", Host: "gateway.test", Path: "/", Client: "192.0.2.1", Route: "test"}
		c.Response.Status = 200
		caseTable(kind).read(e, &c)
		if e.holdsKeys() && e.need("name", "what the case shows") && named[c.Name] {
			e.child("name").fail("%q is the name of a case before", c.Name)
		}
		named[c.Name] = true
		list = append(list, c)
	}
	return list
}

// caseTable has the keys of [[cases]].
func caseTable(kind CaseKind) keys[Case] {
	k := keys[Case]{
		{"name", func(v value, c *Case) { c.Name, _ = v.text("what the case shows") }},
		{"request", func(v value, c *Case) { requestTable(kind).read(v, &c.Request) }},
	}
	if kind == PluginCases {
		k = append(k, pluginCaseTable()...)
	} else {
		k = append(k, routeCaseTable()...)
	}
	return append(k, keys[Case]{
		{"expect", func(v value, c *Case) { expectTable(kind).read(v, &c.Expect) }},
	}...)
}

func pluginCaseTable() keys[Case] {
	return keys[Case]{
		{"config", func(v value, c *Case) { v.pluginConfig(&c.Config) }},
		{"now", func(v value, c *Case) { v.instant(&c.Now) }},
		{"random", func(v value, c *Case) { integer(v, &c.Random, 0, 1<<62) }},
		{"response", func(v value, c *Case) { answerTable().read(v, &c.Response) }},
		{"fetch", func(v value, c *Case) { c.Fetches = readFetches(v) }},
		{"kv", func(v value, c *Case) { v.plainTexts(&c.Grants.KV) }},
		{"stores", func(v value, c *Case) { c.Grants.Stores = named(v, value.checkName, caseTexts) }},
		{"secrets", func(v value, c *Case) { v.plainTexts(&c.Grants.Secrets) }},
		{"tokens", func(v value, c *Case) { c.Grants.Tokens = named(v, value.checkName, caseTexts) }},
		{"passwords", func(v value, c *Case) { c.Grants.Passwords = named(v, value.checkName, caseTexts) }},
		{"schemas", func(v value, c *Case) { v.plainTexts(&c.Grants.Schemas) }},
		{"limits", func(v value, c *Case) {
			c.Grants.Limits = named(v, value.checkName, func(v value, _ string) (burst int) {
				integer(v, &burst, 0, maxCount)
				return burst
			})
		}},
	}
}

func caseTexts(v value, _ string) (list []NameValue) {
	v.plainTexts(&list)
	return list
}

func routeCaseTable() keys[Case] {
	return keys[Case]{
		{"times", func(v value, c *Case) { integer(v, &c.Times, 1, 10_000) }},
		{"upstreams", func(v value, c *Case) {
			c.Upstreams = named(v, value.checkName, func(v value, _ string) CaseResponse {
				a := CaseResponse{Status: 200}
				upstreamAnswerTable().read(v, &a)
				return a
			})
		}},
	}
}

// instant reads a date with time and zone.
func (v value) instant(dst *time.Time) {
	t, ok := v.raw.(time.Time)
	if !ok || t.Location().String() == "datetime-local" || t.Location().String() == "date-local" || t.Location().String() == "time-local" {
		v.fail("must be a date with time and zone, without quotes: 2026-01-31T12:00:00Z")
		return
	}
	*dst = t
}
