package gatewaytest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

const shippedTOML = `[plugins.forward-auth]
grants = ["fetch:auth", "fetch:down", "kv"]
[[routes]]
name = "keys"
path = "/keys/*rest"
upstream = "b"
  [[routes.filters]]
  use = "cors"
  config = { origins = ["https://app.test"] }
  [[routes.filters]]
  use = "key-auth"
  config = { keys = [{ key = "k-jo", consumer = "jo", groups = ["staff"] }, { key = "k-ann", consumer = "ann" }] }
  [[routes.filters]]
  use = "acl"
  config = { allow = [{ groups = ["staff"] }], deny = [{ paths = ["/keys/admin"] }] }
[[routes]]
name = "forward"
path = "/forward/*rest"
upstream = "b"
  [[routes.filters]]
  use = "forward-auth"
  config = { upstream = "auth", consumer = "X-User", take = ["X-User"], cache_seconds = 60 }
[[routes]]
name = "down"
path = "/down"
upstream = "b"
filters = [{ use = "forward-auth", on_error = "skip", config = { upstream = "down" } }]
`

// The shipped plugins in chains, through a whole gateway.
func TestShippedPluginsTogether(t *testing.T) {
	var asked atomic.Int64
	auth := func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "User "); ok && r.Header.Get("X-Forwarded-Method") == "GET" {
			w.Header().Set("X-User", user)
			return
		}
		w.Header().Set("Location", "https://id.test/?from="+r.Header.Get("X-Forwarded-Uri"))
		w.WriteHeader(http.StatusFound)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, build := range map[string]func(testing.TB, string) []byte{
		"acl": toolchain.Rust, "cors": toolchain.TinyGo, "key-auth": toolchain.TinyGo, "forward-auth": toolchain.TinyGo,
	} {
		if err := os.WriteFile(filepath.Join(dir, "plugins", name+".wasm"), build(t, "../../plugins/"+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g := StartIn(t, dir, upstreamsTOML("b", Backend(t, Echo), "auth", Backend(t, auth), "down", free.Address(t))+shippedTOML)
	forged := []string{"X-Consumer: root", "x_consumer: root", "X-Consumer-Groups: staff"}
	who := func(body string) (all []string) {
		for line := range strings.Lines(body) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && strings.Contains(strings.ToLower(name), "x") &&
				(strings.Contains(strings.ToLower(name), "consumer") || strings.Contains(strings.ToLower(name), "user") && name != "User-Agent") {
				all = append(all, value)
			}
		}
		return all
	}
	for _, tt := range []struct {
		name, method, path string
		fields             []string
		status             int
		want               string // all that the upstream is told of who it is
	}{
		{"a key", "GET", "/keys/x", []string{"X-Api-Key: k-jo"}, 200, "jo staff"},
		{"a key without group", "GET", "/keys/x", []string{"X-Api-Key: k-ann"}, 403, ""},
		{"no key", "GET", "/keys/x", nil, 401, ""},
		{"two keys", "GET", "/keys/x", []string{"X-Api-Key: k-jo", "X-Api-Key: k-ann"}, 401, ""},
		{"a denied path", "GET", "/keys/admin/x", []string{"X-Api-Key: k-jo"}, 403, ""},
		{"a denied path, encoded", "GET", "/keys%2Fadmin", []string{"X-Api-Key: k-jo"}, 404, ""}, // another route's, or none
		{"a denied path, in part encoded", "GET", "/keys/x%2F..%2Fadmin", []string{"X-Api-Key: k-jo"}, 403, ""},
		{"a preflight", "OPTIONS", "/keys/x", []string{"Origin: https://app.test", "Access-Control-Request-Method: GET"}, 204, ""},
		{"a preflight of somebody else", "OPTIONS", "/keys/x", []string{"Origin: https://evil.test", "Access-Control-Request-Method: GET"}, 403, ""},
		{"the service knows", "GET", "/forward/x", []string{"Authorization: User ann"}, 200, "ann ann"},
		{"and is not asked again", "GET", "/forward/x", []string{"Authorization: User ann"}, 200, "ann ann"},
		{"the service does not", "GET", "/forward/x?a=b", []string{"Authorization: Basic x"}, 302, ""},
		{"the service is down", "GET", "/down", []string{"Authorization: User ann"}, 503, ""},
	} {
		fields := append(tt.fields, forged...)
		if strings.HasPrefix(tt.path, "/forward") { // a name that only this filter's configuration makes its own
			fields = append(fields, "X-User: root", "X_User: root")
		}
		status, header, body := g.Do(tt.method, tt.path, "", fields...)
		told := strings.Join(who(body), " ")
		if status != 200 {
			told = ""
		}
		if told == "staff jo" { // the echo is in no order
			told = "jo staff"
		}
		if status != tt.status || told != tt.want {
			t.Errorf("%s: got %d %q, want %d %q\n%s", tt.name, status, told, tt.status, tt.want, body)
		}
		if status == 401 && header.Get("Vary") != "Origin" {
			t.Errorf("%s: what key-auth answers has no Vary: %v", tt.name, header)
		}
		if status == 302 && header.Get("Location") != "https://id.test/?from=/forward/x?a=b" {
			t.Errorf("Location: %s", header.Get("Location"))
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("the service was asked %d times, want 2", n)
	}
	testNobodyIsSomebodyElse(t, g, who)
}

// testNobodyIsSomebodyElse: copies keep what they work with, and must not mix up requests that run side by side.
func testNobodyIsSomebodyElse(t *testing.T, g *Gateway, who func(string) []string) {
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 40 {
				user := fmt.Sprintf("u%d-%d", i, j%7)
				if status, _, body := g.Get("/forward/x", "Authorization: User "+user); status != 200 || strings.Join(who(body), " ") != user+" "+user {
					t.Errorf("%s: got %d %q", user, status, who(body))
				}
				if status, _, body := g.Get("/keys/x", "X-Api-Key: k-jo"); status != 200 || len(who(body)) != 2 {
					t.Errorf("jo: got %d %q", status, who(body))
				}
				if status, _, _ := g.Get("/keys/x", "X-Api-Key: k-ann"); status != 403 {
					t.Errorf("ann: got %d", status)
				}
			}
		})
	}
	wait.Wait()
}
