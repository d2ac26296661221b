package main

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

const allPlaces = `{"header": "Authorization", "scheme": "ApiKey", "query": "api_key", "cookie": "key",
	"keys": [{"key": "k1", "consumer": "ann", "groups": ["staff", "ops"]}]}`

type fields = sallyporttest.Fields

// Wherever the key is, one is enough, two are too many, and none is left for the upstream to see.
func TestPlaces(t *testing.T) {
	tests := []struct {
		name, target string
		sent         fields
		pass         bool
		query        string // what is left
		left         string // of Cookie and Authorization
	}{
		{"header", "/?a=1", fields{{Name: "Authorization", Value: "ApiKey k1"}}, true, "a=1", ""},
		{"scheme in lower case", "/", fields{{Name: "authorization", Value: "apikey   k1"}}, true, "", ""},
		{"another scheme", "/", fields{{Name: "Authorization", Value: "Basic k1"}}, false, "", ""},
		{"no space", "/", fields{{Name: "Authorization", Value: "ApiKeyk1"}}, false, "", ""},
		{"scheme alone", "/", fields{{Name: "Authorization", Value: "ApiKey"}}, false, "", ""},
		{"another scheme and the query", "/?api_key=k1", fields{{Name: "Authorization", Value: "Basic x"}}, true, "", "Basic x"},
		{"query", "/?a=1&api_key=k1&b=%20", nil, true, "a=1&b=%20", ""},
		{"query, encoded", "/?%61pi_key=%6b1", nil, true, "", ""},
		{"query in another case", "/?API_KEY=k1", nil, false, "", ""},
		{"query twice", "/?api_key=k1&api%5fkey=k1", nil, false, "", ""},
		{"empty query", "/?api_key=", nil, false, "", ""},
		{"no value", "/?api_key", nil, false, "", ""},
		{"empty and full", "/?api_key=&api_key=k1", nil, false, "", ""},
		{"broken escape", "/?api_key=k1%", nil, false, "", ""},
		{"cookie", "/", fields{{Name: "Cookie", Value: "a=b;key=k1; c=d"}}, true, "", "a=b; c=d"},
		{"cookie alone", "/", fields{{Name: "Cookie", Value: "key=k1"}}, true, "", ""},
		{"quoted cookie", "/", fields{{Name: "Cookie", Value: `key="k1"`}}, true, "", ""},
		{"cookies in two fields", "/", fields{{Name: "Cookie", Value: "a=b"}, {Name: "cookie", Value: "key=k1"}}, true, "", "a=b"},
		{"cookie twice", "/", fields{{Name: "Cookie", Value: "key=k1; key=k1"}}, false, "", ""},
		{"cookie in another case", "/", fields{{Name: "Cookie", Value: "Key=k1"}}, false, "", ""},
		{"in the value of another", "/", fields{{Name: "Cookie", Value: "a=key=k1"}}, false, "", ""},
		{"header and query", "/?api_key=k1", fields{{Name: "Authorization", Value: "ApiKey k1"}}, false, "", ""},
		{"header and cookie", "/", fields{{Name: "Authorization", Value: "ApiKey k1"}, {Name: "Cookie", Value: "key=k1"}}, false, "", ""},
		{"header twice, one of them another scheme", "/", fields{{Name: "Authorization", Value: "Basic x"}, {Name: "Authorization", Value: "ApiKey k1"}}, false, "", ""},
		{"huge", "/?api_key=" + strings.Repeat("k", 10_000), nil, false, "", ""},
		{"unicode", "/?api_key=k%CC%811", nil, false, "", ""},
		{"NUL", "/?api_key=k1%00", nil, false, "", ""},
	}
	p := sallyporttest.Configure(t, configure, allPlaces)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := sallyporttest.NewExchange("GET", tt.target)
			x.Request = tt.sent
			verdict, err := p.Request(x)
			if pass := verdict == sallyport.Continue; err != nil || pass != tt.pass {
				t.Fatalf("got %v, %v, want %v", verdict, err, tt.pass)
			}
			if !tt.pass {
				if got, want := x.Response.Get("WWW-Authenticate"), `ApiKey header="Authorization", query="api_key", cookie="key"`; got != want {
					t.Errorf("challenge %q, want %q", got, want)
				}
				return
			}
			if left := x.Request.Get("Cookie") + x.Request.Get("Authorization"); left != tt.left || x.Query != tt.query {
				t.Errorf("left are %q, query %q, %v", left, x.Query, x.Request)
			}
			if x.Attrs["consumer"] != "ann" || x.Attrs["groups"] != "staff,ops" || x.Request.Get("X-Consumer-Groups") != "staff,ops" {
				t.Errorf("attributes %v, headers %v", x.Attrs, x.Request)
			}
		})
	}
}

// A digest does as well in base64.
func TestDigestInBase64(t *testing.T) {
	for _, digest := range []string{"arnx6499M4j0+dWG9m6Z/VQIDfLERvDlhmiwnAihbdA=", "6ab9f1eb8f7d3388f4f9d586f66e99fd54080df2c446f0e58668b09c08a16dd0"} {
		p := sallyporttest.Configure(t, configure, `{"keys": [{"key_sha256": "`+digest+`", "consumer": "ann"}]}`)
		x := sallyporttest.NewExchange("GET", "/")
		x.Request.Set("X-Api-Key", "k1")
		if verdict, err := p.Request(x); verdict != sallyport.Continue || err != nil || x.Attrs["consumer"] != "ann" {
			t.Errorf("%s: got %v, %v", digest, verdict, err)
		}
	}
}

func TestLeavesNothingToCollect(t *testing.T) {
	s, err := readSettings([]byte(allPlaces))
	if err != nil {
		t.Fatal(err)
	}
	name, value := []byte("Authorization"), []byte("ApiKey k1")
	if got := testing.AllocsPerRun(100, func() {
		s.shown.Begin()
		s.guard.Begin()
		s.look(name, value)
		if key, _ := s.shown.Found(); key != "k1" {
			t.Error(key)
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
