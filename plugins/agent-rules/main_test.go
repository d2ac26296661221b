package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

type fields = sallyporttest.Fields

// run returns the status that a request with these headers gets, 200 if it passes.
func run(t *testing.T, config string, headers fields) (int, *sallyporttest.Exchange) {
	t.Helper()
	x := sallyporttest.NewExchange("GET", "/")
	x.Request = headers
	verdict, err := sallyporttest.Configure(t, configure, config).Request(x)
	if err != nil {
		t.Fatal(err)
	}
	if verdict == sallyport.Continue {
		return 200, x
	}
	return x.Status, x
}

func TestRules(t *testing.T) {
	const (
		deny    = `{"user_agent":{"deny":["curl/","^sqlmap","bot"],"except":["googlebot/"],"require":true}}`
		allow   = `{"referer":{"allow":["^https://shop.example.com/","^https://*.example.org/"]}}`
		other   = `{"headers":{"X-Client":{"deny":["evil"]}},"status":404}`
		several = `{"user_agent":{"deny":["curl"]},"referer":{"deny":["spam"]}}`
	)
	for _, tt := range []struct {
		name, config string
		headers      fields
		want         int
	}{
		{"a browser", deny, fields{{Name: "User-Agent", Value: "Mozilla/5.0"}}, 200},
		{"somewhere", deny, fields{{Name: "user-agent", Value: "my CURL/8"}}, 403},
		{"at the beginning", deny, fields{{Name: "User-Agent", Value: "SqlMap/1"}}, 403},
		{"not at the beginning", deny, fields{{Name: "User-Agent", Value: "no sqlmap"}}, 200},
		{"an exception", deny, fields{{Name: "User-Agent", Value: "Mozilla/5.0 (compatible; Googlebot/2.1)"}}, 200},
		{"no exception", deny, fields{{Name: "User-Agent", Value: "AhrefsBot/7"}}, 403},
		{"none", deny, nil, 403},
		{"an empty one", deny, fields{{Name: "User-Agent", Value: ""}}, 403},
		{"two, the second denied", deny, fields{{Name: "User-Agent", Value: "Mozilla"}, {Name: "User-Agent", Value: "curl/8"}}, 403},
		{"two, the first denied", deny, fields{{Name: "User-Agent", Value: "curl/8"}, {Name: "User-Agent", Value: "Googlebot/2"}}, 403},
		{"an underscore", deny, fields{{Name: "User-Agent", Value: "Mozilla"}, {Name: "user_agent", Value: "curl/8"}}, 403},
		{"an underscore alone is none", deny, fields{{Name: "User_Agent", Value: "Mozilla"}}, 403},
		{"letters that look alike", deny, fields{{Name: "User-Agent", Value: "\u212aurl/ сurl/ \xff"}}, 200},
		{"a huge one", deny, fields{{Name: "User-Agent", Value: strings.Repeat("cur", 5000) + "bot"}}, 403},
		{"allowed", allow, fields{{Name: "Referer", Value: "HTTPS://Shop.Example.com/x"}}, 200},
		{"by a star", allow, fields{{Name: "Referer", Value: "https://a.b.example.org/"}}, 200},
		{"not allowed", allow, fields{{Name: "Referer", Value: "https://evil.test/?https://shop.example.com/"}}, 403},
		{"not there", allow, nil, 403},
		{"one of two", allow, fields{{Name: "Referer", Value: "https://shop.example.com/"}, {Name: "Referer", Value: "https://evil.test/"}}, 403},
		{"another header", other, fields{{Name: "x-client", Value: "EVIL"}}, 404},
		{"without it", other, nil, 200},
		{"the second rule", several, fields{{Name: "User-Agent", Value: "Mozilla"}, {Name: "Referer", Value: "https://spam.test/"}}, 403},
		{"neither", several, fields{{Name: "User-Agent", Value: "Mozilla"}, {Name: "Referer", Value: "https://a.test/"}}, 200},
	} {
		if got, _ := run(t, tt.config, tt.headers); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// One copy looks at one request after the other.
func TestForgets(t *testing.T) {
	p := sallyporttest.Configure(t, configure, `{"user_agent":{"deny":["bot"],"require":true}}`)
	for i, want := range []sallyport.Verdict{sallyport.Respond, sallyport.Continue, sallyport.Respond} {
		x := sallyporttest.NewExchange("GET", "/")
		x.Request = [...]fields{{{Name: "User-Agent", Value: "bot"}}, {{Name: "User-Agent", Value: "Mozilla"}}, nil}[i]
		if got, err := p.Request(x); got != want || err != nil {
			t.Errorf("%d: got %v, %v", i, got, err)
		}
	}
}

func TestDryRun(t *testing.T) {
	status, x := run(t, `{"user_agent":{"require":true},"dry_run":true}`, nil)
	if status != 200 || len(x.Log) != 1 || !strings.Contains(x.Log[0], "would refuse a request by its User-Agent") {
		t.Errorf("%d, %q", status, x.Log)
	}
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern, value string
		want           bool
	}{
		{"a", "bab", true}, {"a", "b", false}, {"A", "xax", true}, {"^a", "ab", true}, {"^a", "ba", false}, {"a$", "ba", true}, {"a$", "ab", false},
		{"^a$", "a", true}, {"^a$", "aa", false}, {"^$", "", true}, {"^$", "a", false}, {"a*b", "xaxbx", true}, {"a*b", "ba", false}, {"^a*b$", "ab", true},
		{"^a*b$", "axb", true}, {"^a*a$", "a", false}, {"^ab*ba$", "aba", false}, {"a*a", "a", false}, {"^*a", "xa", true}, {"a*$", "ax", true},
		{"*^a", "b^a", true}, {"a$*", "xa$x", true}, {"a.b", "axb", false}, {"Ä", "ä", false}, {"Ä", "xÄ", true}, {"a**b", "ab", true},
	} {
		p := parsePattern(tt.pattern)
		if got := p.meets(string(lowered(nil, tt.value))); got != tt.want {
			t.Errorf("%q, %q: got %v", tt.pattern, tt.value, got)
		}
	}
}

// FuzzPattern compares with a regular expression that says the same.
func FuzzPattern(f *testing.F) {
	f.Add("^a*b$", "aXb")
	f.Add("a**", "ba")
	f.Add("*a$", "aba")
	f.Fuzz(func(t *testing.T, text, value string) {
		p := parsePattern(text)
		value = string(lowered(nil, value))
		quoted := make([]string, len(p.parts))
		for i, part := range p.parts {
			quoted[i] = regexp.QuoteMeta(part)
		}
		expression := strings.Join(quoted, "(?s:.*)")
		if p.from {
			expression = `\A` + expression
		}
		if p.to {
			expression += `\z`
		}
		re, err := regexp.Compile(expression)
		if err != nil || strings.ToValidUTF8(value, "") != value {
			return
		}
		if got, want := p.meets(value), re.MatchString(value); got != want {
			t.Fatalf("%q, %q: got %v, want %v", text, value, got, want)
		}
	})
}

func TestRefusedConfigurations(t *testing.T) {
	const anything = "must have more than ^, * and $: it would be met by anything"
	for config, want := range map[string]string{
		`{}`:                               "must have rules: user_agent, referer or headers",
		`{"headers":{}}`:                   "must have rules: user_agent, referer or headers",
		`{"agent":{}}`:                     "/agent is not a known key",
		`{"user_agent":{}}`:                "/user_agent must have deny, allow or require",
		`{"user_agent":{"deny":[]}}`:       "/user_agent must have deny, allow or require",
		`{"user_agent":{"block":["a"]}}`:   "/user_agent/block is not a known key",
		`{"user_agent":{"deny":"a"}}`:      "/user_agent/deny must be an array",
		`{"user_agent":{"deny":["a",""]}}`: "/user_agent/deny/1 " + anything, `{"user_agent":{"deny":["^*"]}}`: "/user_agent/deny/0 " + anything,
		`{"user_agent":{"allow":["a\n"]}}`:                                          "/user_agent/allow/0 must have no control characters: no header has them",
		`{"user_agent":{"allow":["` + strings.Repeat("a", 257) + `"]}}`:             "/user_agent/allow/0 must not have more than 256 bytes, and 15 stars",
		`{"user_agent":{"allow":["` + strings.Repeat("a*", 16) + `"]}}`:             "/user_agent/allow/0 must not have more than 256 bytes, and 15 stars",
		`{"user_agent":{"except":["a"],"require":true}}`:                            "/user_agent must have deny where it has except",
		`{"headers":{"a b":{"require":true}}}`:                                      "/headers/a b must be the name of a header",
		`{"headers":{"Host":{"require":true}}}`:                                     "/headers/Host is never seen: it belongs to the connection",
		`{"user_agent":{"require":true},"headers":{"User_agent":{"require":true}}}`: "/headers/User_agent has rules already",
		`{"user_agent":{"require":true},"status":200}`:                              "/status must be an integer from 400 to 599",
		`{"user_agent":{"require":true},"dry_run":"yes"}`:                           "/dry_run must be true or false",
	} {
		if got := sallyporttest.Refusal(t, configure, config); got != want {
			t.Errorf("%s: got %q, want %q", config, got, want)
		}
	}
}
