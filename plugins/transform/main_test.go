package main

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

type fields = sallyporttest.Fields

// request runs the request hook over an exchange and returns the status of the answer, 0 if it passes.
func request(t *testing.T, config string, x *sallyporttest.Exchange) int {
	t.Helper()
	verdict, err := sallyporttest.Configure(t, configure, config).Request(x)
	if err != nil {
		t.Fatal(err)
	}
	if verdict == sallyport.Respond {
		return x.Status
	}
	return 0
}

func text(f fields) string {
	var b strings.Builder
	for _, h := range f {
		b.WriteString(h.Name + ": " + h.Value + "\n")
	}
	return b.String()
}

func TestRequestHeaders(t *testing.T) {
	for _, tt := range []struct{ name, steps, want string }{
		{"set", `{"set":"X-A","value":"v"}`, "X-A: v\nX-C: 3\n"},
		{"set one that is not there", `{"set":"X-New","value":"v"}`, "X-A: 1\nx_a: odd\nx-a: 2\nX-C: 3\nX-New: v\n"},
		{"set to nothing takes away what the client says", `{"set":"X-A","value":"{{ attr.user }}"}`, "X-C: 3\n"},
		{"fallback", `{"set":"X-A","value":"{{ attr.user | nobody }}"}`, "X-A: nobody\nX-C: 3\n"},
		{"add", `{"add":"X-A","value":"v"}`, "X-A: 1\nx_a: odd\nx-a: 2\nX-C: 3\nX-A: v\n"},
		{"add nothing", `{"add":"X-A","value":"{{ attr.user }}"}`, "X-A: 1\nx_a: odd\nx-a: 2\nX-C: 3\n"},
		{"default", `{"default":"X-A","value":"v"},{"default":"X-B","value":"w"}`, "X-A: 1\nx_a: odd\nx-a: 2\nX-C: 3\nX-B: w\n"},
		{"remove", `{"remove":"x-A"}`, "X-C: 3\n"},
		{"remove by beginning", `{"remove":"X-*"}`, ""},
		{"rename", `{"rename":"X-A","to":"X-C"}`, "x_a: odd\nX-C: 1\nX-C: 2\n"},
		{"rename what is not there", `{"rename":"X-B","to":"X-C"}`, "X-A: 1\nx_a: odd\nx-a: 2\nX-C: 3\n"},
		{"rename to what has a double", `{"rename":"X-C","to":"X-A"}`, "X-A: 3\n"},
		{"copy", `{"copy":"X-A","to":"X-D"}`, "X-A: 1\nx_a: odd\nx-a: 2\nX-C: 3\nX-D: 1\nX-D: 2\n"},
		{"in order", `{"remove":"X-A"},{"set":"X-A","value":"{{ header.X-A | gone }}"}`, "X-C: 3\nX-A: gone\n"},
	} {
		x := sallyporttest.NewExchange("GET", "/")
		x.Request = fields{{Name: "X-A", Value: "1"}, {Name: "x_a", Value: "odd"}, {Name: "x-a", Value: "2"}, {Name: "X-C", Value: "3"}}
		if status := request(t, `{"request_headers":[`+tt.steps+`]}`, x); status != 0 || text(x.Request) != tt.want {
			t.Errorf("%s: got %d %q, want %q", tt.name, status, text(x.Request), tt.want)
		}
	}
}

func TestTemplates(t *testing.T) {
	for template, want := range map[string]string{
		"plain": "plain", "{{method}} {{ path }}?{{query}}": "GET /orders/7?page=2&q=a%0d%0aX-Evil:%201&name=J%C3%B6",
		"{{ scheme }}://{{ host }}": "http://gateway.test", "{{ client }}": "192.0.2.1", "{{ route }} {{ id }}": "test request-1",
		"{{ param.id }}": "7", "{{ query.page }}": "2", "{{ header.accept }}": "*/*", "{{ consumer }}": "jo", "{{ attr.plan }}": "pro",
		"{{ query.q }}": "", "{{ query.q | none }}": "none", "{{ query.name }}": "Jö", "{{ param.evil | x }}": "x", "{{ header.huge | - }}": "-",
		"<{{ query.missing }}>": "<>", "a{{ upstream }}b }}": "ab }}", "{{ query.inject }}": "{{ attr.plan }}",
	} {
		x := sallyporttest.NewExchange("GET", "/orders/7?page=2&q=a%0d%0aX-Evil:%201&name=J%C3%B6")
		if template == "{{ query.inject }}" { // what a client sends is no template
			x.Query = "inject={{%20attr.plan%20}}"
		}
		x.Params = map[string]string{"id": "7", "evil": "a\x00b"}
		x.Attrs = map[string]string{"consumer": "jo", "plan": "pro"}
		x.Request = fields{{Name: "Accept", Value: "*/*"}, {Name: "Huge", Value: strings.Repeat("a", longestValue+1)}}
		status := request(t, `{"request_headers":[{"set":"X","value":"`+template+`"}]}`, x)
		if got := x.Request.Get("X"); status != 0 || got != want {
			t.Errorf("%s: got %d %q, want %q", template, status, got, want)
		}
	}
}

func TestQuery(t *testing.T) {
	const query = "a=1&b=%41+x&a=2&c&%61=3&d=%zz"
	for _, tt := range []struct{ steps, query, want string }{
		{`{"set":"a","value":"x y&z=1#"}`, query, "b=%41+x&c&d=%zz&a=x%20y%26z%3D1%23"},
		{`{"set":"e","value":""}`, query, query + "&e="},
		{`{"set":"b","value":"{{ attr.none }}"}`, query, "a=1&a=2&c&%61=3&d=%zz"},
		{`{"add":"ä","value":"{{ query.b }}"}`, query, query + "&%C3%A4=A%20x"},
		{`{"default":"a","value":"x"},{"default":"A","value":"x"}`, query, query + "&A=x"},
		{`{"remove":"a"}`, query, "b=%41+x&c&d=%zz"},
		{`{"remove":"*"}`, query, ""},
		{`{"remove":"utm_*"}`, "utm_x=1&utm=2&%75tm_=3", "utm=2"},
		{`{"rename":"a","to":"b"}`, query, "b=1&b=2&c&b=3&d=%zz"},
		{`{"rename":"c","to":"e"}`, query, "a=1&b=%41+x&a=2&e&%61=3&d=%zz"},
		{`{"rename":"none","to":"a"}`, query, query},
		{`{"copy":"b","to":"c"}`, query, "a=1&b=%41+x&a=2&%61=3&d=%zz&c=%41+x"},
		{`{"set":"a","value":"1"}`, "", "a=1"},
		{`{"remove":"a"}`, "&&a&=1&", "=1"},
	} {
		x := sallyporttest.NewExchange("GET", "/")
		x.Query = tt.query
		if status := request(t, `{"query":[`+tt.steps+`]}`, x); status != 0 || x.Query != tt.want {
			t.Errorf("%s: got %d %q, want %q", tt.steps, status, x.Query, tt.want)
		}
	}
	x := sallyporttest.NewExchange("GET", "/")
	x.Query = "a=" + strings.Repeat("%20", 5000)
	steps := strings.Repeat(`,{"add":"b","value":"{{ query.a }}"}`, 8)[1:]
	if status := request(t, `{"query":[`+steps+`]}`, x); status != 414 {
		t.Errorf("a query that becomes too long: %d", status)
	}
}

func TestPath(t *testing.T) {
	for _, tt := range []struct {
		template, path, query string
		params                map[string]string
		want                  string // "" for 400
	}{
		{"/v2{{ path }}", "/orders/a%2Fb", "", nil, "/v2/orders/a%2Fb"},
		{"{{ path }}/x", "/orders", "", nil, "/orders/x"},
		{"/v2{{ path }}", "*", "", nil, ""},
		{"/u/{{ param.id }}", "/", "", map[string]string{"id": "a/../b?c#d%"}, "/u/a%2F..%2Fb%3Fc%23d%25"},
		{"/u/{{ param.id }}", "/", "", map[string]string{"id": "Jö"}, "/u/J%C3%B6"},
		{"/u/{{ param.id }}", "/", "", map[string]string{"id": ".."}, ""},
		{"/u/{{ param.id }}", "/", "", map[string]string{"id": "."}, ""},
		{"/u/x{{ param.id }}", "/", "", map[string]string{"id": ".."}, "/u/x.."},
		{"/u/{{ param.id }}/x", "/", "", nil, ""},
		{"/u/{{ param.id }}", "/", "", nil, ""},
		{"/u/{{ param.id }}", "/", "", map[string]string{"id": "a\nb"}, ""},
		{"/u/{{ param.id | me }}", "/", "", nil, "/u/me"},
		{"/u/{{ query.id }}", "/", "id=..%2Fadmin", nil, "/u/..%2Fadmin"},
		{"/u/{{ query.id }}", "/", "id=%2e%2e", nil, ""},
		{"/{{ segments.rest }}", "/", "", map[string]string{"rest": "a/b c/"}, "/a/b%20c/"},
		{"/{{ segments.rest }}", "/", "", map[string]string{"rest": ""}, "/"},
		{"/{{ segments.rest }}", "/", "", map[string]string{"rest": "a/../admin"}, ""},
		{"/{{ segments.rest }}", "/", "", map[string]string{"rest": "//evil.test"}, ""},
		{"/v2/{{ segments.rest }}", "/", "", map[string]string{"rest": "/a/b"}, "/v2/a/b"}, // as the gateway has it
		{"/v2{{ segments.rest }}", "/", "", map[string]string{"rest": "/a/b"}, "/v2/a/b"},
		{"/{{ segments.rest }}", "/", "", map[string]string{"rest": "a\x00"}, ""},
		{"/u/{{ attr.a }}{{ attr.b }}/x", "/", "", nil, ""},
	} {
		x := sallyporttest.NewExchange("GET", tt.path)
		x.Query, x.Params = tt.query, tt.params
		status := request(t, `{"path":"`+tt.template+`"}`, x)
		if tt.want == "" && status != 400 || tt.want != "" && (status != 0 || x.Path != tt.want) {
			t.Errorf("%s of %v %s: got %d %s, want %s", tt.template, tt.params, tt.query, status, x.Path, tt.want)
		}
	}
	x := sallyporttest.NewExchange("GET", "/")
	x.Params = map[string]string{"id": strings.Repeat("a", 9000)}
	if status := request(t, `{"path":"/{{ param.id }}"}`, x); status != 414 {
		t.Errorf("a path that becomes too long: %d", status)
	}
}

func TestResponse(t *testing.T) {
	const config = `{"status":{"404":410,"5xx":503,"500":502},"response_headers":[{"remove":"Server"},{"set":"X-Route","value":"{{ route }} {{ status }} {{ response.X-Up }}"},{"rename":"X-Up","to":"X-Down"}]}`
	for from, want := range map[int]int{200: 200, 404: 410, 500: 502, 501: 503, 504: 503, 304: 304} {
		x := sallyporttest.NewExchange("GET", "/")
		x.Status, x.Response = from, fields{{Name: "server", Value: "x"}, {Name: "X-Up", Value: "u"}, {Name: "X_Route", Value: "o"}}
		if err := sallyporttest.Configure(t, configure, config).Response(x); err != nil {
			t.Fatal(err)
		}
		wantHeaders := "X_Route: o\nX-Route: test " + map[int]string{200: "200", 404: "404", 500: "500", 501: "501", 504: "504", 304: "304"}[from] + " u\nX-Down: u\n"
		if x.Status != want || text(x.Response) != wantHeaders {
			t.Errorf("%d: got %d %q, want %d %q", from, x.Status, text(x.Response), want, wantHeaders)
		}
	}
}

func TestRefusedConfigurations(t *testing.T) {
	const path = "/path must begin with a slash or {{ path }}, and be percent-encoded"
	for config, want := range map[string]string{
		`{}`:                         "must have something to do: request_headers, query, path, request_json, response_headers, response_json or status",
		`{"request_headers":[]}`:     "must have something to do: request_headers, query, path, request_json, response_headers, response_json or status",
		`{"headers":[]}`:             "/headers is not a known key",
		`{"request_headers":["a"]}`:  "/request_headers/0 must be a table",
		`{"request_headers":[{}]}`:   "/request_headers/0 must have one of set, add, default, remove, rename, copy and move",
		`{"query":[{"delete":"a"}]}`: "/query/0/delete is not a known key",
		`{"query":[{"set":"a","add":"a","value":"b"}]}`:                "/query/0 must have one of set, add, default, remove, rename, copy and move",
		`{"query":[{"set":"a"}]}`:                                      "/query/0 must have a value",
		`{"query":[{"set":"a","value":"b","to":"c"}]}`:                 "/query/0 must have no to",
		`{"query":[{"remove":"a","value":"b"}]}`:                       "/query/0 must have no value",
		`{"query":[{"rename":"a"}]}`:                                   "/query/0 must say where to",
		`{"query":[{"rename":"a","to":"a"}]}`:                          "/query/0/to must be another name",
		`{"query":[{"move":"a","to":"b"}]}`:                            "/query/0 must not move: rename it",
		`{"query":[{"set":"a","json":"1"}]}`:                           "/query/0 must have its value as value",
		`{"query":[{"set":"","value":"1"}]}`:                           "/query/0/set must not be empty",
		`{"request_headers":[{"set":"a b","value":"1"}]}`:              "/request_headers/0/set must be the name of a header",
		`{"request_headers":[{"set":"Content-Length","value":"1"}]}`:   "/request_headers/0/set cannot be changed: it belongs to the connection",
		`{"request_headers":[{"remove":"*"}]}`:                         "/request_headers/0/remove must be the name of a header",
		`{"request_headers":[{"rename":"a","to":"A"}]}`:                "/request_headers/0/to must be another name",
		`{"request_headers":[{"rename":"a","to":"Host"}]}`:             "/request_headers/0/to cannot be changed: it belongs to the connection",
		`{"request_headers":[{"set":"a","value":""}]}`:                 "/request_headers/0/value must not be empty, nor begin or end with a space",
		`{"request_headers":[{"set":"a","value":"\n{{ id }}"}]}`:       "/request_headers/0/value must have no control characters",
		`{"request_headers":[{"set":"a","value":"{{ id"}]}`:            "/request_headers/0/value has {{ without }}",
		`{"request_headers":[{"set":"a","value":"{{ x }}"}]}`:          "/request_headers/0/value has a value that is not known: {{ x }}",
		`{"request_headers":[{"set":"a","value":"{{ status }}"}]}`:     "/request_headers/0/value has a value that is not known: {{ status }}",
		`{"request_headers":[{"set":"a","value":"{{ response.a }}"}]}`: "/request_headers/0/value has a value that is not known: {{ response.a }}",
		`{"request_headers":[{"set":"a","value":"{{ query. }}"}]}`:     "/request_headers/0/value has a value that is not known: {{ query. }}",
		`{"request_json":[{"set":"a","value":"1"}]}`:                   "/request_json/0/set must be a JSON pointer, such as /user/name",
		`{"request_json":[{"set":"/a~2","value":"1"}]}`:                "/request_json/0/set must be a JSON pointer: ~0 is a tilde, ~1 a slash",
		`{"request_json":[{"set":"/a","json":"01"}]}`:                  "/request_json/0/json must be JSON, written in a string",
		`{"request_json":[{"set":"/a","json":"1","value":"1"}]}`:       "/request_json/0 must have a value",
		`{"request_json":[{"add":"/a/*","value":"1"}]}`:                "/request_json/0/add must not end with *",
		`{"request_json":[{"move":"/a","to":"/a/b"}]}`:                 "/request_json/0 must be from one place to another, neither within the other",
		`{"request_json":[{"copy":"/a/*","to":"/b"}]}`:                 "/request_json/0 must be from one place to one other, without *",
		`{"path":""}`: path, `{"path":"x"}`: path, `{"path":"{{ host }}"}`: path, `{"path":"/a?b"}`: path, `{"path":"/%zz"}`: path, `{"path":"/ä"}`: path,
		`{"path":"/a/../b"}`: path, `{"path":"/a//b"}`: path,
		`{"status":{"404":204}}`: "/status/404 must be a status that can have content",
		`{"status":{"304":200}}`: "/status/304 must be a status from 200 to 599 other than 304, or a class of them, such as 5xx",
		`{"status":{"1xx":200}}`: "/status/1xx must be a status from 200 to 599 other than 304, or a class of them, such as 5xx",
		`{"status":{"404":999}}`: "/status/404 must be an integer from 200 to 599",
		`{"refuse_other":1}`:     "/refuse_other must be true or false",
	} {
		if got := sallyporttest.Refusal(t, configure, config); got != want {
			t.Errorf("%s: got %q, want %q", config, got, want)
		}
	}
}
