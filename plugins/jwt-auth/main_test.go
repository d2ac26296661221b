package main

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

type fields = sallyporttest.Fields

// issued are the claims of tokens that are genuine.
var issued = map[string]string{
	"jo": `{"iss":"https://id.test","aud":["api","web"],"sub":"jo","scope":"read write","email":"jo@x.test","roles":["staff","ops"],
		"realm_access":{"roles":["editor"]},"vip":true,"level":7,"name":"Jo, \u00e4"}`,
	"one":       `{"iss":"https://id.test","aud":"api","sub":"one","scp":["read"],"vip":false,"roles":"staff"}`,
	"nosub":     `{"iss":"https://id.test","aud":"api","scope":"read"}`,
	"empty":     `{"sub":""}`,
	"number":    `{"sub":7}`,
	"object":    `{"sub":{"a":"b"}}`,
	"list":      `{"sub":["root"]}`,
	"null":      `{"sub":null}`,
	"twice":     `{"sub":"jo","s\u0075b":"root"}`,
	"newline":   `{"sub":"jo\r\nX-Admin: 1"}`,
	"space":     `{"sub":" jo"}`,
	"nul":       `{"sub":"jo\u0000"}`,
	"long":      `{"sub":"` + strings.Repeat("a", 5000) + `"}`,
	"comma":     `{"sub":"jo","roles":["a,admin"]}`,
	"onecomma":  `{"sub":"jo","roles":"a,admin"}`,
	"deep":      `{"sub":"jo","a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`,
	"case":      `{"SUB":"jo"}`,
	"scopes":    `{"sub":"jo","scope":"readonly xread read\tread"}`,
	"scopelist": `{"sub":"jo","scope":["admin","read"]}`,
	"unicode":   `{"sub":"j\u00f6"}`,
}

func world() *sallyporttest.World {
	return &sallyporttest.World{Keys: map[string]*sallyporttest.KeySet{
		"main": {Valid: issued, Expired: []string{"old"}}, "down": {Down: true},
	}}
}

// answer runs one request and returns what a client is told, or "pass".
func answer(t *testing.T, config string, x *sallyporttest.Exchange) string {
	t.Helper()
	x.World = world()
	verdict, err := sallyporttest.ConfigureIn(t, x.World, configure, config).Request(x)
	switch {
	case err != nil:
		return "error: " + err.Error()
	case verdict == sallyport.Continue:
		return "pass"
	}
	return x.Response.Get("WWW-Authenticate")
}

func bearing(token string) *sallyporttest.Exchange {
	x := sallyporttest.NewExchange("GET", "/")
	x.Request = fields{{Name: "Authorization", Value: "Bearer " + token}, {Name: "X-Consumer", Value: "root"}, {Name: "x_consumer_groups", Value: "admin"}, {Name: "X_Email", Value: "root@x.test"}}
	return x
}

const (
	invalid      = `Bearer error="invalid_token", error_description="`
	insufficient = `Bearer error="insufficient_scope", error_description="`
)

func TestJudgement(t *testing.T) {
	tests := []struct {
		name, config, token, want string
	}{
		{"genuine", `{"keys":"main"}`, "jo", "pass"},
		{"forged", `{"keys":"main"}`, "eve", invalid + `The token is malformed, from or for somebody else, or not signed by a key that is known"`},
		{"empty", `{"keys":"main"}`, "", invalid + `The token is malformed, from or for somebody else, or not signed by a key that is known"`},
		{"huge", `{"keys":"main"}`, strings.Repeat("a", 9000), invalid + `The token is malformed, from or for somebody else, or not signed by a key that is known"`},
		{"expired", `{"keys":"main","realm":"shop"}`, "old", `Bearer realm="shop", error="invalid_token", error_description="The token has expired or is not valid yet"`},
		{"no keys", `{"keys":"down"}`, "jo", "error: unavailable"},
		{"no subject", `{"keys":"main"}`, "nosub", invalid + `The claims of the token cannot be used"`},
		{"no subject wanted", `{"keys":"main","consumer":false}`, "nosub", "pass"},
		{"a number as subject", `{"keys":"main"}`, "number", "pass"},
		{"another claim as subject", `{"keys":"main","consumer":"email"}`, "jo", "pass"},
		{"issuer", `{"keys":"main","issuers":["https://other.test","https://id.test"]}`, "jo", "pass"},
		{"other issuer", `{"keys":"main","issuers":["https://id.test/"]}`, "jo", invalid + `The token is from another issuer"`},
		{"no issuer", `{"keys":"main","issuers":["https://id.test"]}`, "space", invalid + `The token is from another issuer"`},
		{"audience in a list", `{"keys":"main","audiences":["web"]}`, "jo", "pass"},
		{"single audience", `{"keys":"main","audiences":["web","api"]}`, "one", "pass"},
		{"other audience", `{"keys":"main","audiences":["web"]}`, "one", invalid + `The token is for another audience"`},
		{"required", `{"keys":"main","required":["email","/realm_access/roles"]}`, "jo", "pass"},
		{"required and missing", `{"keys":"main","required":["email"]}`, "one", invalid + `A claim is missing in the token"`},
		{"claim", `{"keys":"main","claims":{"email":"jo@x.test","vip":true,"/realm_access/roles":["admin","editor"],"roles":"ops"}}`, "jo", "pass"},
		{"other value", `{"keys":"main","claims":{"email":"JO@x.test"}}`, "jo", insufficient + `The claims of the token do not allow this"`},
		{"false for true", `{"keys":"main","claims":{"vip":true}}`, "one", insufficient + `The claims of the token do not allow this"`},
		{"true is no text", `{"keys":"main","claims":{"vip":"true"}}`, "jo", insufficient + `The claims of the token do not allow this"`},
		{"missing claim", `{"keys":"main","claims":{"vip":false}}`, "nosub", insufficient + `The claims of the token do not allow this"`},
		{"all scopes", `{"keys":"main","scopes":["read","write"]}`, "jo", "pass"},
		{"not all scopes", `{"keys":"main","scopes":["read","write"]}`, "one", insufficient + `The scopes of the token do not allow this", scope="read write"`},
		{"any scope", `{"keys":"main","scopes":["write","read"],"scopes_match":"any"}`, "one", "pass"},
		{"none of the scopes", `{"keys":"main","scopes":["a","b"],"scopes_match":"any"}`, "jo", insufficient + `The scopes of the token do not allow this", scope="a b"`},
		{"scope in another claim", `{"keys":"main","scopes":["ops"],"scope_claim":"roles"}`, "jo", "pass"},
		{"scope not in that claim", `{"keys":"main","scopes":["read"],"scope_claim":"roles"}`, "jo", insufficient + `The scopes of the token do not allow this", scope="read"`},
		{"scopes that hold it", `{"keys":"main","scopes":["read"]}`, "scopes", insufficient + `The scopes of the token do not allow this", scope="read"`},
		{"scope as a list", `{"keys":"main","scopes":["read"]}`, "scopelist", "pass"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := answer(t, tt.config, bearing(tt.token)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Whatever cannot be told exactly, to the byte, is refused.
func TestClaimsThatCannotBeUsed(t *testing.T) {
	for _, token := range []string{"empty", "object", "list", "null", "twice", "newline", "space", "nul", "long", "deep", "case", "comma", "onecomma"} {
		if got, want := answer(t, `{"keys":"main","groups":"roles"}`, bearing(token)), invalid+`The claims of the token cannot be used"`; got != want {
			t.Errorf("%s: got %s", token, got)
		}
	}
}

func TestWhatIsTold(t *testing.T) {
	x := bearing("jo")
	config := `{"keys":"main","groups":"roles","headers":{"X-Email":"email","X-Name":"name","X-Level":"level","X-Missing":"missing"},
		"attributes":{"tier":"vip","roles":"/realm_access/roles","none":"missing"}}`
	x.Request.Add("X-Missing", "forged")
	x.Request.Add("X-Consumer-Foo", "forged")
	if got := answer(t, config, x); got != "pass" {
		t.Fatal(got)
	}
	want := fields{{Name: "X-Consumer", Value: "jo"}, {Name: "X-Consumer-Groups", Value: "staff,ops"}, {Name: "X-Email", Value: "jo@x.test"}, {Name: "X-Name", Value: "Jo, ä"}, {Name: "X-Level", Value: "7"}}
	if len(x.Request) != len(want) {
		t.Errorf("the upstream gets %q, want %q", x.Request, want)
	}
	for _, f := range want {
		if got := x.Request.Get(f.Name); got != f.Value {
			t.Errorf("%s: got %q, want %q", f.Name, got, f.Value)
		}
	}
	for name, want := range map[string]string{"consumer": "jo", "groups": "staff,ops", "tier": "true", "roles": "editor", "none": ""} {
		if got := x.Attrs[name]; got != want {
			t.Errorf("attribute %s: got %q, want %q", name, got, want)
		}
	}
}

func TestPlaces(t *testing.T) {
	const config = `{"keys":"main","query":"access_token","cookie":"session","scopes":["read"]}`
	const two = `Bearer error="invalid_request", error_description="There must be one token, in one place"`
	tests := []struct {
		name, target string
		sent         fields
		want         string
	}{
		{"header", "/", fields{{Name: "authorization", Value: "bEARER  jo"}}, "pass"},
		{"query", "/?access_token=jo", nil, "pass"},
		{"cookie", "/", fields{{Name: "Cookie", Value: "a=b; session=jo"}}, "pass"},
		{"none", "/", nil, `Bearer scope="read"`},
		{"another scheme", "/", fields{{Name: "Authorization", Value: "Basic am86"}}, `Bearer scope="read"`},
		{"like the scheme", "/", fields{{Name: "Authorization", Value: "Bearerjo"}}, `Bearer scope="read"`},
		{"header twice", "/", fields{{Name: "Authorization", Value: "Bearer jo"}, {Name: "AUTHORIZATION", Value: "Bearer jo"}}, two},
		{"header and query", "/?access_token=jo", fields{{Name: "Authorization", Value: "Bearer jo"}}, two},
		{"query twice", "/?access_token=jo&access_token=eve", nil, two},
		{"cookie twice", "/", fields{{Name: "Cookie", Value: "session=jo"}, {Name: "Cookie", Value: "session=eve"}}, two},
		{"two in one header", "/", fields{{Name: "Authorization", Value: "Bearer jo, Bearer eve"}}, invalid + `The token is malformed, from or for somebody else, or not signed by a key that is known"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := sallyporttest.NewExchange("GET", tt.target)
			x.Request = tt.sent
			if got := answer(t, config, x); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if tt.want == "pass" && (strings.Contains(x.Query+x.Request.Get("Cookie"), "jo") || x.Request.Get("Authorization") != "") {
				t.Errorf("the upstream sees the token: %q %q", x.Query, x.Request)
			}
			if tt.want == two && x.Status != 400 {
				t.Errorf("status %d", x.Status)
			}
		})
	}
}

func TestNotHidden(t *testing.T) {
	x := bearing("jo")
	if got := answer(t, `{"keys":"main","hide":false}`, x); got != "pass" || x.Request.Get("Authorization") != "Bearer jo" {
		t.Errorf("got %s, %q", got, x.Request)
	}
}

func TestOptional(t *testing.T) {
	const config = `{"keys":"main","optional":true,"headers":{"X-Email":"email"}}`
	x := bearing("jo")
	x.Request.Remove("Authorization")
	if got := answer(t, config, x); got != "pass" || len(x.Request) != 0 || len(x.Attrs) != 0 {
		t.Errorf("without a token: %s, %q, %v", got, x.Request, x.Attrs)
	}
	for _, token := range []string{"eve", "old", "twice", ""} {
		if got := answer(t, config, bearing(token)); !strings.HasPrefix(got, invalid) {
			t.Errorf("%q: %s", token, got)
		}
	}
}

func TestAnswer(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	if got, want := answer(t, `{"keys":"main"}`, x), "Bearer"; got != want || x.Status != 401 {
		t.Errorf("got %d %s, want 401 %s", x.Status, got, want)
	}
	if want := `{"type":"about:blank","title":"Unauthorized","status":401,"request_id":"request-1"}` + "\n"; x.Body != want {
		t.Errorf("got %s, want %s", x.Body, want)
	}
	x = bearing("one")
	if answer(t, `{"keys":"main","scopes":["write"]}`, x); x.Status != 403 || !strings.Contains(x.Body, "Forbidden") {
		t.Errorf("got %d %s", x.Status, x.Body)
	}
}

func TestRefusedConfig(t *testing.T) {
	const claim = "must be the name of a claim, or a JSON pointer to one within another"
	tests := []struct {
		config, want string
	}{
		{`{}`, `/keys must name the key set: the grant "jwt:NAME" without "jwt:"`},
		{`{"keys":""}`, "/keys must not be empty"},
		{`{"keys":"other"}`, `/keys needs the grant "jwt:other", which the plugin has not got`},
		{`{"keys":"main","issuer":"x"}`, "/issuer is not a known key"},
		{`{"keys":"main","issuers":[]}`, "/issuers must not be empty"},
		{`{"keys":"main","audiences":[""]}`, "/audiences/0 must not be empty"},
		{`{"keys":"main","audiences":"api"}`, "/audiences must be an array"},
		{`{"keys":"main","realm":"a\"b"}`, "/realm must be ASCII without quotes and backslashes"},
		{`{"keys":"main","scopes":["read write"]}`, "/scopes/0 must be one scope: several are several strings"},
		{`{"keys":"main","scopes":[""]}`, "/scopes/0 must not be empty"},
		{`{"keys":"main","scopes_match":"some"}`, `/scopes_match must be "all" or "any"`},
		{`{"keys":"main","scope_claim":"/"}`, "/scope_claim " + claim},
		{`{"keys":"main","required":[""]}`, "/required/0 " + claim},
		{`{"keys":"main","claims":{"a":1}}`, "/claims/a must be a string, true, false, or an array of strings that is not empty"},
		{`{"keys":"main","claims":{"a":[]}}`, "/claims/a must be a string, true, false, or an array of strings that is not empty"},
		{`{"keys":"main","claims":{"a":[1]}}`, "/claims/a/0 must be a string"},
		{`{"keys":"main","consumer":true}`, "/consumer must be the name of a claim, or false"},
		{`{"keys":"main","headers":{"X Y":"a"}}`, "/headers/X Y must have a name of visible ASCII, as headers have"},
		{`{"keys":"main","headers":{"x_consumer":"a"}}`, "/headers/x_consumer is set by the options consumer and groups"},
		{`{"keys":"main","headers":{"host":"a"}}`, "/headers/host cannot be set: it belongs to the connection"},
		{`{"keys":"main","attributes":{"consumer":"a"}}`, "/attributes/consumer has an option of its own, consumer"},
		{`{"keys":"main","attributes":{"a":""}}`, "/attributes/a " + claim},
		{`{"keys":"main","header":false}`, "must have a header, a query or a cookie to look at"},
	}
	for _, tt := range tests {
		if got := sallyporttest.RefusalIn(t, world(), configure, tt.config); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.config, got, tt.want)
		}
	}
}
