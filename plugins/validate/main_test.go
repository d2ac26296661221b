package main

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// ask runs the request hook over an exchange and returns the status of the answer, 0 if it passes, and what it says is wrong.
func ask(t *testing.T, config string, x *sallyporttest.Exchange) (int, string) {
	t.Helper()
	verdict, err := sallyporttest.ConfigureIn(t, x.World, configure, config).Request(x)
	if err != nil {
		t.Fatal(err)
	}
	if verdict != sallyport.Respond {
		return 0, ""
	}
	_, faults, _ := strings.Cut(x.Body, `"errors":[`)
	return x.Status, strings.TrimSuffix(faults, "]}\n")
}

func inWorld(method, target string) *sallyporttest.Exchange {
	return sallyporttest.NewExchangeIn(&sallyporttest.World{}, method, target)
}

func TestQuery(t *testing.T) {
	for _, tt := range []struct{ name, parameter, query, want string }{
		{"there", `"type":"integer"`, "p=5", ""},
		{"not there", `"type":"integer"`, "", ""},
		{"missing", `"required":true`, "q=1", "is missing"},
		{"twice", ``, "p=1&p=1", "is there more than once"},
		{"twice, once encoded", ``, "p=1&%70=2", "is there more than once"},
		{"empty integer", `"type":"integer"`, "p=", "must be an integer"},
		{"empty string", ``, "p", ""},
		{"empty string that must not be", `"min_length":1`, "p=", "must be at least 1 characters long"},
		{"leading zero", `"type":"integer"`, "p=05", "must be an integer"},
		{"plus", `"type":"integer"`, "p=+5", "must be an integer"},
		{"unicode digits", `"type":"integer"`, "p=%D9%A5", "must be an integer"},
		{"full-width digits", `"type":"number"`, "p=%EF%BC%95", "must be a number"},
		{"encoded digits", `"type":"integer","maximum":5`, "p=%35", ""},
		{"fraction", `"type":"integer"`, "p=5.0", "must be an integer"},
		{"minus zero", `"type":"integer","minimum":0`, "p=-0", ""},
		{"huge exponent", `"type":"number","maximum":10`, "p=1e400", "must be at most 10"},
		{"tiny", `"type":"number","exclusive_minimum":0`, "p=1e-400", ""},
		{"exponent beyond all", `"type":"number"`, "p=1e99999999999", "must be a number"},
		{"hex", `"type":"integer"`, "p=0x5", "must be an integer"},
		{"not a number", `"type":"number"`, "p=NaN", "must be a number"},
		{"long number", `"type":"integer"`, "p=" + strings.Repeat("9", 401), "must be an integer"},
		{"int32", `"type":"integer","format":"int32"`, "p=2147483648", "is not of the format int32"},
		{"int64", `"type":"integer","format":"int64"`, "p=-9223372036854775808", ""},
		{"fraction of a bound", `"type":"number","minimum":"0.5"`, "p=0.49999", "must be at least 0.5"},
		{"exclusive", `"type":"number","exclusive_maximum":"0.5"`, "p=5e-1", "must be less than 0.5"},
		{"negative bound", `"type":"number","minimum":-10`, "p=-10.5", "must be at least -10"},
		{"boolean", `"type":"boolean"`, "p=TRUE", "must be true or false"},
		{"enum", `"enum":["a","b c"]`, "p=b+c", ""},
		{"not of the enum", `"enum":["a"]`, "p=A", "must be one of the values that are allowed"},
		{"characters, not bytes", `"max_length":1`, "p=%E2%82%AC", ""},
		{"too long", `"max_length":1`, "p=ab", "must be at most 1 characters long"},
		{"pattern", `"pattern":"^[a-z]+$"`, "p=abc", ""},
		{"not the pattern", `"pattern":"^[a-z]+$"`, "p=abc%0A", "does not match the pattern"},
		{"bad encoding", ``, "p=%zz", "is not percent-encoded UTF-8"},
		{"half an encoding", ``, "p=%4", "is not percent-encoded UTF-8"},
		{"no UTF-8", ``, "p=%ff", "is not percent-encoded UTF-8"},
		{"overlong UTF-8", ``, "p=%c0%af", "is not percent-encoded UTF-8"},
		{"NUL", ``, "p=a%00b", "is not percent-encoded UTF-8"},
		{"exploded", `"type":"array","items":{"type":"integer"}`, "p=1&p=2&p=x", "element 2 must be an integer"},
		{"unique", `"type":"array","unique_items":true`, "p=a&p=%61", "must not have the same element twice"},
		{"too few", `"type":"array","min_items":2`, "p=a", "must have at least 2 elements"},
		{"too many", `"type":"array","max_items":2`, "p=a&p=b&p=c", "has too many elements"},
		{"form", `"type":"array","explode":false,"items":{"max_length":3}`, "p=a,b%2Cc", ""},
		{"form, twice", `"type":"array","explode":false`, "p=a&p=b", "is there more than once"},
		{"form, empty", `"type":"array","explode":false,"items":{"type":"integer"}`, "p=", ""},
		{"form, empty element", `"type":"array","explode":false,"items":{"type":"integer"}`, "p=1,,2", "element 1 must be an integer"},
		{"spaces", `"type":"array","style":"spaceDelimited","items":{"enum":["a","b"]}`, "p=a%20b+a", ""},
		{"pipes", `"type":"array","style":"pipeDelimited","items":{"enum":["a","b"]}`, "p=a|b%7Ca%7cc", "element 3 must be one of the values that are allowed"},
	} {
		parameter := `{"name":"p","in":"query"`
		if tt.parameter != "" {
			parameter += "," + tt.parameter
		}
		status, got := ask(t, `{"parameters":[`+parameter+`}]}`, inWorld("GET", "/?"+tt.query))
		want, wantStatus := "", 0
		if tt.want != "" {
			want, wantStatus = `{"in":"query","name":"p","message":"`+tt.want+`"}`, 400
		}
		if status != wantStatus || got != want {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, status, got, wantStatus, want)
		}
	}
}

// What nobody described does not reach the upstream, and what was described stays as it is written.
func TestUnknownIsRemoved(t *testing.T) {
	for _, tt := range []struct {
		name, query, want string
		status            int
	}{
		{"nothing there", "", "", 0},
		{"none unknown", "p=%31&&p=a+b", "p=%31&&p=a+b", 0},
		{"some unknown", "a=1&p=%31&b&%70=%C3%A9&c=%zz", "p=%31&%70=%C3%A9", 0},
		{"all unknown", "a=1&b=2&=3", "", 0},
		{"by case and form", "P=1&p[]=2", "", 0},
		{"a name that cannot be read", "%zz=1&p=1", "%zz=1&p=1", 400},
		{"more than is ever told", strings.Repeat("q=1&", 1000) + "p=1", "p=1", 0},
	} {
		config := `{"unknown_query":"remove","parameters":[{"name":"p","in":"query","type":"array"}]}`
		x := inWorld("GET", "/")
		x.Query = tt.query
		if status, _ := ask(t, config, x); status != tt.status || x.Query != tt.want {
			t.Errorf("%s: got %d %q, want %d %q", tt.name, status, x.Query, tt.status, tt.want)
		}
		x = inWorld("GET", "/")
		x.Query = tt.query
		if status, _ := ask(t, strings.Replace(config, "{", `{"report_only":true,`, 1), x); status != 0 || x.Query != tt.query {
			t.Errorf("%s, report only: got %d %q", tt.name, status, x.Query)
		}
	}
}

// A hundred thousand elements are counted, not kept.
func TestManyElements(t *testing.T) {
	for _, query := range []string{strings.Repeat("p=1&", 100_000), "p=" + strings.Repeat("1,", 100_000), strings.Repeat("q=1&", 100_000)} {
		config := `{"unknown_query":"refuse","parameters":[{"name":"p","in":"query","type":"array"}]}`
		if strings.HasPrefix(query, "p=1,") {
			config = strings.Replace(config, `"array"`, `"array","explode":false`, 1)
		}
		status, got := ask(t, config, inWorld("GET", "/?"+query))
		if status != 400 || len(got) > 4000 {
			t.Errorf("got %d, %d bytes", status, len(got))
		}
	}
}

// Of what nobody asked for, nothing is kept, and no more of a parameter than tells that it is there too often.
func TestFewPairsAreKept(t *testing.T) {
	s, err := readSettings([]byte(`{"parameters":[{"name":"p","in":"query"},{"name":"l","in":"query","type":"array","max_items":3},{"name":"c","in":"cookie"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	x := inWorld("GET", "/?"+strings.Repeat("p=1&q=1&l=1&", 10_000))
	x.Request.Add("Cookie", strings.Repeat("c=1; d=1;", 10_000))
	hooks := func([]byte) (sallyport.Hooks, error) { return sallyport.Hooks{Request: s.request}, nil }
	for range 2 { // the first leaves nothing behind
		x.Body = ""
		if _, err := sallyporttest.Configure(t, hooks, "{}").Request(x); err != nil {
			t.Fatal(err)
		}
		if got, want := len(s.pairs), 2+4+2; got != want {
			t.Errorf("%d values are kept, want %d", got, want)
		}
		for _, want := range []string{`"p","message":"is there more than once"`, `"l","message":"has too many elements"`, `"c","message":"is there more than once"`} {
			if !strings.Contains(x.Body, want) {
				t.Errorf("got %s, want %s", x.Body, want)
			}
		}
	}
}

// Only in the query can one element be written in several ways.
func TestUniqueOutsideTheQuery(t *testing.T) {
	config := `{"parameters":[{"name":"X-Ids","in":"header","type":"array","unique_items":true}]}`
	for value, want := range map[string]string{
		"a+b, a b": "", "a%20b, a b": "", "100%, 50%": "", "a, b, a": `{"in":"header","name":"X-Ids","message":"must not have the same element twice"}`,
	} {
		x := inWorld("GET", "/")
		x.Request.Add("X-Ids", value)
		if _, got := ask(t, config, x); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
	config = `{"parameters":[{"name":"p","in":"query","type":"array","unique_items":true}]}`
	want := `{"in":"query","name":"p","message":"is not percent-encoded UTF-8"}`
	if _, got := ask(t, config, inWorld("GET", "/?p=%zz&p=%zy")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnknown(t *testing.T) {
	config := `{"unknown_query":"refuse","parameters":[{"name":"p","in":"query"}]}`
	for query, want := range map[string]string{
		"p=1": "", "p=1&&": "", "q=1": `{"in":"query","name":"q","message":"is not a parameter"}`, "%70=1": "",
		"P=1": `{"in":"query","name":"P","message":"is not a parameter"}`, "a\"b": `{"in":"query","name":"a\"b","message":"is not a parameter"}`,
		"%zz=1": `{"in":"query","name":"%zz","message":"has a name that is not percent-encoded UTF-8"}`,
		"p[]=1": `{"in":"query","name":"p[]","message":"is not a parameter"}`, "p=1;q=2": "",
	} {
		if _, got := ask(t, config, inWorld("GET", "/?"+query)); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

func TestOtherPlaces(t *testing.T) {
	config := `{"status":422,"parameters":[{"name":"id","in":"path","format":"uuid"},{"name":"X-Ids","in":"header","type":"array","items":{"type":"integer"}},
		{"name":"X-One","in":"header","required":true},{"name":"theme","in":"cookie","enum":["dark","light"]}]}`
	x := inWorld("GET", "/")
	x.Params = map[string]string{"id": "b6f8b5a0-4b0e-4e4b-9d3e-0a1f6f1d2c3b"}
	x.Request.Add("x-ids", "1, 2")
	x.Request.Add("X-Ids", "3")
	x.Request.Add("X-One", "a")
	x.Request.Add("Cookie", "a=b; theme=dark")
	if status, got := ask(t, config, x); status != 0 {
		t.Errorf("got %d %s", status, got)
	}
	x.Params["id"] = "7"
	x.Request.Add("X-Ids", "4,x")
	x.Request.Add("x-one", "b")
	x.Request.Add("Cookie", "theme=light")
	status, got := ask(t, config, x)
	want := `{"in":"path","name":"id","message":"is not of the format uuid"},{"in":"header","name":"X-Ids","message":"element 4 must be an integer"},` +
		`{"in":"header","name":"X-One","message":"is there more than once"},{"in":"cookie","name":"theme","message":"is there more than once"}`
	if status != 422 || got != want {
		t.Errorf("got %d %s, want %s", status, got, want)
	}
}

// What many servers take for a parameter is one, or is refused.
func TestOtherSpellings(t *testing.T) {
	config := `{"parameters":[{"name":"X-One","in":"header","type":"integer"},{"name":"x_two","in":"header"},{"name":"theme","in":"cookie","enum":["dark","light"]}]}`
	const double = "is there with _ for -, or the other way round"
	for _, tt := range []struct{ field, in, name, wrong string }{
		{"X_One: x", "header", "X-One", double},
		{"x_one: 1", "header", "X-One", double},
		{"X-Two: x", "header", "x_two", double},
		{"X_TWO: x", "", "", ""},
		{"X-One-: x", "", "", ""},
		{"Cookie: theme =evil", "cookie", "theme", "must be one of the values that are allowed"},
		{"Cookie: theme\t=\tdark", "", "", ""},
		{"Cookie: theme= light ;theme =dark", "cookie", "theme", "is there more than once"},
	} {
		x := inWorld("GET", "/")
		name, value, _ := strings.Cut(tt.field, ": ")
		x.Request.Add("X-One", "1")
		x.Request.Add(name, value)
		want := ""
		if tt.wrong != "" {
			want = `{"in":"` + tt.in + `","name":"` + tt.name + `","message":"` + tt.wrong + `"}`
		}
		if _, got := ask(t, config, x); got != want {
			t.Errorf("%s: got %s, want %s", tt.field, got, want)
		}
	}
}

func TestBody(t *testing.T) {
	const found = `[{"pointer":"/a","keyword":"type","message":"must be integer"}]`
	world := &sallyporttest.World{Schemas: map[string]*sallyporttest.Schema{
		"order": {Most: 100, Check: func(document []byte) string {
			if strings.Contains(string(document), "bad") {
				return found
			}
			return ""
		}},
	}}
	for _, tt := range []struct {
		name, fields, body string
		status             int
		want               string
	}{
		{"good", "Content-Type: application/json", `{}`, 0, ""},
		{"bad", "Content-Type: application/json", `bad`, 400, `{"in":"body","pointer":"/a","keyword":"type","message":"must be integer"}`},
		{"none", "", ``, 400, `{"in":"body","pointer":"","message":"is missing"}`},
		{"charset", "Content-Type: Application/JSON ; Charset=\"UTF-8\"", `{}`, 0, ""},
		{"another charset", "Content-Type: application/json;charset=utf-16", `{}`, 415, ""},
		{"two charsets", "Content-Type: application/json;charset=utf-8;charset=utf-7", `{}`, 415, ""},
		{"a charset behind white space", "Content-Type: application/json; charset =utf-16", `{}`, 415, ""},
		{"a charset behind a tab", "Content-Type: application/json; charset\t= \"utf-16\"", `{}`, 415, ""},
		{"an extended charset", "Content-Type: application/json; charset*=us-ascii''utf-16", `{}`, 415, ""},
		{"a charset in parts", "Content-Type: application/json; charset*0=utf; charset*1=-16", `{}`, 415, ""},
		{"a charset of white space", "Content-Type: application/json; charset = utf-8", `{}`, 0, ""},
		{"another type", "Content-Type: text/json", `{}`, 415, ""},
		{"no type", "", `{}`, 415, ""},
		{"two types", "Content-Type: application/json|content-type: application/json", `{}`, 415, ""},
		{"encoded", "Content-Type: application/json|Content-Encoding: gzip", `{}`, 415, ""},
		{"encoded as it is", "Content-Type: application/json|Content-Encoding: Identity", `{}`, 0, ""},
		{"encoded twice", "Content-Type: application/json|Content-Encoding: identity, gzip", `{}`, 415, ""},
		{"too large", "Content-Type: application/json", strings.Repeat(" ", 201), 413, ""},
		{"too large for the schema", "Content-Type: application/json", strings.Repeat(" ", 101), 413, ""},
	} {
		x := sallyporttest.NewExchangeIn(world, "POST", "/")
		x.RequestBody = tt.body
		for field := range strings.SplitSeq(tt.fields, "|") {
			if name, value, ok := strings.Cut(field, ": "); ok {
				x.Request.Add(name, value)
			}
		}
		status, got := ask(t, `{"body":{"schema":"order","required":true,"max_size":200}}`, x)
		if status != tt.status || tt.want != "" && got != tt.want {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, status, got, tt.status, tt.want)
		}
	}
}

func TestReportOnly(t *testing.T) {
	x := inWorld("GET", "/?p=x&q=%22%0d")
	x.Query = "p=x&q=%22%0d"
	config := `{"report_only":true,"unknown_query":"refuse","parameters":[{"name":"p","in":"query","type":"integer"}],"body":{"required":true}}`
	if status, _ := ask(t, config, x); status != 0 {
		t.Errorf("got %d", status)
	}
	if got := x.Attrs["validate"]; got != "query.p" {
		t.Errorf("the attribute is %q", got)
	}
	if got := x.World.Counters[`invalid_requests{in="query"}`]; got != 1 {
		t.Errorf("counted %d", got)
	}
	if len(x.Log) != 1 || !strings.Contains(x.Log[0], `"name":"q"`) {
		t.Errorf("the log is %q", x.Log)
	}
}

func TestSettings(t *testing.T) {
	for config, want := range map[string]string{
		`{}`: "must have something to check", `{"paramters":[]}`: "/paramters is not a known key", `{"status":401,"unknown_query":"refuse"}`: "/status must be 400 or 422",
		`{"unknown_query":"strip"}`:                                                   "/unknown_query must be one of allow, refuse",
		`{"parameters":[{"in":"query"}]}`:                                             "/parameters/0 must have a name",
		`{"parameters":[{"name":"a","in":"body"}]}`:                                   "/parameters/0/in must be one of",
		`{"parameters":[{"name":"a","in":"query"},{"name":"a","in":"query"}]}`:        "/parameters/1 is a parameter that is there already",
		`{"parameters":[{"name":"A-b","in":"header"},{"name":"a-B","in":"header"}]}`:  "/parameters/1 is a parameter that is there already",
		`{"parameters":[{"name":"a b","in":"header"}]}`:                               "/parameters/0 must have the name of a header",
		`{"parameters":[{"name":"a","in":"query","minimum":1}]}`:                      "/parameters/0 has bounds, but is no number",
		`{"parameters":[{"name":"a","in":"query","type":"integer","minimum":"x"}]}`:   "/parameters/0/minimum must be an integer, or a number in a string",
		`{"parameters":[{"name":"a","in":"query","type":"integer","max_length":1}]}`:  "/parameters/0 has min_length, max_length or pattern",
		`{"parameters":[{"name":"a","in":"query","pattern":"(?=a)"}]}`:                "/parameters/0/pattern must be a regular expression as RE2 has them",
		`{"parameters":[{"name":"a","in":"query","format":"ipv5"}]}`:                  "/parameters/0/format must be one of",
		`{"parameters":[{"name":"a","in":"query","type":"integer","format":"date"}]}`: "/parameters/0 has a format that does not go with its type",
		`{"parameters":[{"name":"a","in":"path","style":"form"}]}`:                    "/parameters/0 has a style that does not go with where it is",
		`{"parameters":[{"name":"a","in":"query","type":"json"}]}`:                    "/parameters/0 has a schema without being of type json",
		`{"parameters":[{"name":"a","in":"query","enum":[]}]}`:                        "/parameters/0 must have values in enum",
		`{"parameters":[{"name":"a","in":"query","items":{},"type":"string"}]}`:       "/parameters/0 has items, but is no array",
		`{"parameters":[{"name":"a","in":"query","max_length":1,"type":"array"}]}`:    "/parameters/0 is an array: what its elements",
		`{"body":{"schema":"a","content_types":["text/plain"]}}`:                      "/body has a content type that is no JSON",
		`{"body":{"schema":"b"}}`:                                                     `/body/schema needs the grant "schema:b", which the plugin has not got`,
		`{"parameters":[{"name":"a","in":"query","type":"json","schema":"b"}]}`:       `/parameters/0/schema needs the grant "schema:b", which the plugin has not got`,
		`{"body":{"content_types":["json"]}}`:                                         "/body has a content type that is none",
		`{"body":{"max_size":0}}`:                                                     "/body/max_size must be an integer from 1",
	} {
		w := &sallyporttest.World{Schemas: map[string]*sallyporttest.Schema{"a": {}}}
		if got := sallyporttest.RefusalIn(t, w, configure, config); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", config, got, want)
		}
	}
}

func TestFormats(t *testing.T) {
	for format, texts := range map[string][2]string{
		"uuid": {"2EB8AA08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08aa9811eab4aa73b441d16380 2eb8aa08-aa98-11ea-b4aa-73b441d1638g"},
		"date": {"1963-06-19 2020-02-29 2000-02-29", "2021-02-29 1900-02-29 2020-13-01 2020-00-01 2020-01-00 2020-1-01 20200101 1963-06-1৪"},
		"date-time": {"1963-06-19T08:30:06.283185Z 1990-12-31T15:59:60-08:00 1985-04-12t23:20:50z",
			"1990-02-31T15:59:59Z 2020-01-01T24:00:00Z 2020-01-01T00:00:00 2020-01-01T00:00:00+24:00 2020-01-01T00:00:00.Z 2020-01-01T00:58:60Z 2020-01-01T00:00:00Z0"},
		"email":    {"joe.bloggs@example.com te~st@example.com a+b@x", ".test@example.com te..st@example.com test.@x @x a@ a@-x a@b@c \"a\"@x"},
		"hostname": {"www.example.com xn--4gbwdl.xn--wgbh1c a", "-a a- a..b a_b ."},
		"ipv4":     {"192.168.0.1 0.0.0.0 255.255.255.255", "127.0.0.0.1 256.256.256.256 127.0 087.10.0.1 1.2.3.4/8 ২27.0.0.1 1.2.3."},
		"ipv6":     {"::1 :: 1:2:3:4:5:6:7:8 ::ffff:192.168.0.1 1::8 1:2:3:4:5:6:1.2.3.4 1::", "12345:: ::1%eth0 1:2:3:4:5:6:7:8:9 1::2::3 : :1 1: ::1.2.3 1:2:3:4:5:6:7:8:: 1:2:3:4:5:6:7:1.2.3.4 ::1::"},
		"uri":      {"http://foo.bar/?q=%20#x urn:a:b mailto:a@b", "//foo /a :a 1a:b http://a\\b http://%zz http://a#b#c http://ü"},
	} {
		for _, good := range strings.Fields(texts[0]) {
			if !isFormat(format, good) {
				t.Errorf("%s: %s is none", format, good)
			}
		}
		for _, bad := range strings.Fields(texts[1]) {
			if isFormat(format, bad) {
				t.Errorf("%s: %s is one", format, bad)
			}
		}
	}
}

func FuzzValues(f *testing.F) {
	f.Add("p=1&p=%31", "1.5e3")
	f.Fuzz(func(t *testing.T, query, value string) {
		(&settings{}).readQuery(query)
		parseDecimal(value)
		for _, name := range formatNames {
			isFormat(name, value)
		}
	})
}
