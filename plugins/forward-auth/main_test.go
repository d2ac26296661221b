package main

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

type (
	fields   = sallyporttest.Fields
	question = sallyporttest.FetchRequest
	reply    = sallyporttest.FetchAnswer
)

// service answers by what is in Authorization, and counts.
type service struct {
	asked  []question
	answer reply
}

func (s *service) world() *sallyporttest.World {
	return &sallyporttest.World{
		Upstreams: map[string]func(question) reply{"auth": func(q question) reply {
			s.asked = append(s.asked, q)
			return s.answer
		}},
		Stores: map[string]*sallyporttest.Store{"": {}},
	}
}

func run(t *testing.T, w *sallyporttest.World, config string, x *sallyporttest.Exchange) sallyport.Verdict {
	t.Helper()
	x.World = w
	verdict, err := sallyporttest.ConfigureIn(t, w, configure, config).Request(x)
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

func TestQuestion(t *testing.T) {
	s := &service{answer: reply{Status: 200}}
	x := sallyporttest.NewExchange("POST", "/orders/7?page=2")
	x.Request = fields{{Name: "authorization", Value: "Bearer a"}, {Name: "Authorization", Value: "Bearer b"}, {Name: "X-Secret", Value: "s"},
		{Name: "X-Forwarded-Method", Value: "GET"}, {Name: "X-Forwarded-Uri", Value: "/public"}, {Name: "X-Tenant", Value: "acme"}}
	config := `{"upstream":"auth","method":"POST","path":"/check?v=1","authority":"auth.test","timeout_ms":250,"send":["Authorization","x-tenant"],"add":{"X-Key":"k"}}`
	if run(t, s.world(), config, x) != sallyport.Continue || len(s.asked) != 1 {
		t.Fatalf("%v, asked %v", x, s.asked)
	}
	q := s.asked[0]
	if q.Method != "POST" || q.Path != "/check?v=1" || q.Authority != "auth.test" || q.Timeout != 250*time.Millisecond {
		t.Errorf("asked %+v", q)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer a,Bearer b", "X-Tenant": "acme", "X-Key": "k", "X-Secret": "", "X-Forwarded-Method": "POST", "X-Forwarded-Proto": "http",
		"X-Forwarded-Host": "gateway.test", "X-Forwarded-Uri": "/orders/7?page=2", "X-Forwarded-For": "192.0.2.1", "X-Request-Id": "request-1",
	} {
		if got := strings.Join(q.Headers.Values(name), ","); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestAllowed(t *testing.T) {
	s := &service{answer: reply{Status: 204, Headers: fields{{Name: "x-user", Value: "jo"}, {Name: "X-Groups", Value: "a,b"}, {Name: "X-Email", Value: "jo@x.test"},
		{Name: "Authorization", Value: "internal"}, {Name: "X-Other", Value: "no"}, {Name: "X-Consumer", Value: "root"}}}}
	x := sallyporttest.NewExchange("GET", "/")
	x.Request = fields{{Name: "Authorization", Value: "Bearer a"}, {Name: "X_User", Value: "root"}, {Name: "X-USER", Value: "root"}, {Name: "X-Email", Value: "root"},
		{Name: "x_email", Value: "root"}, {Name: "X-Consumer-Groups", Value: "root"}, {Name: "x-consumer", Value: "root"}, {Name: "X-Missing", Value: "root"}}
	config := `{"upstream":"auth","take":["X-Email","X-User","Authorization","X-Missing"],"consumer":"X-User","groups":"X-Groups"}`
	if run(t, s.world(), config, x) != sallyport.Continue {
		t.Fatal(x.Status)
	}
	if got := s.asked[0].Headers.Get("Authorization"); got != "Bearer a" {
		t.Errorf("the service sees %q", got)
	}
	want := map[string]string{"X-User": "jo", "X-Email": "jo@x.test", "Authorization": "internal", "X-Consumer": "jo", "X-Consumer-Groups": "a,b"}
	for name, value := range want {
		if got := strings.Join(x.Request.Values(name), ","); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
	if len(x.Request) != len(want) || x.Attrs["consumer"] != "jo" || x.Attrs["groups"] != "a,b" {
		t.Errorf("sent on %v, attributes %v", x.Request, x.Attrs)
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		answer       reply
		status       int
		body         string
		headers      map[string]string
	}{
		{"401", `{"upstream":"auth"}`, reply{Status: 401, Body: "who?", Headers: fields{{Name: "WWW-Authenticate", Value: "Basic"}, {Name: "X-Internal", Value: "1"}, {Name: "Content-Type", Value: "text/plain"}}},
			401, "who?", map[string]string{"WWW-Authenticate": "Basic", "X-Internal": "", "Content-Type": "text/plain"}},
		{"403", `{"upstream":"auth"}`, reply{Status: 403}, 403, "", nil},
		{"redirect", `{"upstream":"auth"}`, reply{Status: 302, Headers: fields{{Name: "Location", Value: "https://id.test/"}, {Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}}},
			302, "", map[string]string{"Location": "https://id.test/", "Set-Cookie": "a=1,b=2"}},
		{"without body", `{"upstream":"auth","body":false,"pass":["X-Why"]}`, reply{Status: 429, Body: "secret", Headers: fields{{Name: "X-Why", Value: "w"}, {Name: "Retry-After", Value: "9"}}},
			429, `{"type":"about:blank","title":"Too Many Requests","status":429,"request_id":"request-1"}` + "\n", map[string]string{"X-Why": "w", "Retry-After": ""}},
		{"redirect to nowhere", `{"upstream":"auth"}`, reply{Status: 302}, 503, "*", nil},
		{"not modified", `{"upstream":"auth"}`, reply{Status: 304, Headers: fields{{Name: "Location", Value: "/"}}}, 503, "*", nil},
		{"broken", `{"upstream":"auth"}`, reply{Status: 500, Body: "stack trace"}, 503, "*", nil},
		{"too late", `{"upstream":"auth"}`, reply{Fault: -6}, 503, "*", nil},
		{"down", `{"upstream":"auth"}`, reply{Fault: -7}, 503, "*", nil},
		{"two users", `{"upstream":"auth","consumer":"X-User"}`, reply{Status: 200, Headers: fields{{Name: "X-User", Value: "jo"}, {Name: "X-User", Value: "root"}}}, 503, "*", nil},
		{"a long user", `{"upstream":"auth","consumer":"X-User"}`, reply{Status: 200, Headers: fields{{Name: "X-User", Value: strings.Repeat("a", 5000)}}}, 503, "*", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &service{answer: tt.answer}
			x := sallyporttest.NewExchange("GET", "/")
			if verdict := run(t, s.world(), tt.config, x); verdict != sallyport.Respond || x.Status != tt.status {
				t.Fatalf("got %v, %d, want %d", verdict, x.Status, tt.status)
			}
			if tt.body == "*" {
				tt.body = `{"type":"about:blank","title":"Service Unavailable","status":503,"request_id":"request-1"}` + "\n"
			}
			if x.Body != tt.body {
				t.Errorf("body %q, want %q", x.Body, tt.body)
			}
			for name, want := range tt.headers {
				if got := strings.Join(x.Response.Values(name), ","); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

// An empty user is nobody, and nobody is not the one that the client says.
func TestNobody(t *testing.T) {
	for _, headers := range []fields{nil, {{Name: "X-User", Value: ""}}} {
		s := &service{answer: reply{Status: 200, Headers: headers}}
		x := sallyporttest.NewExchange("GET", "/")
		x.Request = fields{{Name: "X-User", Value: "root"}, {Name: "X-Consumer", Value: "root"}}
		if run(t, s.world(), `{"upstream":"auth","consumer":"X-User","take":["X-User"]}`, x) != sallyport.Continue || x.Attrs["consumer"] != "" || x.Request.Get("X-User")+x.Request.Get("X-Consumer") != "" {
			t.Errorf("%v: %v, %v", headers, x.Attrs, x.Request)
		}
	}
}

func TestCache(t *testing.T) {
	const config = `{"upstream":"auth","consumer":"X-User","take":["X-Email"],"cache_seconds":60,"cache_denied_seconds":5}`
	jo := reply{Status: 200, Headers: fields{{Name: "X-User", Value: "jo"}, {Name: "X-Email", Value: "a:b"}}}
	with := func(r reply, name, value string) reply {
		r.Headers = append(append(fields(nil), r.Headers...), fields{{Name: name, Value: value}}...)
		return r
	}
	tests := []struct {
		name, config string
		answer       reply
		second       func(x *sallyporttest.Exchange, w *sallyporttest.World) // what differs
		asked        int
	}{
		{"the same", config, jo, nil, 1},
		{"a minute later", config, jo, func(_ *sallyporttest.Exchange, w *sallyporttest.World) { w.Pass(61 * time.Second) }, 2},
		{"another credential", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Request.Set("Authorization", "b") }, 2},
		{"the credential as a cookie", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) {
			x.Request = fields{{Name: "Cookie", Value: "a"}}
		}, 2},
		{"two credentials", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Request.Add("Authorization", "a") }, 2},
		{"another path", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Path = "/other" }, 2},
		{"path and query the other way", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Path, x.Query = "/", "orders" }, 2},
		{"another query", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Query = "q" }, 2},
		{"another method", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Method = "DELETE" }, 2},
		{"another host", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Host = "b.test" }, 2},
		{"another client", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.ClientAddress = "192.0.2.2" }, 2},
		{"a header that is not sent", config, jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Request.Add("X-Any", "1") }, 1},
		{"another path, by credential only", strings.Replace(config, `"cache_s`, `"cache_by":["authorization"],"cache_s`, 1), jo, func(x *sallyporttest.Exchange, _ *sallyporttest.World) { x.Path = "/other" }, 1},
		{"off", `{"upstream":"auth","consumer":"X-User"}`, jo, nil, 2},
		{"no-store", config, with(jo, "Cache-Control", "private, NO-STORE"), nil, 2},
		{"no age", config, with(jo, "Cache-Control", "max-age=0"), nil, 2},
		{"no age, in quotes", config, with(jo, "Cache-Control", "private, max-age = \"0\""), nil, 2},
		{"no age for caches like this one", config, with(jo, "Cache-Control", "max-age=60, s-maxage=0"), nil, 2},
		{"an age that is none", config, with(jo, "Cache-Control", "max-age=-5"), nil, 2},
		{"a short age", config, with(jo, "Cache-Control", "max-age=10"), func(_ *sallyporttest.Exchange, w *sallyporttest.World) { w.Pass(11 * time.Second) }, 2},
		{"a long age", config, with(jo, "Cache-Control", "max-age=99999999999999999999"), func(_ *sallyporttest.Exchange, w *sallyporttest.World) { w.Pass(61 * time.Second) }, 2},
		{"a cookie is set", config, with(jo, "Set-Cookie", "a=1"), nil, 2},
		{"denied", config, reply{Status: 403, Body: "no\n\nno"}, nil, 1},
		{"denied, later", config, reply{Status: 403}, func(_ *sallyporttest.Exchange, w *sallyporttest.World) { w.Pass(6 * time.Second) }, 2},
		{"too many", config, reply{Status: 429}, nil, 2},
		{"broken", config, reply{Status: 500}, nil, 2},
		{"large", config, reply{Status: 403, Body: strings.Repeat("x", 20_000)}, nil, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &service{answer: tt.answer}
			w := s.world()
			var seen []string
			for i := range 2 {
				x := sallyporttest.NewExchange("GET", "/orders")
				x.Request = fields{{Name: "Authorization", Value: "a"}, {Name: "X-Email", Value: "root"}}
				if i == 1 && tt.second != nil {
					tt.second(x, w)
				}
				verdict := run(t, w, tt.config, x)
				text := x.Attrs["consumer"] + " " + x.Request.Get("X-Email")
				if verdict == sallyport.Respond {
					text = x.Body
				}
				seen = append(seen, text)
			}
			if seen[0] != seen[1] || len(s.asked) != tt.asked {
				t.Errorf("asked %d times, want %d; seen %q", len(s.asked), tt.asked, seen)
			}
		})
	}
}

// Another configuration has other decisions, and what a store holds that is no decision is none.
func TestCacheIsNotShared(t *testing.T) {
	s := &service{answer: reply{Status: 200}}
	w := s.world()
	for _, config := range []string{`{"upstream":"auth","cache_seconds":60}`, `{"upstream":"auth","cache_seconds":60,"path":"/admin"}`} {
		run(t, w, config, sallyporttest.NewExchange("GET", "/"))
	}
	if len(s.asked) != 2 {
		t.Errorf("asked %d times", len(s.asked))
	}
	for _, text := range []string{"", "200", "20\n\n", "2x0\n\n", "200\nx\n\n", "200\nA:b\n", "999\n\n", "500\n\n"} {
		if d, ok := decode(text); ok {
			t.Errorf("%q is taken for %v", text, d)
		}
	}
	down := s.world()
	down.Stores[""].Fault = -7
	for range 2 {
		if run(t, down, `{"upstream":"auth","cache_seconds":60}`, sallyporttest.NewExchange("GET", "/")) != sallyport.Continue {
			t.Error("a store that is down refuses")
		}
	}
}

func TestRefusedConfig(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                                             `/upstream must name the service: the grant "fetch:NAME" without "fetch:"`,
		`{"upstream":""}`:                                "/upstream must not be empty",
		`{"upstream":"other"}`:                           `/upstream needs the grant "fetch:other", which the plugin has not got`,
		`{"upstream":"auth","url":"x"}`:                  "/url is not a known key",
		`{"upstream":"auth","path":"check"}`:             "/path must begin with a slash, and be percent-encoded",
		`{"upstream":"auth","path":"/a b"}`:              "/path must begin with a slash, and be percent-encoded",
		`{"upstream":"auth","method":"CONNECT"}`:         "/method must be a method",
		`{"upstream":"auth","authority":"http://a"}`:     "/authority must be a host, perhaps with a port",
		`{"upstream":"auth","timeout_ms":0}`:             "/timeout_ms must be an integer from 1 to 60000",
		`{"upstream":"auth","send":["a b"]}`:             "/send/0 must be the name of a header",
		`{"upstream":"auth","send":["X-Forwarded-Uri"]}`: "/send/0 is set by the plugin itself",
		`{"upstream":"auth","send":["host"]}`:            "/send/0 cannot be copied: it belongs to the connection",
		`{"upstream":"auth","take":["X_Consumer"]}`:      "/take/0 is set by the options consumer and groups",
		`{"upstream":"auth","add":{"X-A":"a\nb"}}`:       "/add/X-A must have no control characters, and no spaces at its ends",
		`{"upstream":"auth","add":{"Host":"a"}}`:         "/add/Host must have the name of a header that is not the gateway's",
		`{"upstream":"auth","groups":"X-G"}`:             "/groups must go with consumer: nobody has groups",
		`{"upstream":"auth","cache_by":[]}`:              "/cache_by must not be empty: one decision would be everybody's",
		`{"upstream":"auth","cache_by":["uri"]}`:         "/cache_by must hold client, method, scheme, host, path, query and headers of send, not uri",
		`{"upstream":"auth","cache_seconds":-1}`:         "/cache_seconds must be an integer from 0 to 86400",
		`{"upstream":"auth","body":"no"}`:                "/body must be true or false",
	} {
		if got := sallyporttest.RefusalIn(t, new(service).world(), configure, config); got != want {
			t.Errorf("%s: got %q, want %q", config, got, want)
		}
	}
}

// Decisions are kept in the plugin's own store, which needs a grant of its own; what needs none is not asked for.
func TestKeepingNeedsAStore(t *testing.T) {
	w := new(service).world()
	w.Stores = nil
	sallyporttest.ConfigureIn(t, w, configure, `{"upstream":"auth"}`)
	for _, key := range []string{"cache_seconds", "cache_denied_seconds"} {
		want := "/" + key + ` needs the grant "kv", which the plugin has not got`
		if got := sallyporttest.RefusalIn(t, w, configure, `{"upstream":"auth","`+key+`":5}`); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
