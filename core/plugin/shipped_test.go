package plugin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/jwt"
	"github.com/sallyport/sallyport/core/password"
	"github.com/sallyport/sallyport/core/store"
)

// verifier is a real key set.
type verifier struct{ keys *jwt.Keys }

func (v verifier) Verify(token string) (string, error) {
	return v.keys.Verify(context.Background(), token)
}

// hs256 returns a key set and a token that it vouches for.
func hs256(b *testing.B) (verifier, string) {
	b.Helper()
	secret := []byte("0123456789abcdef0123456789abcdef")
	keys, err := jwt.New(jwt.Options{Secrets: [][]byte{secret}, Algorithms: []string{"HS256"}})
	if err != nil {
		b.Fatal(err)
	}
	segment := base64.RawURLEncoding.EncodeToString
	text := segment([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + segment([]byte(`{"iss":"https://id.example.com","aud":"orders","sub":"jo","scope":"read write"}`))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return verifier{keys}, text + "." + segment(mac.Sum(nil))
}

// issued is a store that has a key of key-auth-kv.
func issued(b *testing.B, key string) Store {
	b.Helper()
	m, err := store.NewMemory(store.Options{Entries: 10, Bytes: store.MinBytes})
	if err != nil {
		b.Fatal(err)
	}
	if err := m.Set(fmt.Sprintf("key:%x", sha256.Sum256([]byte(key))), `{"consumer":"ann","groups":["staff"]}`, 0); err != nil {
		b.Fatal(err)
	}
	return m
}

// remembered is a set of passwords that remembers the one that is shown.
func remembered(b *testing.B) *password.Set {
	b.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	if err != nil {
		b.Fatal(err)
	}
	set, err := password.New(password.Options{Users: []password.User{{Name: "Aladdin", Hash: string(hash)}}, Keep: time.Hour, Workers: password.NewWorkers()})
	if err != nil {
		b.Fatal(err)
	}
	if err := set.Check("Aladdin", "open sesame"); err != nil {
		b.Fatal(err)
	}
	return set
}

// hmacKey and signed are a key of hmac-auth, and what a client that has it shows for the request of benchExchange.
const hmacKey = `{"keys":[{"id":"partner","secret":"0123456789abcdef0123456789abcdef"}],"body":false,"replay_protection":false}`

func signed(x *exchange.Exchange, digest string) string {
	created := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
	mac.Write([]byte(strings.Join([]string{"HMAC-SHA256", "partner", created, "", x.Req.Method, x.Req.Host, x.Req.Path, x.Req.Query, digest}, "\n")))
	return "HMAC-SHA256 id=partner, created=" + created + ", signature=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// hmacKeyWhole is the same with all that is checked by default, and emptyDigest what is signed of a body that is not there.
const (
	hmacKeyWhole = `{"keys":[{"id":"partner","secret":"0123456789abcdef0123456789abcdef"}]}`
	emptyDigest  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// obliging is a store that has one value under every key, and takes what it is given for new.
type obliging struct {
	broken
	value string
}

func (o obliging) Get(string) (string, bool, error) { return o.value, true, nil }

func (o obliging) Swap(string, string, bool, string, time.Duration) (bool, error) { return true, nil }

// hundredBytes is a body of transform.
const hundredBytes = `{"customer":{"name":"Jo","mail":"jo@example.com"},"admin":true,"items":[{"id":1,"cost":12.50}],"n":123}`

// BenchmarkShipped is what the plugins of the folder plugins cost a request that passes, as they are built in bin/plugins: the numbers of
// plugins/README.md.
func BenchmarkShipped(b *testing.B) {
	keys, token := hs256(b)
	for _, tt := range []struct {
		name, plugin, config string // of a name that ends in "response" that hook, else the request's
		field, value         string
		attributes           []string
	}{
		{"acl", "acl", `{"allow":[{"groups":["staff"]}],"deny":[{"consumers":["eve"]}]}`, "", "", []string{"consumer", "jo", "groups", "users,staff"}},
		{"agent-rules", "agent-rules", `{"user_agent":{"deny":["bot","^curl/"],"require":true},"referer":{"deny":["casino"]}}`, "", "", nil},
		{"basic-auth", "basic-auth", `{"passwords":"main"}`, "Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", nil},
		{"cors", "cors", `{"origins":["https://app.example.com"]}`, "Origin", "https://app.example.com", nil},
		{"cors-response", "cors", `{"origins":["https://app.example.com"]}`, "Origin", "https://app.example.com", nil},
		{"forward-auth-asks", "forward-auth", `{"upstream":"auth","consumer":"X-User"}`, "Authorization", "Bearer x", nil},
		{"forward-auth-kept", "forward-auth", `{"upstream":"auth","consumer":"X-User","cache_seconds":60}`, "Authorization", "Bearer x", nil},
		{"hmac-auth", "hmac-auth", hmacKey, "Authorization", signed(newExchange(), ""), nil},
		{"hmac-auth-whole", "hmac-auth", hmacKeyWhole, "Authorization", signed(newExchange(), emptyDigest), nil},
		{"ip-rules", "ip-rules", `{"allow":["192.0.2.0/24"],"deny":["10.0.0.0/8"]}`, "", "", nil},
		{"jwt-auth", "jwt-auth", `{"keys":"main"}`, "Authorization", "Bearer " + token, nil},
		{"jwt-auth-scopes", "jwt-auth", `{"keys":"main","audiences":["orders"],"scopes":["read"],"headers":{"X-Iss":"iss"}}`, "Authorization", "Bearer " + token, nil},
		{"key-auth", "key-auth", `{"keys":[{"key":"demo-key","consumer":"demo"}]}`, "X-Api-Key", "demo-key", nil},
		{"key-auth-sha256", "key-auth", `{"keys":[{"key_sha256":"arnx6499M4j0+dWG9m6Z/VQIDfLERvDlhmiwnAihbdA=","consumer":"ann"}]}`, "X-Api-Key", "k1", nil},
		{"security-headers-response", "security-headers", `{}`, "", "", nil},
		{"transform-json", "transform", `{"request_json":[{"move":"/customer","to":"/order/customer"},{"set":"/order/version","json":"2"},{"remove":"/admin"},{"rename":"/n","to":"number"}]}`, "Content-Type", "application/json", nil},
		{"key-auth-kv", "key-auth-kv", `{"store":"keys"}`, "X-Api-Key", "k1", nil},
		{"transform", "transform", `{"request_headers":[{"set":"X-Tenant","value":"{{ attr.tenant }}"},{"remove":"X-Internal"},{"rename":"Referer","to":"X-Page"}]}`, "", "", []string{"tenant", "acme"}},
		{"validate", "validate", `{"parameters":[{"name":"rest","max_length":9},{"name":"q","in":"query","type":"array","max_items":3},{"name":"page","in":"query","type":"integer","minimum":1},
			{"name":"X-Version","in":"header","required":true,"enum":["1","2"]},{"name":"Referer","in":"header","pattern":"^[a-z ]+; q=0"}]}`, "X-Version", "2", nil},
		{"validate-json", "validate", `{"body":{"schema":"order"}}`, "Content-Type", "application/json", nil},
	} {
		b.Run(tt.name, func(b *testing.B) {
			wasm, err := os.ReadFile("../../bin/plugins/" + tt.plugin + ".wasm")
			if err != nil {
				b.Skip(err)
			}
			h, _ := newHost(b)
			h.log = slog.New(slog.DiscardHandler)
			p, err := h.Load(tt.plugin, wasm, Limits{})
			if err != nil {
				b.Fatal(err)
			}
			pool, err := p.Configure([]byte(tt.config), Grants{
				Stores: map[string]Store{"": obliging{value: "200\nX-User:jo\n\n"}, "keys": issued(b, "k1")}, Keys: map[string]KeySet{"main": keys},
				Upstreams: map[string]Fetcher{"auth": answering(200, "ok")}, Passwords: map[string]PasswordSet{"main": remembered(b)},
				Schemas: map[string]Schema{"order": fakeSchema{allowed: new(int64)}},
			})
			if err != nil {
				b.Fatal(err)
			}
			defer pool.Close()
			filter := pool.Filter("bench", chain.Deny)
			b.ReportAllocs()
			for b.Loop() {
				x := benchExchange(tt.field, tt.value, tt.attributes)
				if strings.HasSuffix(tt.name, "response") {
					if err := benchResponse(filter, x); err != nil {
						b.Fatal(err)
					}
					continue
				}
				if verdict, err := filter.Request(x, 0); err != nil || verdict != chain.Continue {
					b.Fatal(verdict, err)
				}
				exchanges.Put(x)
			}
		})
	}
}

// benchExchange returns a request with the fields that a browser sends, and one more.
func benchExchange(field, value string, attributes []string) *exchange.Exchange {
	x := newExchange()
	for _, name := range []string{"User-Agent", "Accept-Encoding", "Accept-Language", "Referer"} {
		x.Req.Fields.Add(name, "something of some length; q=0.9")
	}
	x.Req.Fields.Remove("X-API-Key")
	if field != "" {
		x.Req.Fields.Add(field, value)
	}
	if field == "Content-Type" {
		x.Req.Body = exchange.Body{Held: []byte(hundredBytes), Length: int64(len(hundredBytes))}
	}
	for i := 0; i < len(attributes); i += 2 {
		x.SetAttr(attributes[i], attributes[i+1])
	}
	return x
}

// benchResponse answers a request with the fields that a service sends, and runs the response's hook.
func benchResponse(filter chain.Filter, x *exchange.Exchange) error {
	defer exchanges.Put(x)
	x.Resp.Status = 200
	for _, name := range []string{"Content-Type", "Date", "Cache-Control", "ETag", "Server"} {
		x.Resp.Fields.Add(name, "something of some length")
	}
	return filter.Response(x, 0)
}
