package main

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

type fields = sallyporttest.Fields

const app = `{"origins":["https://app.test","https://*.example.org","http://*.example.org:8080","http://[::1]:3000"],
	"methods":["GET","PUT","DELETE"],"headers":["Content-Type","X-Trace"],"expose":["X-Total","ETag"],"credentials":true,"max_age":60}`

// ask sends a preflight and returns status and fields of its answer.
func ask(t *testing.T, config string, sent fields) *sallyporttest.Exchange {
	t.Helper()
	x := sallyporttest.NewExchange("OPTIONS", "/orders")
	x.Request = sent
	verdict, err := sallyporttest.Configure(t, configure, config).Request(x)
	if verdict != sallyport.Respond || err != nil {
		t.Fatalf("got %v, %v", verdict, err)
	}
	return x
}

func preflight(origin, method, headers string) fields {
	f := fields{{Name: "Origin", Value: origin}, {Name: "Access-Control-Request-Method", Value: method}}
	if headers != "" {
		f.Add("Access-Control-Request-Headers", headers)
	}
	return f
}

func TestPreflight(t *testing.T) {
	const anyone = `{"origins":["*"],"methods":["*"],"headers":["*"]}`
	tests := []struct {
		name, config, origin, method, headers string
		want                                  string // origin, methods, headers that are allowed; "" for 403
	}{
		{"allowed", app, "https://app.test", "PUT", "content-type,x-trace", "https://app.test; GET, PUT, DELETE; Content-Type, X-Trace"},
		{"no headers", app, "https://app.test", "PUT", "", "https://app.test; GET, PUT, DELETE; "},
		{"spaces", app, "https://app.test", "PUT", " X-Trace ,\tcontent-type, ", "https://app.test; GET, PUT, DELETE; Content-Type, X-Trace"},
		{"a simple method", app, "https://app.test", "POST", "", "https://app.test; GET, PUT, DELETE; "},
		{"below a domain", app, "https://a.b.example.org", "GET", "", "https://a.b.example.org; GET, PUT, DELETE; "},
		{"with its port", app, "http://a.example.org:8080", "GET", "", "http://a.example.org:8080; GET, PUT, DELETE; "},
		{"an address", app, "http://[::1]:3000", "GET", "", "http://[::1]:3000; GET, PUT, DELETE; "},
		{"another method", app, "https://app.test", "PATCH", "", ""},
		{"a method in small letters", app, "https://app.test", "put", "", ""},
		{"another header", app, "https://app.test", "PUT", "x-trace,authorization", ""},
		{"another origin", app, "https://evil.test", "GET", "", ""},
		{"another scheme", app, "http://app.test", "GET", "", ""},
		{"another port", app, "https://app.test:444", "GET", "", ""},
		{"an origin with a slash", app, "https://app.test/", "GET", "", ""},
		{"in capitals", app, "https://APP.test", "GET", "", ""},
		{"with user", app, "https://app.test@evil.test", "GET", "", ""},
		{"begins so", app, "https://app.test.evil.test", "GET", "", ""},
		{"ends so", app, "https://evil-app.test", "GET", "", ""},
		{"the domain itself", app, "https://example.org", "GET", "", ""},
		{"ends like the domain", app, "https://evilexample.org", "GET", "", ""},
		{"nothing before the dot", app, "https://.example.org", "GET", "", ""},
		{"an empty label", app, "https://a..example.org", "GET", "", ""},
		{"a path before it", app, "https://evil.test/.example.org", "GET", "", ""},
		{"a user before it", app, "https://evil.test@a.example.org", "GET", "", ""},
		{"a fragment before it", app, "https://evil.test#.example.org", "GET", "", ""},
		{"unicode before it", app, "https://ä.example.org", "GET", "", ""},
		{"a port too much", app, "https://a.example.org:8080", "GET", "", ""},
		{"null", app, "null", "GET", "", ""},
		{"empty", app, "", "GET", "", ""},
		{"a list of two", app, "https://app.test https://app.test", "GET", "", ""},
		{"huge", app, "https://" + strings.Repeat("a", 9000) + ".test", "GET", "", ""},
		{"anyone", anyone, "https://x.test", "PURGE", "authorization,x-a", "*; PURGE; authorization,x-a"},
		{"anyone, null", anyone, "null", "GET", "", "*; GET; "},
		{"a method that is none", anyone, "https://x.test", "A B", "", ""},
		{"an empty method", anyone, "https://x.test", "", "", ""},
		{"a header that is none", anyone, "https://x.test", "GET", "a b", ""},
		{"many headers", anyone, "https://x.test", "GET", strings.Repeat("a,", 5000), ""},
		{"null that is listed", `{"origins":["null"]}`, "null", "GET", "", "null; GET, HEAD, POST; "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := ask(t, tt.config, preflight(tt.origin, tt.method, tt.headers))
			got := ""
			if x.Status == 204 {
				got = x.Response.Get("Access-Control-Allow-Origin") + "; " + x.Response.Get("Access-Control-Allow-Methods") + "; " + x.Response.Get("Access-Control-Allow-Headers")
			} else if x.Status != 403 || x.Response.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("refused with %d, %v", x.Status, x.Response)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if vary := x.Response.Get("Vary"); vary != "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" {
				t.Errorf("Vary: %q", vary)
			}
		})
	}
}

func TestPreflightDetails(t *testing.T) {
	x := ask(t, app, preflight("https://app.test", "PUT", ""))
	if x.Response.Get("Access-Control-Allow-Credentials") != "true" || x.Response.Get("Access-Control-Max-Age") != "60" || x.Body != "" ||
		len(x.Response.Values("Access-Control-Expose-Headers")) != 0 {
		t.Errorf("got %v", x.Response)
	}
	two := append(preflight("https://app.test", "PUT", ""), preflight("https://app.test", "PUT", "")...)
	if x := ask(t, app, two); x.Status != 403 {
		t.Errorf("two origins: %d", x.Status)
	}
	split := append(preflight("https://app.test", "PUT", "x-trace"), fields{{Name: "Access-Control-Request-Headers", Value: "x-evil"}}...)
	if x := ask(t, app, split); x.Status != 403 {
		t.Errorf("headers in two fields: %d", x.Status)
	}
}

func TestPrivateNetwork(t *testing.T) {
	sent := append(preflight("https://app.test", "GET", ""), fields{{Name: "Access-Control-Request-Private-Network", Value: "true"}}...)
	for config, want := range map[string]string{`{"origins":["https://app.test"],"private_network":true}`: "true", `{"origins":["https://app.test"]}`: ""} {
		x := ask(t, config, sent)
		if got := x.Response.Get("Access-Control-Allow-Private-Network"); got != want || x.Status != 204 {
			t.Errorf("%s: got %d, %q", config, x.Status, got)
		}
		if strings.Contains(x.Response.Get("Vary"), "Private-Network") != (want != "") {
			t.Errorf("Vary: %s", x.Response.Get("Vary"))
		}
	}
}

// OPTIONS without both headers is not for us.
func TestNoPreflight(t *testing.T) {
	p := sallyporttest.Configure(t, configure, app)
	for _, x := range []*sallyporttest.Exchange{
		{Method: "OPTIONS", Request: fields{{Name: "Origin", Value: "https://app.test"}}},
		{Method: "OPTIONS", Request: fields{{Name: "Access-Control-Request-Method", Value: "GET"}}},
		{Method: "GET", Request: preflight("https://app.test", "GET", "")},
		{Method: "options", Request: preflight("https://app.test", "GET", "")},
	} {
		x.Number = 1
		if verdict, err := p.Request(x); verdict != sallyport.Continue || err != nil {
			t.Errorf("%s %v: got %v, %v", x.Method, x.Request, verdict, err)
		}
	}
}

// exchange runs a request and the answer of an upstream that has ideas of its own.
func exchange(t *testing.T, config, origin string, upstream fields) *sallyporttest.Exchange {
	t.Helper()
	p := sallyporttest.Configure(t, configure, config)
	x := sallyporttest.NewExchange("GET", "/")
	if origin != "" {
		x.Request.Add("Origin", origin)
	}
	x.Response = upstream
	if verdict, err := p.Request(x); verdict != sallyport.Continue || err != nil {
		t.Fatalf("got %v, %v", verdict, err)
	}
	if err := p.Response(x); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestResponse(t *testing.T) {
	own := fields{{Name: "access-control-allow-origin", Value: "*"}, {Name: "Access-Control-Allow-Origin", Value: "https://evil.test"}, {Name: "Access_Control_Allow_Origin", Value: "*"},
		{Name: "Access-Control-Allow-Credentials", Value: "true"}, {Name: "Vary", Value: "Accept-Encoding"}}
	tests := []struct {
		name, config, origin string
		upstream             fields
		want                 string // Allow-Origin, Credentials, Expose-Headers, all of Vary
	}{
		{"allowed", app, "https://app.test", nil, "https://app.test;true;X-Total, ETag;Origin"},
		{"no origin", app, "", nil, ";;;Origin"},
		{"another origin", app, "https://evil.test", nil, ";;;Origin"},
		{"null", app, "null", nil, ";;;Origin"},
		{"an upstream with its own", app, "https://app.test", own, "https://app.test;true;X-Total, ETag;Accept-Encoding,Origin"},
		{"an upstream that lets anyone", app, "https://evil.test", own, ";;;Accept-Encoding,Origin"},
		{"Vary has it", app, "https://app.test", fields{{Name: "Vary", Value: "accept, ORIGIN"}}, "https://app.test;true;X-Total, ETag;accept, ORIGIN"},
		{"Vary has all", app, "https://app.test", fields{{Name: "Vary", Value: "*"}}, "https://app.test;true;X-Total, ETag;*"},
		{"Vary has something like it", app, "", fields{{Name: "Vary", Value: "Origin-Agent"}}, ";;;Origin-Agent,Origin"},
		{"anyone", `{"origins":["*"],"expose":["*"]}`, "https://x.test", own, "*;;*;Accept-Encoding"},
		{"anyone, without origin", `{"origins":["*"]}`, "", own, ";;;Accept-Encoding"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := exchange(t, tt.config, tt.origin, append(fields(nil), tt.upstream...)).Response
			list := []string{}
			for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Vary"} {
				list = append(list, strings.Join(h.Values(name), ","))
			}
			if got := strings.Join(list, ";"); got != tt.want || h.Get("Access_Control_Allow_Origin") != "" {
				t.Errorf("got %q, want %q: %v", got, tt.want, h)
			}
		})
	}
}

// What one request was must not show in the next.
func TestForgets(t *testing.T) {
	p := sallyporttest.Configure(t, configure, app)
	for _, origin := range []string{"https://app.test", "", "https://evil.test"} {
		x := sallyporttest.NewExchange("GET", "/")
		if origin != "" {
			x.Request.Add("Origin", origin)
		}
		if _, err := p.Request(x); err != nil {
			t.Fatal(err)
		}
		if got := string(x.State); got != strings.TrimPrefix(origin, "https://evil.test") {
			t.Errorf("%q: state %q", origin, got)
		}
	}
}

func TestRefuse(t *testing.T) {
	p := sallyporttest.Configure(t, configure, strings.Replace(app, `"credentials"`, `"refuse":true,"credentials"`, 1))
	for origin, want := range map[string]sallyport.Verdict{"https://app.test": sallyport.Continue, "https://evil.test": sallyport.Respond, "null": sallyport.Respond, "": sallyport.Respond} {
		x := sallyporttest.NewExchange("POST", "/")
		x.Request.Add("Origin", origin)
		if verdict, err := p.Request(x); verdict != want || err != nil || want == sallyport.Respond && (x.Status != 403 || x.Response.Get("Vary") != "Origin") {
			t.Errorf("%q: got %v, %v, %d", origin, verdict, err, x.Status)
		}
	}
	if verdict, err := p.Request(sallyporttest.NewExchange("POST", "/")); verdict != sallyport.Continue || err != nil {
		t.Errorf("no origin: %v, %v", verdict, err)
	}
}

func TestRefusedConfig(t *testing.T) {
	const port = "must have no port that is the default, and none that is no number: browsers do not write it"
	for config, want := range map[string]string{
		`{}`:                                      "/origins must name at least one origin",
		`{"origins":[]}`:                          "/origins must name at least one origin",
		`{"origin":["*"]}`:                        "/origin is not a known key",
		`{"origins":["*","https://a.test"]}`:      `/origins must have no other origin beside "*"`,
		`{"origins":["*"],"credentials":true}`:    `/credentials cannot go with the origin "*": any page could act as whoever looks at it`,
		`{"origins":["null"],"credentials":true}`: `/credentials cannot go with the origin "null": any page can have that`,
		`{"origins":["https://a.test"],"credentials":true,"expose":["*"]}`: `/expose cannot be "*" with credentials: browsers take it for the name of a header then`,
		`{"origins":["a.test"]}`:                "/origins/0 " + errOrigin.Error(),
		`{"origins":["https://a.test/"]}`:       "/origins/0 " + errOrigin.Error(),
		`{"origins":["https://A.test"]}`:        "/origins/0 " + errOrigin.Error(),
		`{"origins":["https://"]}`:              "/origins/0 " + errOrigin.Error(),
		`{"origins":["HTTPS://a.test"]}`:        "/origins/0 " + errOrigin.Error(),
		`{"origins":["https://a.*.test"]}`:      "/origins/0 " + errOrigin.Error(),
		`{"origins":["https://a.test:443"]}`:    "/origins/0 " + port,
		`{"origins":["http://a.test:80"]}`:      "/origins/0 " + port,
		`{"origins":["http://a.test:"]}`:        "/origins/0 " + port,
		`{"origins":["http://a.test:070"]}`:     "/origins/0 " + port,
		`{"origins":["http://a.test:99999"]}`:   "/origins/0 " + port,
		`{"origins":["https://*.test"]}`:        "/origins/0 must have a domain of two labels at least behind the wildcard: *.example.com",
		`{"origins":["https://*."]}`:            "/origins/0 must have a domain of two labels at least behind the wildcard: *.example.com",
		`{"origins":[1]}`:                       "/origins/0 must be a string",
		`{"origins":["*"],"methods":["A B"]}`:   "/methods/0 must be a method, in capitals as a rule",
		`{"origins":["*"],"headers":["*","A"]}`: `/headers must have nothing beside "*"`,
		`{"origins":["*"],"expose":["A:"]}`:     "/expose/0 must be the name of a header",
		`{"origins":["*"],"max_age":86401}`:     "/max_age must be an integer from 0 to 86400",
	} {
		if got := sallyporttest.Refusal(t, configure, config); got != want {
			t.Errorf("%s: got %q, want %q", config, got, want)
		}
	}
}
