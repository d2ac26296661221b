package gatewaytest

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// identityTOML has a route for each plugin that finds out who a client is.
const identityTOML = `[jwt.main]
secrets = ["` + hmacSecret + `"]
[plugins.jwt-auth]
grants = ["jwt:main"]
[plugins.hmac-auth]
grants = ["kv"]
[plugins.forward-auth]
grants = ["fetch:auth", "kv"]
[[routes]]
name = "jwt"
path = "/jwt/*rest"
upstream = "b"
filters = [{ use = "jwt-auth", config = { keys = "main", groups = "groups", headers = { X-Tenant = "tenant" } } }]
[[routes]]
name = "key"
path = "/key/*rest"
upstream = "b"
filters = [{ use = "key-auth", config = { header = "Authorization", scheme = "ApiKey", query = "k", cookie = "k", keys = [KEYS] } }]
[[routes]]
name = "hmac"
path = "/hmac/*rest"
upstream = "b"
filters = [{ use = "hmac-auth", config = { keys = [{ id = "partner", secret = "` + hmacSecret + `", consumer = "acme" }] } }]
[[routes]]
name = "forward"
path = "/forward/*rest"
upstream = "b"
filters = [{ use = "forward-auth", config = { upstream = "auth", consumer = "X-User", take = ["X-Tenant"], cache_seconds = 60, timeout_ms = 60000 } }]
`

// bearer returns a token of the key set main.
func bearer(subject string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"sub":%q,"exp":%d}`, subject, time.Now().Add(time.Hour).Unix()))
	mac := hmac.New(sha256.New, []byte(hmacSecret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// startIdentities starts a gateway with all that tell who a client is; key-auth knows k0 to k199.
func startIdentities(t *testing.T) *Gateway {
	t.Helper()
	auth := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "User ")
		if !ok || len(r.Header.Values("Authorization")) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("X-User", user)
	})
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprintf(`{ key = "k%d", consumer = "u%d" }`, i, i))
	}
	toml := strings.Replace(identityTOML, "KEYS", strings.Join(keys, ", "), 1)
	return startBox(t, upstreamsTOML("b", Backend(t, tellIdentity), "auth", auth)+toml, "jwt-auth", "key-auth", "hmac-auth", "forward-auth")
}

// tellIdentity says in one line all that could be taken for who the client is, whatever it is called.
func tellIdentity(w http.ResponseWriter, r *http.Request) {
	var all []string
	for name, values := range r.Header {
		name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		if strings.HasPrefix(name, "x-consumer") || name == "x-tenant" {
			all = append(all, name+"="+strings.Join(values, "&"))
		}
	}
	fmt.Fprint(w, strings.Join(all, " "))
}

// sendHead sends a request's head as it is, and returns the answer's status and body.
func sendHead(t *testing.T, addr, method, target string, fields ...string) (int, string) {
	t.Helper()
	conn := must(net.Dial("tcp", addr))
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // whatever happens, it ends
	text := method + " " + target + " HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
	_, wrote := io.WriteString(conn, text) // who is refused for its length may find that the rest is not taken any more
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v, %v", target, wrote, err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, string(must(io.ReadAll(resp.Body)))
}

// Nobody becomes somebody by what he writes, and however he writes it.
func TestForgedIdentities(t *testing.T) {
	g := startIdentities(t)
	good := map[string]string{"jwt": "Bearer " + bearer("u7"), "key": "ApiKey k7", "forward": "User u7"}
	forged := []string{"X-Consumer: root", "x-consumer: root", "X_Consumer: root", "X-CONSUMER_GROUPS: staff", "X-Consumer-Groups: staff", "X_consumer-Id: 1"}
	for route, credential := range good {
		sign := func(fields ...string) []string { return append(fields, forged...) }
		_, plain, _ := strings.Cut(credential, " ")
		scheme, _, _ := strings.Cut(credential, " ")
		for _, tt := range []struct {
			name   string
			fields []string
			status int // 0: any refusal, 200 the good one's identity and no other
		}{
			{"the good one", sign("Authorization: " + credential), 200},
			{"name in capitals", sign("AUTHORIZATION: " + credential), 200},
			{"no credential", sign(), 0},
			{"twice the same", sign("Authorization: "+credential, "Authorization: "+credential), 0},
			{"twice, a bad one first", sign("Authorization: x", "authorization: "+credential), 0},
			{"twice, a bad one last", sign("Authorization: "+credential, "Authorization: x"), 0},
			{"two in one", sign("Authorization: " + credential + ", " + credential), 0},
			{"without scheme", sign("Authorization: " + plain), 0},
			{"scheme alone", sign("Authorization: " + scheme), 0},
			{"another scheme", sign("Authorization: Basic " + plain), 0},
			{"the scheme longer", sign("Authorization: " + scheme + "x " + plain), 0},
			{"a colon", sign("Authorization: " + scheme + ":" + plain), 0},
			{"an underscore", sign("Authorization_: " + credential), 0},
			{"a no-break space", sign("Authorization: " + scheme + "\u00a0" + plain), 0},
			{"fullwidth scheme", sign("Authorization: \uff22earer " + plain), 0},
			{"fullwidth letter", sign("Authorization: " + scheme + " " + plain[:len(plain)-1] + "\uff17"), 0},
			{"combining mark", sign("Authorization: " + credential + "\u0301"), 0},
			{"invalid UTF-8", sign("Authorization: " + credential + "\xff\xfe"), 0},
			{"overlong UTF-8", sign("Authorization: " + scheme + " \xc1\xab" + plain[1:]), 0},
			{"empty", sign("Authorization:"), 0},
			{"huge", sign("Authorization: " + scheme + " " + strings.Repeat("a", 12<<10)), 0},
			{"huge behind", sign("Authorization: " + credential + strings.Repeat("a", 12<<10)), 0},
			{"beyond the head's limit", sign("Authorization: " + scheme + " " + strings.Repeat("a", 2<<20)), 431},
		} {
			if route == "forward" && (tt.status == 0 && strings.HasPrefix(strings.Join(tt.fields, ""), "Authorization: User ")) {
				continue // whatever stands behind User is a name for this service
			}
			status, body := sendHead(t, g.Addr, "GET", "/"+route+"/x", tt.fields...)
			switch {
			case tt.status == 200 && (status != 200 || body != "x-consumer=u7"):
				t.Errorf("%s: %s: got %d %q, want to be u7", route, tt.name, status, body)
			case tt.status == 431 && status != 431, tt.status == 0 && (status < 400 || status > 431 && status != 503):
				t.Errorf("%s: %s: got %d %q, want a refusal", route, tt.name, status, body)
			}
		}
	}
}

// A key in the query or a cookie counts once, in one place, and is told to nobody.
func TestForgedKeys(t *testing.T) {
	g := startIdentities(t)
	for _, tt := range []struct {
		name, target string
		fields       []string
		want         string // "" for a refusal
	}{
		{"query", "/key/x?k=k7", nil, "x-consumer=u7"},
		{"query, encoded", "/key/x?%6b=%6b7", nil, "x-consumer=u7"},
		{"query, another case", "/key/x?K=k7", nil, ""},
		{"query twice", "/key/x?k=k7&k=k7", nil, ""},
		{"query twice, once encoded", "/key/x?k=k7&%6B=k8", nil, ""},
		{"query, semicolon", "/key/x?a=b;k=k7", nil, ""},
		{"query, brackets", "/key/x?k[]=k7", nil, ""},
		{"query, a zero byte", "/key/x?k=k7%00", nil, ""},
		{"query, broken escape", "/key/x?k=k7%", nil, ""},
		{"query, empty and cookie", "/key/x?k=", []string{"Cookie: k=k7"}, ""},
		{"query and header", "/key/x?k=k7", []string{"Authorization: ApiKey k7"}, ""},
		{"cookie", "/key/x", []string{"Cookie: a=b; k=k7"}, "x-consumer=u7"},
		{"cookie twice", "/key/x", []string{"Cookie: k=k7; k=k8"}, ""},
		{"cookie in two fields", "/key/x", []string{"Cookie: k=k7", "cookie: k=k8"}, ""},
		{"cookie, another case", "/key/x", []string{"Cookie: K=k7"}, ""},
		{"the start of a key", "/key/x?k=k", nil, ""},
		{"a key and more", "/key/x?k=k77777", nil, ""},
	} {
		status, body := sendHead(t, g.Addr, "GET", tt.target, append(tt.fields, "X_Consumer: root")...)
		if tt.want == "" && status != 401 && status != 400 || tt.want != "" && (status != 200 || body != tt.want) {
			t.Errorf("%s: got %d %q, want %q", tt.name, status, body, tt.want)
		}
	}
}

// Of a signature that is sent two hundred times at once, over both protocols, one passes.
func TestReplayInParallel(t *testing.T) {
	g := startIdentities(t)
	clients := []*http.Client{{}, http2Client(t)}
	for round := range 5 {
		signed := hmacSigned("GET", g.Addr, "/hmac/x", "", "", fmt.Sprint("n", round), time.Now())
		var passed, other atomic.Int64
		var wait sync.WaitGroup
		for i := range 200 {
			wait.Go(func() {
				r := must(http.NewRequest("GET", g.URL+"/hmac/x", nil))
				r.Header.Set("Authorization", signed)
				resp, err := clients[i%2].Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				switch resp.StatusCode {
				case 200:
					passed.Add(1)
				case 401:
				default:
					other.Add(1)
				}
			})
		}
		wait.Wait()
		if passed.Load() != 1 || other.Load() != 0 {
			t.Errorf("round %d: %d passed, and %d got neither 200 nor 401", round, passed.Load(), other.Load())
		}
	}
}

// Two hundred clients at once, each somebody else: nobody is taken for another.
func TestNobodyIsTakenForAnother(t *testing.T) {
	g := startIdentities(t)
	clients := []*http.Client{{}, http2Client(t)}
	var wait sync.WaitGroup
	for i := range 200 {
		user := fmt.Sprintf("u%d", i)
		credentials := map[string]string{"jwt": "Bearer " + bearer(user), "key": fmt.Sprintf("ApiKey k%d", i), "forward": "User " + user}
		wait.Go(func() {
			for range 5 {
				for route, credential := range credentials {
					r := must(http.NewRequest("GET", g.URL+"/"+route+"/x", nil))
					r.Header.Set("Authorization", credential)
					r.Header["x_consumer"] = []string{"root"}
					resp, err := clients[i%2].Do(r)
					if err != nil {
						t.Error(err)
						return
					}
					body := string(must(io.ReadAll(resp.Body)))
					resp.Body.Close()
					if resp.StatusCode != 200 || body != "x-consumer="+user {
						t.Errorf("%s: %s: got %d %q", route, user, resp.StatusCode, body)
					}
				}
			}
		})
	}
	wait.Wait()
}
