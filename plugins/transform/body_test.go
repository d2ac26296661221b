package main

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// withBody returns a request that has JSON content.
func withBody(body string) *sallyporttest.Exchange {
	x := sallyporttest.NewExchange("POST", "/orders?n=5")
	x.Request = fields{{Name: "Content-Type", Value: "application/json; charset=utf-8"}, {Name: "Content-MD5", Value: "x"}}
	x.RequestBody = body
	return x
}

func TestJSON(t *testing.T) {
	const items = `{"items":[{"id":1,"secret":2},{"secret":3},7]}`
	for _, tt := range []struct{ steps, body, want string }{
		{`{"set":"/a","json":"1.50"}`, `{"a":1, "n": 1e400 }`, `{"a":1.50,"n":1e400}`},
		{`{"set":"/b/c","json":"[1]"}`, ` {"a": 9007199254740993, "x":{ "y" : 1 }} `, `{"a":9007199254740993,"x":{ "y" : 1 },"b":{"c":[1]}}`},
		{`{"set":"/a","value":"{{ query.n }}"}`, `{}`, `{"a":"5"}`},
		{`{"set":"/a","value":"\"\\{{ query.n }}\n"}`, `{}`, `{"a":"\"\\5\u000a"}`},
		{`{"set":"/a","value":"{{ query.none }}"}`, `{"a":1,"b":2}`, `{"b":2}`},
		{`{"set":"/*","value":"{{ query.none }}"}`, `{"a":1,"b":2}`, `{}`},
		{`{"set":"/items/*/id","json":"0"}`, items, `{"items":[{"id":0,"secret":2},{"secret":3,"id":0},7]}`},
		{`{"set":"/a/0","json":"9"},{"set":"/a/-","json":"8"},{"set":"/a/5","json":"7"}`, `{"a":[1]}`, `{"a":[9,8]}`},
		{`{"set":"/a/b","json":"9"}`, `{"a":"text"}`, `{"a":"text"}`},
		{`{"set":"/a/b","json":"9"}`, `[1, 2]`, `[1,2]`},
		{`{"set":"/a","json":"9"}`, `"text"`, `"text"`},
		{`{"default":"/a","json":"9"},{"default":"/b","json":"8"}`, `{"a":null}`, `{"a":null,"b":8}`},
		{`{"add":"/a","json":"9"},{"add":"/b","json":"9"},{"add":"/c","json":"9"}`, `{"a":[],"b":{}}`, `{"a":[9],"b":{}}`},
		{`{"remove":"/items/*/secret"}`, items, `{"items":[{"id":1},{},7]}`},
		{`{"remove":"/*"}`, `{"a":1}`, `{}`},
		{`{"remove":"/items/0"},{"remove":"/items/1"},{"remove":"/items/01"}`, items, `{"items":[{"secret":3}]}`},
		{`{"remove":"/secret"}`, `{"s\u0065cret":1,"b":2}`, `{"b":2}`},
		{`{"remove":"/a~1b/~0c"}`, `{"a/b":{"~c":1}}`, `{"a/b":{}}`},
		{`{"remove":"/"}`, `{"":1,"a":2}`, `{"a":2}`},
		{`{"rename":"/a","to":"b"}`, `{"b":1,"a":2,"c":3}`, `{"b":2,"c":3}`},
		{`{"rename":"/items/*/id","to":"key"}`, items, `{"items":[{"key":1,"secret":2},{"secret":3},7]}`},
		{`{"move":"/a/b","to":"/c/d"}`, `{"a":{"b":[1, 2]}}`, `{"a":{},"c":{"d":[1, 2]}}`},
		{`{"move":"/a/0","to":"/a/-"}`, `{"a":[1,2,3]}`, `{"a":[2,3,1]}`},
		{`{"move":"/a","to":"/b/c"}`, `{"a":1,"b":2}`, `{"a":1,"b":2}`},
		{`{"move":"/none","to":"/b/c"}`, `{"a":1}`, `{"a":1}`},
		{`{"copy":"/a","to":"/b"},{"set":"/a/x","json":"1"}`, `{"a":{}}`, `{"a":{"x":1},"b":{}}`},
	} {
		x := withBody(tt.body)
		status := request(t, `{"request_json":[`+tt.steps+`]}`, x)
		if status != 0 || x.RequestBody != tt.want {
			t.Errorf("%s of %s: got %d %s, want %s", tt.steps, tt.body, status, x.RequestBody, tt.want)
		}
		if x.Request.Get("Content-MD5") != "" {
			t.Errorf("%s: a digest stays", tt.steps)
		}
	}
}

// What steps look into must be understood in one way only; what is no JSON at all does not pass.
func TestAttackedJSON(t *testing.T) {
	const remove = `{"request_json":[{"remove":"/admin"}]}`
	many := strings.Repeat(`,1`, most+1)[1:]
	var members strings.Builder
	for i := range 20000 {
		members.WriteString(`,"` + strings.Repeat("k", i%7) + string(quote(nil, string(rune(i))))[1:] + `:0`)
	}
	for _, tt := range []struct {
		name, body string
		want       int
	}{
		{"twice", `{"admin":1,"admin":2}`, 400},
		{"twice, one escaped", `{"admin":1,"\u0061dmin":2}`, 400},
		{"twice among many", `{` + members.String()[1:] + `,"admin":1,"admin":2}`, 400},
		{"no JSON", `admin=1`, 400},
		{"more behind", `{} {"admin":1}`, 400},
		{"a comma too many", `{"a":1,}`, 400},
		{"comments", `{/**/"a":1}`, 400},
		{"single quotes", `{'admin':1}`, 400},
		{"NaN", `{"a":NaN}`, 400},
		{"leading zero", `{"a":01}`, 400},
		{"plus", `{"a":+1}`, 400},
		{"bare dot", `{"a":1.}`, 400},
		{"control character", "{\"a\":\"\n\"}", 400},
		{"bad escape", `{"a":"\x"}`, 400},
		{"short escape", `{"a":"\u12"}`, 400},
		{"byte order mark", "\ufeff{}", 400},
		{"unended", `{"a":[1`, 400},
		{"too deep", strings.Repeat("[", 66) + strings.Repeat("]", 66), 400},
		{"as deep as can be", strings.Repeat("[", 65) + strings.Repeat("]", 65), 0},
		{"very deep", strings.Repeat(`{"a":`, 100000), 400},
		{"too many", `[` + many + `]`, 413},
		{"many that nobody looks into", `{"a":[` + many + `]}`, 0},
		{"empty", ``, 0},
	} {
		x := withBody(tt.body)
		if got := request(t, remove, x); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestContentOfRequests(t *testing.T) {
	const config = `{"request_json":[{"remove":"/a"}]}`
	for _, tt := range []struct {
		config  string
		headers fields
		want    int
		changed bool
	}{
		{config, fields{{Name: "content-type", Value: "APPLICATION/JSON"}}, 0, true},
		{config, fields{{Name: "Content-Type", Value: "application/merge-patch+json ; v=1"}}, 0, true},
		{config, fields{{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Encoding", Value: "identity"}}, 0, true},
		{config, fields{{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Encoding", Value: "gzip"}}, 415, false},
		{config, fields{{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Type", Value: "text/plain"}}, 415, false},
		{config, fields{{Name: "Content-Type", Value: "application/jsonp"}}, 415, false},
		{config, fields{{Name: "Content-Type", Value: "json"}}, 415, false},
		{config, fields{{Name: "Content-Type", Value: "application/json; charset=UTF-8"}}, 0, true},
		{config, fields{{Name: "Content-Type", Value: "application/json; charset=utf-7"}}, 415, false},
		{config, fields{{Name: "Content-Type", Value: "application/json; charset = utf-7"}}, 415, false},
		{config, fields{{Name: "Content-Type", Value: "application/json; charset*0=utf; charset*1=-7"}}, 415, false},
		{`{"refuse_other":false,` + config[1:], fields{{Name: "Content-Type", Value: "application/json; charset=utf-7"}}, 415, false},
		{config, nil, 415, false},
		{`{"refuse_other":false,` + config[1:], nil, 0, false},
		{`{"refuse_other":false,` + config[1:], fields{{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Encoding", Value: "gzip"}}, 415, false},
	} {
		x := withBody(`{"a":1}`)
		x.Request = tt.headers
		if got := request(t, tt.config, x); got != tt.want || (x.RequestBody == "{}") != tt.changed {
			t.Errorf("%v: got %d %s", tt.headers, got, x.RequestBody)
		}
	}
}

// What a step makes in each of many elements, and then looks into, does not copy the document each time.
func TestManyElementsGetAnObject(t *testing.T) {
	for _, steps := range []string{`{"set":"/items/*/a/b","json":"1"}`, `{"set":"/items/*/a","json":"{}"},{"set":"/items/*/a/b","json":"1"}`} {
		const n = 10_000
		x := withBody(`{"items":[` + strings.Repeat(`{},`, n-1) + `{}]}`)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status := request(t, `{"request_json":[`+steps+`]}`, x)
		runtime.ReadMemStats(&after)
		if got := strings.Count(x.RequestBody, `{"a":{"b":1}}`); status != 0 || got != n {
			t.Errorf("%s: got %d, and %d objects", steps, status, got)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 40<<20 {
			t.Errorf("%s: %d bytes were allocated", steps, got)
		}
	}
}

func TestResponseBody(t *testing.T) {
	const config = `{"response_json":[{"remove":"/secret"},{"set":"/status","value":"{{ status }}"}]}`
	for _, tt := range []struct {
		name, contentType, encoding, body string
		status                            int
		want, tag                         string // "!" for a failure
	}{
		{"JSON", "application/json", "", `{"secret":1}`, 200, `{"status":"200"}`, `W/"1"`},
		{"a problem", "application/problem+json", "", `{"secret":1}`, 404, `{"status":"404"}`, `W/"1"`},
		{"something else", "text/html", "", `{"secret":1}`, 200, `{"secret":1}`, `"1"`},
		{"compressed", "application/json", "gzip", `{"secret":1}`, 200, "!", `"1"`},
		{"a part", "application/json", "", `{"secret":1}`, 206, "!", `"1"`},
		{"broken", "application/json", "", `{"secret":1`, 200, "!", `"1"`},
		{"twice", "application/json", "", `{"secret":1,"secret":1}`, 200, "!", `"1"`},
		{"HEAD", "application/json", "gzip", ``, 200, ``, `W/"1"`},
		{"not modified", "", "", ``, 304, ``, `W/"1"`},
	} {
		x := sallyporttest.NewExchange("GET", "/")
		x.Status, x.Body = tt.status, tt.body
		x.Response = fields{{Name: "ETag", Value: `"1"`}, {Name: "Content-Type", Value: tt.contentType}, {Name: "Content-Encoding", Value: tt.encoding}}
		if tt.encoding == "" {
			x.Response.Remove("Content-Encoding")
		}
		var got string
		if err := sallyporttest.Configure(t, configure, config).Response(x); err != nil {
			got = "!"
		} else {
			got = x.Body
		}
		if got != tt.want || x.Response.Get("ETag") != tt.tag {
			t.Errorf("%s: got %s %s, want %s %s", tt.name, got, x.Response.Get("ETag"), tt.want, tt.tag)
		}
	}
	x := sallyporttest.NewExchange("GET", "/")
	x.Request = fields{{Name: "Range", Value: "bytes=0-"}, {Name: "Accept-Encoding", Value: "br"}, {Name: "If-Range", Value: "x"}, {Name: "Accept", Value: "*/*"}}
	if request(t, config, x); text(x.Request) != "Accept: */*\n" {
		t.Errorf("the upstream gets %q", text(x.Request))
	}
}

// FuzzJSON compares what is taken for JSON with encoding/json, and what comes out is JSON again.
func FuzzJSON(f *testing.F) {
	for _, body := range []string{`{"a":{"b":[1,2.5e-3,"\ud83d\ude00",null,true]}}`, `[[],{},""]`, `{"a":1,"a":2}`, ` -0 `, `{"a":{"b":{}}}`} {
		f.Add(body)
	}
	var s settings
	steps := []step{{op: set, path: pointer{"a", "b"}, json: `1`}, {op: remove, path: pointer{"a", all, "c"}}, {op: move, path: pointer{"a", "0"}, toPath: pointer{"d"}},
		{op: rename, path: pointer{all, "x"}, to: "y"}, {op: add, path: pointer{"d"}, json: `{}`}}
	f.Fuzz(func(t *testing.T, body string) {
		out, err := s.rewriteJSON([]byte(body), steps, context{})
		valid := json.Valid([]byte(body))
		if err == nil && (!valid || !json.Valid(out)) || err == errNotJSON && valid && strings.Count(body, "[")+strings.Count(body, "{") < deepest {
			t.Fatalf("%q: %v, %q", body, err, out)
		}
	})
}
