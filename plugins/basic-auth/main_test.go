package main

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

type fields = sallyporttest.Fields

const longName = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

func world() *sallyporttest.World {
	long := strings.Repeat(longName, longest/len(longName))
	return &sallyporttest.World{Passwords: map[string]*sallyporttest.PasswordSet{
		"main":  {Users: map[string]string{"jo": "secret", "ann": "a:b:c", "jürgen": "pässwörd", "jo ann": "x", long: long}},
		"known": {Users: map[string]string{"jo": "secret"}, Known: true},
		"busy":  {Busy: true},
	}}
}

func basic(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

// send runs one request.
func send(t *testing.T, config string, sent fields) (*sallyporttest.Exchange, sallyport.Verdict, error) {
	t.Helper()
	x := sallyporttest.NewExchange("GET", "/")
	x.World, x.Request = world(), sent
	verdict, err := sallyporttest.ConfigureIn(t, x.World, configure, config).Request(x)
	return x, verdict, err
}

func authorization(value string) fields { return fields{{Name: "Authorization", Value: value}} }

func TestCredentials(t *testing.T) {
	long := strings.Repeat(longName, longest/len(longName))
	encoded := base64.StdEncoding.EncodeToString([]byte("jo:secret"))
	tests := []struct {
		name string
		sent fields
		want string // the consumer, "" for a 401
	}{
		{"right", authorization(basic("jo:secret")), "jo"},
		{"colons in the password", authorization(basic("ann:a:b:c")), "ann"},
		{"UTF-8", authorization(basic("jürgen:pässwörd")), "jürgen"},
		{"a space in the name", authorization(basic("jo ann:x")), "jo ann"},
		{"the longest", authorization(basic(long + ":" + long)), long},
		{"scheme in lower case", authorization("basic " + encoded), "jo"},
		{"scheme in any case", authorization("bAsIc " + encoded), "jo"},
		{"several spaces", authorization("Basic    " + encoded), "jo"},
		{"field in another case", fields{{Name: "aUTHORIZATION", Value: basic("jo:secret")}}, "jo"},
		{"none", nil, ""},
		{"wrong", authorization(basic("jo:wrong")), ""},
		{"unknown", authorization(basic("eve:secret")), ""},
		{"name in another case", authorization(basic("Jo:secret")), ""},
		{"no colon", authorization(basic("jo")), ""},
		{"no user", authorization(basic(":secret")), ""},
		{"no password", authorization(basic("jo:")), ""},
		{"a colon alone", authorization(basic(":")), ""},
		{"nothing", authorization("Basic"), ""},
		{"nothing behind the space", authorization("Basic "), ""},
		{"a tab", authorization("Basic\t" + encoded), ""},
		{"a tab behind the space", authorization("Basic \t" + encoded), ""},
		{"no space", authorization("Basic" + encoded), ""},
		{"something behind", authorization("Basic " + encoded + " x"), ""},
		{"two in one", authorization("Basic " + encoded + ", Basic " + encoded), ""},
		{"as parameters", authorization(`Basic user="jo", password="secret"`), ""},
		{"two fields", append(authorization(basic("jo:secret")), authorization(basic("jo:secret"))...), ""},
		{"two fields, one of them another scheme", append(authorization("Bearer x"), authorization(basic("jo:secret"))...), ""},
		{"another scheme", authorization("Bearer " + encoded), ""},
		{"NUL behind", authorization(basic("jo:secret\x00")), ""},
		{"NUL before", authorization(basic("\x00jo:secret")), ""},
		{"line end", authorization(basic("jo:secret\n")), ""},
		{"delete", authorization(basic("jo\x7f:secret")), ""},
		{"a header in the name", authorization(basic("jo\r\nX-Admin: 1:secret")), ""},
		{"no UTF-8", authorization(basic("j\xfcrgen:pässwörd")), ""},
		{"space before the name", authorization(basic(" jo:secret")), ""},
		{"space behind the name", authorization(basic("jo :secret")), ""},
		{"without padding", authorization(strings.TrimRight(basic("jo ann:x"), "=") + "A"), ""},
		{"no padding", authorization("Basic am8gYW5uOng"), ""},
		{"URL alphabet", authorization("Basic " + base64.URLEncoding.EncodeToString([]byte("jo:???>>>"))), ""},
		{"bits left over", authorization("Basic am86c2VjcmV0MR=="), ""},
		{"padding inside", authorization("Basic am86=2VjcmV0"), ""},
		{"only padding", authorization("Basic ===="), ""},
		{"too long a name", authorization(basic(long + "n:" + long)), ""},
		{"huge", authorization("Basic " + strings.Repeat("a", 12_000)), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, verdict, err := send(t, `{"passwords":"main"}`, tt.sent)
			if err != nil || (verdict == sallyport.Continue) != (tt.want != "") || x.Attrs["consumer"] != tt.want {
				t.Fatalf("got %v, %v, %q", verdict, err, x.Attrs["consumer"])
			}
			if tt.want == "" && (x.Status != 401 || x.Response.Get("WWW-Authenticate") != `Basic realm="restricted", charset="UTF-8"`) {
				t.Errorf("got %d %q", x.Status, x.Response.Get("WWW-Authenticate"))
			}
			if tt.want != "" && (x.Request.Get("Authorization") != "" || x.Request.Get("X-Consumer") != tt.want) {
				t.Errorf("the upstream gets %q", x.Request)
			}
		})
	}
}

func TestWhatIsTold(t *testing.T) {
	forged := fields{{Name: "X-Consumer", Value: "root"}, {Name: "x_consumer_groups", Value: "admin"}, {Name: "X-Consumer-Id", Value: "0"}, {Name: "X-Other", Value: "1"}}
	const groups = `"groups":{"jo":["staff","ops"],"ann":["x"]}`
	x, verdict, err := send(t, `{"passwords":"known","hide":false,`+groups+`}`, append(authorization(basic("jo:secret")), forged...))
	if verdict != sallyport.Continue || err != nil || x.Attrs["groups"] != "staff,ops" || x.Request.Get("X-Consumer-Groups") != "staff,ops" || x.Request.Get("Authorization") == "" {
		t.Errorf("got %v, %v, %v, %q", verdict, err, x.Attrs, x.Request)
	}
	if len(x.Request) != 4 || x.Request.Get("X-Consumer") != "jo" || x.Request.Get("X-Other") != "1" {
		t.Errorf("the upstream gets %q", x.Request)
	}
}

func TestOptional(t *testing.T) {
	const config = `{"passwords":"main","optional":true}`
	tests := []struct {
		name string
		sent fields
		want int // 200: passes as nobody
	}{
		{"none", nil, 200},
		{"another scheme", authorization("Bearer x"), 200},
		{"wrong", authorization(basic("jo:wrong")), 401},
		{"malformed", authorization("Basic x"), 401},
		{"nothing", authorization("basic"), 401},
		{"two fields", append(authorization("Bearer x"), authorization("Bearer y")...), 401},
	}
	for _, tt := range tests {
		x, verdict, err := send(t, config, append(tt.sent, fields{{Name: "X-Consumer", Value: "root"}}...))
		nobody := len(x.Attrs) == 0
		if tt.want == 401 {
			nobody = len(x.Attrs) == 1 && x.Attrs[refuse.Attr] != ""
		}
		if err != nil || x.Status != tt.want || (verdict == sallyport.Continue) != (tt.want == 200) || !nobody {
			t.Errorf("%s: got %v, %v, %d, %v", tt.name, verdict, err, x.Status, x.Attrs)
		}
		if tt.want == 200 && x.Request.Get("X-Consumer") != "" {
			t.Errorf("%s: the upstream gets %q", tt.name, x.Request)
		}
	}
}

func TestNobodyKnows(t *testing.T) {
	x, verdict, err := send(t, `{"passwords":"busy","optional":true}`, authorization(basic("jo:secret")))
	if verdict != sallyport.Respond || err != nil || x.Status != 503 || x.Response.Get("Retry-After") != "1" {
		t.Errorf("busy: got %v, %v, %d", verdict, err, x.Status)
	}
}

func TestRefusedConfig(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                                          `/passwords must name the set: the grant "passwords:NAME" without "passwords:"`,
		`{"passwords":""}`:                            "/passwords must not be empty",
		`{"passwords":"other"}`:                       `/passwords needs the grant "passwords:other", which the plugin has not got`,
		`{"passwords":7}`:                             "/passwords must be a string",
		`{"passwords":"main","users":{}}`:             "/users is not a known key",
		`{"passwords":"main","realm":"a\"b"}`:         "/realm must be ASCII without quotes and backslashes",
		`{"passwords":"main","realm":"ä"}`:            "/realm must be ASCII without quotes and backslashes",
		`{"passwords":"main","optional":"no"}`:        "/optional must be true or false",
		`{"passwords":"main","hide":1}`:               "/hide must be true or false",
		`{"passwords":"main","groups":["x"]}`:         "/groups must be a table",
		`{"passwords":"main","groups":{"":["x"]}}`:    "/groups/ must have the name of a user",
		`{"passwords":"main","groups":{"j":["a,b"]}}`: "/groups/j/0 must be visible ASCII without commas",
	} {
		if got := sallyporttest.RefusalIn(t, world(), configure, config); got != want {
			t.Errorf("%s: got %q, want %q", config, got, want)
		}
	}
}

// Decoding is that of the standard library, but for line ends.
func FuzzBase64(f *testing.F) {
	f.Add("am86c2VjcmV0")
	f.Add("am86c2VjcmV0MQ==")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := appendBase64(nil, []byte(text))
		want, err := base64.StdEncoding.Strict().DecodeString(text)
		if ok != (err == nil && text != "" && !strings.ContainsAny(text, "\r\n")) || ok && string(got) != string(want) {
			t.Errorf("%q: got %q, %v, want %q, %v", text, got, ok, want, err)
		}
	})
}
