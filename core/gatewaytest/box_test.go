package gatewaytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// startBox is StartIn with plugins as make plugins has built them.
func startBox(t *testing.T, toml string, names ...string) *Gateway {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		wasm, err := os.ReadFile("../../bin/plugins/" + name + ".wasm")
		if err != nil {
			wat.Missing(t, "bin/plugins/"+name+".wasm")
		}
		if err := os.WriteFile(filepath.Join(dir, "plugins", name+".wasm"), wasm, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return StartIn(t, dir, toml)
}

const hmacSecret = "0123456789abcdef0123456789abcdef"

// hmacSigned returns what a client with the key partner shows in Authorization.
func hmacSigned(method, host, path, query, body, nonce string, created time.Time) string {
	digest := sha256.Sum256([]byte(body))
	seconds := fmt.Sprint(created.Unix())
	mac := hmac.New(sha256.New, []byte(hmacSecret))
	mac.Write([]byte(strings.Join([]string{"HMAC-SHA256", "partner", seconds, nonce, method, host, path, query, hex.EncodeToString(digest[:])}, "\n")))
	return fmt.Sprintf("HMAC-SHA256 id=partner, created=%s, nonce=%q, signature=%q", seconds, nonce, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// told is a backend's answer: what reached it.
type told struct {
	Method, Path, Body string
	Header             http.Header
	Secret             string
}

func tell(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Server", "secret/1.0")
	if r.URL.Path == "/v2/missing" {
		w.WriteHeader(http.StatusNotFound)
	}
	_ = json.NewEncoder(w).Encode(told{r.Method, r.RequestURI, string(body), r.Header, "hush"})
}

const (
	agentFilter = `[[routes.filters]]
use = "agent-rules"
config = { user_agent = { deny = ["^curl/"], except = ["curl/8-ours"], require = true }, headers = { X-App = { allow = ["^3."] } } }
`
	hmacFilter = `[[routes.filters]]
use = "hmac-auth"
config = { keys = [{ id = "partner", secret = "` + hmacSecret + `", consumer = "acme" }] }
`
	transformFilter = `[[routes.filters]]
use = "transform"
[routes.filters.config]
request_headers = [{ set = "X-Who", value = "{{ consumer | nobody }}" }, { remove = "X-Internal-*" }]
query = [{ set = "page", value = "1" }]
path = "/v2/{{ segments.rest }}"
request_json = [{ set = "/version", json = "12.50" }, { remove = "/admin" }]
refuse_other = false
response_json = [{ remove = "/Secret" }]
response_headers = [{ remove = "Server" }]
status = { 404 = 410 }
`
)

// The plugins that came last, each alone and all in a chain, over both protocols.
func TestNewestPlugins(t *testing.T) {
	toml := upstreamsTOML("b", Backend(t, tell)) + "[plugins.hmac-auth]\ngrants = [\"kv\"]\n"
	for name, filters := range map[string]string{"agent": agentFilter, "hmac": hmacFilter, "transform": transformFilter, "all": agentFilter + hmacFilter + transformFilter} {
		toml += fmt.Sprintf("[[routes]]\nname = %q\npath = \"/%s/*rest\"\nupstream = \"b\"\n%s", name, name, filters)
	}
	g := startBox(t, toml, "agent-rules", "hmac-auth", "transform")
	body := `{"admin":true,"n":10000000000000000001}`
	type expect struct {
		status        int
		who, consumer string
		path, body    string
		secret        string
	}
	plain := func(path string) expect { return expect{200, "", "", path, body, "hush"} }
	changed := func(who, consumer string) expect {
		return expect{200, who, consumer, "/v2/x%20y/z?q=2&page=1", `{"n":10000000000000000001,"version":12.50}`, ""}
	}
	for _, protocol := range []struct {
		name   string
		client *http.Client
	}{{"HTTP/1.1", &http.Client{Transport: &http.Transport{DisableCompression: true}}}, {"HTTP/2", http2Client(t)}} {
		for _, tt := range []struct {
			name, path, agent string
			app, sign         string // sign: "", "good", or a path to sign in place of this one
			want              expect
		}{
			{"a browser", "/agent/x", "Mozilla/5.0", "3.1", "", plain("/agent/x")},
			{"a tool", "/agent/x", "cURL/7", "3.1", "", expect{status: 403}},
			{"an old app", "/agent/x", "Mozilla/5.0", "2.0", "", expect{status: 403}},
			{"signed", "/hmac/x%20y?q=2", "Mozilla/5.0", "", "good", expect{200, "", "acme", "/hmac/x%20y?q=2", body, "hush"}},
			{"unsigned", "/hmac/x", "Mozilla/5.0", "", "", expect{status: 401}},
			{"signed for another path", "/hmac/x", "Mozilla/5.0", "", "/hmac/y", expect{status: 401}},
			{"rewritten", "/transform/x%20y/z?q=2&page=7", "Mozilla/5.0", "", "", changed("nobody", "")},
			{"a status", "/transform/missing", "Mozilla/5.0", "", "", expect{status: 410, who: "nobody", path: "/v2/missing?page=1", body: `{"n":10000000000000000001,"version":12.50}`}},
			{"the chain", "/all/x%20y/z?q=2&page=7", "Mozilla/5.0", "3.1", "good", changed("acme", "acme")},
			{"the chain, a tool that signs", "/all/x", "curl/7", "3.1", "good", expect{status: 403}},
			{"the chain, unsigned", "/all/x", "Mozilla/5.0", "3.1", "", expect{status: 401}},
		} {
			t.Run(protocol.name+"/"+tt.name, func(t *testing.T) {
				r := must(http.NewRequest("POST", g.URL+tt.path, strings.NewReader(body)))
				for name, value := range map[string]string{"User-Agent": tt.agent, "X-App": tt.app, "Content-Type": "application/json",
					"X-Consumer": "root", "X_Who": "root", "X-Internal-Role": "root"} {
					if value != "" {
						r.Header.Set(name, value)
					}
				}
				if tt.sign != "" {
					path, query, _ := strings.Cut(tt.path, "?")
					if tt.sign != "good" {
						path = tt.sign
					}
					r.Header.Set("Authorization", hmacSigned("POST", g.Addr, path, query, body, strings.ReplaceAll(protocol.name+tt.name, " ", "_"), time.Now()))
				}
				resp := must(protocol.client.Do(r))
				defer resp.Body.Close()
				text := must(io.ReadAll(resp.Body))
				var saw told
				if resp.Header.Get("Content-Type") == "application/json" {
					if err := json.Unmarshal(text, &saw); err != nil {
						t.Fatalf("%v: %s", err, text)
					}
				}
				consumer := saw.Header.Get("X-Consumer")
				if strings.HasPrefix(tt.path, "/agent") || strings.HasPrefix(tt.path, "/transform") { // theirs it is not to take away
					consumer = ""
				}
				got := expect{resp.StatusCode, saw.Header.Get("X-Who"), consumer, saw.Path, saw.Body, saw.Secret}
				if got != tt.want {
					t.Errorf("got  %+v\nwant %+v\n%s", got, tt.want, text)
				}
				if tt.want.who != "" && (saw.Header["X_who"] != nil || saw.Header.Get("X-Internal-Role") != "" || resp.Header.Get("Server") != "") {
					t.Errorf("left behind: %v, Server %q", saw.Header, resp.Header.Get("Server"))
				}
			})
		}
	}
}
