package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

func hexSum(key string) string {
	digest := sha256.Sum256([]byte(key))
	return hex.EncodeToString(digest[:])
}

// A digest of nothing must not let in those who show nothing.
func TestNoKeyIsNeverKnown(t *testing.T) {
	k := newKeys(1)
	k.addDigest(sha256.Sum256(nil), owner{consumer: "nobody"})
	if who, ok := k.find(""); ok {
		t.Errorf("got %q", who)
	}
}

// Keys that share a bucket are still told apart.
func TestSameHash(t *testing.T) {
	k := newKeys(1)
	h := k.hash("b")
	k.plain[h] = []plainKey{{"a", owner{consumer: "ann"}}, {"b", owner{consumer: "ben"}}}
	if who, ok := k.find("b"); !ok || who.consumer != "ben" {
		t.Errorf("got %q, %v", who, ok)
	}
}

var twoKeys = `{"keys": [{"key": "k1", "consumer": "ann"}, {"key_sha256": "` + hexSum("k2") + `", "consumer": "ben"}]}`

func TestPass(t *testing.T) {
	tests := []struct {
		name, config string
		sent         sallyporttest.Fields
		consumer     string // "" for a 401
	}{
		{"plain key", twoKeys, sallyporttest.Fields{{Name: "x-api-key", Value: "k1"}}, "ann"},
		{"hashed key", twoKeys, sallyporttest.Fields{{Name: "X-Api-Key", Value: "k2"}}, "ben"},
		{"upper-case hash", strings.Replace(twoKeys, hexSum("k2"), strings.ToUpper(hexSum("k2")), 1),
			sallyporttest.Fields{{Name: "X-Api-Key", Value: "k2"}}, "ben"},
		{"other header", `{"header": "Token", "keys": [{"key": "k1", "consumer": "ann"}]}`,
			sallyporttest.Fields{{Name: "Token", Value: "k1"}}, "ann"},
		{"none", twoKeys, nil, ""},
		{"empty", twoKeys, sallyporttest.Fields{{Name: "X-Api-Key", Value: ""}}, ""},
		{"unknown", twoKeys, sallyporttest.Fields{{Name: "X-Api-Key", Value: "k3"}}, ""},
		{"the hash itself", twoKeys, sallyporttest.Fields{{Name: "X-Api-Key", Value: hexSum("k2")}}, ""},
		{"two keys", twoKeys, sallyporttest.Fields{{Name: "X-Api-Key", Value: "k1"}, {Name: "x-api-key", Value: "k1"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sallyporttest.Configure(t, configure, tt.config)
			x := sallyporttest.NewExchange("GET", "/")
			x.Request = tt.sent
			verdict, err := p.Request(x)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := verdict == sallyport.Continue, tt.consumer != ""; got != want {
				t.Fatalf("passes: %v, want %v", got, want)
			}
			if got := x.Attrs["consumer"]; got != tt.consumer {
				t.Errorf("consumer = %q, want %q", got, tt.consumer)
			}
			if got := x.Request.Get("X-Consumer"); got != tt.consumer {
				t.Errorf("X-Consumer = %q, want %q", got, tt.consumer)
			}
		})
	}
}

func TestRefusedRequest(t *testing.T) {
	p := sallyporttest.Configure(t, configure, twoKeys)
	x := sallyporttest.NewExchange("GET", "/")
	x.Request.Set("X-Api-Key", "guess")
	if verdict, err := p.Request(x); verdict != sallyport.Respond || err != nil {
		t.Fatalf("got %v, %v", verdict, err)
	}
	if got, want := x.Status, 401; got != want {
		t.Errorf("status = %d, want %d", got, want)
	}
	if got, want := x.Response.Get("WWW-Authenticate"), `ApiKey header="X-Api-Key"`; got != want {
		t.Errorf("WWW-Authenticate = %q, want %q", got, want)
	}
	if got, want := x.Body, `{"type":"about:blank","title":"Unauthorized","status":401,"request_id":"request-1"}`+"\n"; got != want {
		t.Errorf("body = %s, want %s", got, want)
	}
}

func TestHide(t *testing.T) {
	tests := []struct {
		name, config, want string
	}{
		{"by default", `{"keys": [{"key": "k1", "consumer": "ann"}]}`, ""},
		{"off", `{"hide": false, "keys": [{"key": "k1", "consumer": "ann"}]}`, "k1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sallyporttest.Configure(t, configure, tt.config)
			x := sallyporttest.NewExchange("GET", "/")
			x.Request.Set("X-Api-Key", "k1")
			if _, err := p.Request(x); err != nil {
				t.Fatal(err)
			}
			if got := x.Request.Get("X-Api-Key"); got != tt.want {
				t.Errorf("the upstream gets %q, want %q", got, tt.want)
			}
		})
	}
}

func TestForgedHeaders(t *testing.T) {
	p := sallyporttest.Configure(t, configure, twoKeys)
	x := sallyporttest.NewExchange("GET", "/")
	x.Request = sallyporttest.Fields{
		{Name: "X-Api-Key", Value: "k1"}, {Name: "x-consumer", Value: "root"}, {Name: "X_Consumer", Value: "root"},
		{Name: "X-Consumer-Groups", Value: "admin"}, {Name: "x_consumer_id", Value: "0"}, {Name: "X-Consumers", Value: "mine"},
	}
	if _, err := p.Request(x); err != nil {
		t.Fatal(err)
	}
	if got, want := len(x.Request), 2; got != want || x.Request.Get("X-Consumers") != "mine" || x.Request.Get("X-Consumer") != "ann" {
		t.Errorf("the upstream gets %q", x.Request)
	}
}

func TestRefusedConfig(t *testing.T) {
	tests := []struct {
		name, config, want string
	}{
		{"no keys", `{}`, "/keys must name at least one key"},
		{"empty keys", `{"keys": []}`, "/keys must name at least one key"},
		{"unknown", `{"key": "x"}`, "/key is not a known key"},
		{"unknown in key", `{"keys": [{"keys": "x"}]}`, "/keys/0/keys is not a known key"},
		{"neither", `{"keys": [{"consumer": "a"}]}`, "/keys/0 must have either key or key_sha256"},
		{"both", `{"keys": [{"key": "a", "key_sha256": "` + hexSum("a") + `", "consumer": "a"}]}`, "/keys/0 must have either key or key_sha256"},
		{"no consumer", `{"keys": [{"key": "a"}]}`, "/keys/0 must have a consumer"},
		{"twice", `{"keys": [{"key_sha256": "` + hexSum("a") + `", "consumer": "b"}, {"key": "a", "consumer": "a"}]}`, "/keys/1 has a key that was there before"},
		{"empty key", `{"keys": [{"key": "", "consumer": "a"}]}`, "/keys/0/key must not be empty, nor begin or end with a space"},
		{"short digest", `{"keys": [{"key_sha256": "abcd", "consumer": "a"}]}`, "/keys/0/key_sha256 must be a SHA-256 as 64 hexadecimal digits or in base64"},
		{"consumer", `{"keys": [{"key": "a", "consumer": "a b"}]}`, "/keys/0/consumer must be visible ASCII"},
		{"header", `{"header": "X Key"}`, "/header must be the name of a header"},
		{"empty header", `{"header": ""}`, "/header must not be empty"},
		{"group", `{"keys": [{"key": "a", "consumer": "a", "groups": ["x,admin"]}]}`, "/keys/0/groups/0 must be visible ASCII without commas"},
		{"long key", `{"keys": [{"key": "` + strings.Repeat("a", 1025) + `", "consumer": "a"}]}`, "/keys/0/key must not be longer than 1024 bytes"},
		{"nowhere", `{"header": false, "keys": [{"key": "a", "consumer": "a"}]}`, "must have a header, a query or a cookie to look at"},
		{"header is on", `{"header": true}`, "/header must be the name of a header, or false"},
		{"cookie header", `{"header": "cookie", "keys": [{"key": "a", "consumer": "a"}]}`, "/header must not be Cookie: name the cookie as cookie"},
		{"scheme", `{"scheme": "Api Key"}`, "/scheme must be one word, such as Bearer"},
		{"query", `{"query": ""}`, "/query must not be empty"},
		{"quoted query", `{"query": "a\"b"}`, "/query must be visible ASCII without quotes"},
		{"cookie", `{"cookie": "a=b"}`, "/cookie must be the name of a cookie"},
		{"hide", `{"hide": "yes"}`, "/hide must be true or false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sallyporttest.Refusal(t, configure, tt.config); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
