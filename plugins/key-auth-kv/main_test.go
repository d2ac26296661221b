package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

type fields = sallyporttest.Fields

func nameOf(key string) string {
	d := sha256.Sum256([]byte(key))
	return "key:" + hex.EncodeToString(d[:])
}

func shown(key string) fields { return fields{{Name: "X-Api-Key", Value: key}} }

func send(t *testing.T, p *sallyporttest.Plugin, w *sallyporttest.World, sent fields) (*sallyporttest.Exchange, error) {
	t.Helper()
	x := sallyporttest.NewExchangeIn(w, "GET", "/")
	x.Request = sent
	_, err := p.Request(x)
	return x, err
}

func TestKeys(t *testing.T) {
	w := &sallyporttest.World{}
	for key, text := range map[string]string{
		"k1": `{"consumer":"ann"}`, "k2": `{"consumer":"ben","groups":["staff","ops"]}`, "none": `{}`, "empty": ``, "text": `ann`,
		"list": `["ann"]`, "later": `{"consumer":"ann","not_before":1}`, "comma": `{"consumer":"ann","groups":["a,admin"]}`,
		"header": `{"consumer":"ann\r\nX-Admin: 1"}`, "twice": `{"consumer":"ann"}{"consumer":"ben"}`, "null": `{"consumer":null}`, "": `{"consumer":"nobody"}`,
		strings.Repeat("a", 1025): `{"consumer":"long"}`,
	} {
		w.SetValue("", nameOf(key), text)
	}
	p := sallyporttest.ConfigureIn(t, w, configure, `{}`)
	for _, tt := range []struct {
		name     string
		sent     fields
		consumer string // "" for a 401
		groups   string
	}{
		{"known", shown("k1"), "ann", ""},
		{"with groups", shown("k2"), "ben", "staff,ops"},
		{"with forged headers", append(shown("k1"), fields{{Name: "x_consumer", Value: "root"}, {Name: "X-Consumer-Groups", Value: "admin"}}...), "ann", ""},
		{"unknown", shown("k3"), "", ""},
		{"none", nil, "", ""},
		{"empty", shown(""), "", ""},
		{"its name in the store", shown(nameOf("k1")), "", ""},
		{"two", append(shown("k1"), shown("k1")...), "", ""},
		{"too long", shown(strings.Repeat("a", 1025)), "", ""},
		{"an entry without consumer", shown("none"), "", ""},
		{"an entry without content", shown("empty"), "", ""},
		{"an entry that is no JSON", shown("text"), "", ""},
		{"an entry that is no table", shown("list"), "", ""},
		{"an entry with more than is known", shown("later"), "", ""},
		{"an entry with a comma", shown("comma"), "", ""},
		{"an entry with a line end", shown("header"), "", ""},
		{"two entries in one", shown("twice"), "", ""},
		{"null", shown("null"), "", ""},
	} {
		x, err := send(t, p, w, tt.sent)
		if err != nil || x.Attrs["consumer"] != tt.consumer || x.Attrs["groups"] != tt.groups {
			t.Errorf("%s: got %v, %v", tt.name, err, x.Attrs)
		}
		if tt.consumer == "" && (x.Status != 401 || x.Response.Get("WWW-Authenticate") != `ApiKey header="X-Api-Key"`) {
			t.Errorf("%s: got %d %q", tt.name, x.Status, x.Response)
		}
		if tt.consumer != "" && (x.Request.Get("X-Api-Key") != "" || x.Request.Get("X-Consumer") != tt.consumer || x.Request.Get("X-Consumer-Groups") != tt.groups) {
			t.Errorf("%s: the upstream gets %q", tt.name, x.Request)
		}
	}
}

// Whatever is read of the request after the store was asked, the consumer stays who it is.
func TestOtherPlaces(t *testing.T) {
	w := &sallyporttest.World{}
	w.SetValue("", nameOf("k1"), `{"consumer":"ann","groups":["staff"]}`)
	p := sallyporttest.ConfigureIn(t, w, configure, `{"query":"api_key","cookie":"key","cache_seconds":3000}`)
	for _, target := range []string{"/?somebody=else&api_key=k1&x=yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", "/?somebody=else&x=yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"} {
		x := sallyporttest.NewExchangeIn(w, "GET", target)
		x.Request = fields{{Name: "Cookie", Value: "theme=somebody-else; and=much-more-than-that"}}
		if !strings.Contains(target, "k1") {
			x.Request[0].Value += "; key=k1"
		}
		if _, err := p.Request(x); err != nil || x.Attrs["consumer"] != "ann" || x.Request.Get("X-Consumer-Groups") != "staff" {
			t.Errorf("%s: got %v, %v, %q", target, err, x.Attrs, x.Request)
		}
		if strings.Contains(x.Query+x.Request.Get("Cookie"), "k1") {
			t.Errorf("the upstream sees the key: %q, %q", x.Query, x.Request)
		}
	}
}

// A key is known as soon as it is issued, or when the answer that there is none is old enough; and forgotten likewise.
func TestIssueAndRevoke(t *testing.T) {
	tests := []struct {
		config          string
		issued, revoked time.Duration // how long it takes at most
	}{
		{`{"cache_unknown_seconds":0}`, 0, 0},
		{`{"cache_unknown_seconds":1000}`, 1000 * time.Second, 0},
		{`{"cache_seconds":3000,"cache_unknown_seconds":1000}`, 1000 * time.Second, 3000 * time.Second},
	}
	for _, tt := range tests {
		w := &sallyporttest.World{Stores: map[string]*sallyporttest.Store{"": {}}}
		p := sallyporttest.ConfigureIn(t, w, configure, tt.config)
		passes := func() bool {
			x, err := send(t, p, w, shown("k"))
			if err != nil {
				t.Fatal(err)
			}
			return x.Attrs["consumer"] == "ann"
		}
		check := func(what string, after time.Duration, want bool) {
			if after > 0 {
				w.Pass(after / 2) // the clock goes on by itself, too
				if passes() == want {
					t.Errorf("%s: %s too early", tt.config, what)
				}
				w.Pass(after / 2)
			}
			if passes() != want {
				t.Errorf("%s: not %s", tt.config, what)
			}
		}
		check("refused", 0, false)
		w.SetValue("", nameOf("k"), `{"consumer":"ann"}`)
		check("issued", tt.issued, true)
		w.SetValue("", nameOf("k"), `{}`)
		check("revoked", tt.revoked, false)
	}
}

func TestStoreThatFails(t *testing.T) {
	for _, fault := range []int32{-6, -7} {
		w := &sallyporttest.World{Stores: map[string]*sallyporttest.Store{"": {Fault: fault}}}
		p := sallyporttest.ConfigureIn(t, w, configure, `{}`)
		if x, err := send(t, p, w, shown("k")); err != nil || x.Status != 503 {
			t.Errorf("%d: got %v, %d", fault, err, x.Status)
		}
		w.Stores[""].Fault = 0 // what nobody knew is not kept
		w.SetValue("", nameOf("k"), `{"consumer":"ann"}`)
		if x, err := send(t, p, w, shown("k")); err != nil || x.Attrs["consumer"] != "ann" {
			t.Errorf("afterwards: got %v, %v", err, x.Attrs)
		}
	}
}

func TestRefusedConfig(t *testing.T) {
	for config, want := range map[string]string{
		`{"keys":[]}`:                  "/keys is not a known key",
		`{"store":1}`:                  "/store must be a string",
		`{"store":"keys"}`:             `/store needs the grant "kv:keys", which the plugin has not got`,
		`{}`:                           `needs the grant "kv", which the plugin has not got`,
		`{"cache_seconds":3601}`:       "/cache_seconds must be an integer from 0 to 3600",
		`{"cache_unknown_seconds":-1}`: "/cache_unknown_seconds must be an integer from 0 to 3600",
		`{"header":false}`:             "must have a header, a query or a cookie to look at",
		`{"prefix":"` + strings.Repeat("a", 257) + `"}`: "/prefix must not be longer than 256 bytes",
	} {
		if got := sallyporttest.Refusal(t, configure, config); got != want {
			t.Errorf("%s: got %q, want %q", config, got, want)
		}
	}
}
