package gatewaytest

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// authority is the service that ext-auth asks: it lets all but nobody in, and deletes for none.
type authority struct {
	asked   atomic.Int64
	release chan struct{}  // what slow waits for
	pair    sync.WaitGroup // each question of pair waits for the other
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked.Add(1)
	user := r.Header.Get("Authorization")
	switch user {
	case "slow":
		<-a.release
	case "hang":
		<-r.Context().Done()
		return
	case "pair":
		a.pair.Done()
		a.pair.Wait()
	}
	switch {
	case r.URL.Path == "/identity" && user != "nobody":
		w.Header().Set("X-User", user+" of "+r.Header.Get("X-Original-Path")+" "+r.Header.Get("X-Request-Id"))
	case user == "nobody", r.Header.Get("X-Original-Method") == "DELETE":
		w.WriteHeader(http.StatusForbidden)
	}
}

const extAuthTOML = `[plugins.ext-auth]
grants = ["fetch:auth", "fetch:down"]
max_instances = 4
wait_timeout = "1m"
time_limit = "20s"
fetch_timeout = "1m"
[[routes]]
name = "all"
path = "/*rest"
upstream = "b"
filters = ["ext-auth"]
[[routes]]
name = "down"
path = "/down"
upstream = "b"
filters = [{ use = "ext-auth", config = { upstream = "down" } }]
[[routes]]
name = "skip"
path = "/skip"
upstream = "b"
filters = [{ use = "ext-auth", on_error = "skip", config = { upstream = "down" } }]
[[routes]]
name = "hasty"
path = "/hasty"
upstream = "b"
filters = [{ use = "ext-auth", config = { timeout_ms = 30 } }]
[[routes]]
name = "other"
path = "/other"
upstream = "b"
filters = [{ use = "ext-auth", config = { upstream = "b" } }]
`

func upstreamsTOML(addresses ...string) string {
	var b strings.Builder
	for i := 0; i < len(addresses); i += 2 {
		fmt.Fprintf(&b, "[upstreams.%s]\nendpoints = [%q]\n", addresses[i], addresses[i+1])
	}
	return b.String()
}

func TestExtAuth(t *testing.T) {
	eachBuild(t, "../../examples/ext-auth-go", "testdata/ext-auth-rust", func(t *testing.T, wasm []byte) {
		a := &authority{release: make(chan struct{})}
		toml := upstreamsTOML("b", Backend(t, Echo), "auth", Backend(t, a.ServeHTTP), "down", free.Address(t)) + extAuthTOML
		g := startPlugin(t, "ext-auth", wasm, toml)
		a.pair.Add(2)
		for _, tt := range []struct{ method, path, user, want string }{
			{"GET", "/a", "jo", "200 jo of /a id-1"}, {"POST", "/a?q=1", "ann", "200 ann of /a id-1"}, {"GET", "/pair", "pair", "200 pair of /pair id-1"},
			{"DELETE", "/a", "jo", "403 "}, {"GET", "/a", "nobody", "403 "}, {"GET", "/a", "", "200 of /a id-1"},
			{"GET", "/down", "jo", "503 "}, {"GET", "/skip", "jo", "200 mallory"}, {"GET", "/hasty", "hang", "503 "}, {"GET", "/other", "jo", "503 "},
		} {
			status, _, body := g.Do(tt.method, tt.path, "", "Authorization: "+tt.user, "X-User: mallory", "X-Request-Id: id-1")
			user := ""
			for line := range strings.Lines(body) {
				if value, found := strings.CutPrefix(line, "X-User: "); found {
					user += strings.TrimSpace(value)
				}
			}
			if got := fmt.Sprint(status, " ", user); got != tt.want {
				t.Errorf("%s %s as %s: got %q, want %q\n%s", tt.method, tt.path, tt.user, got, tt.want, g.Logs())
			}
		}
		for _, why := range []string{"unavailable", "timed out", "not granted"} {
			if !strings.Contains(g.Logs(), why) {
				t.Errorf("the log does not say %q:\n%s", why, g.Logs())
			}
		}
		testManyWait(t, g, a, strings.Replace(toml, "max_instances = 4", "max_instances = 5", 1))
	})
}

// testManyWait: those that wait hold no instance, and go on with what they have begun when another generation takes over.
func testManyWait(t *testing.T, g *Gateway, a *authority, next string) {
	const many = 200
	before := a.asked.Load()
	statuses := make(chan int, many)
	for range many {
		go func() {
			status, _, _ := g.Get("/slow", "Authorization: slow")
			statuses <- status
		}()
	}
	Until(t, "all questions have been asked", func() bool { return a.asked.Load() == before+2*many })
	Until(t, "no instance is held", func() bool {
		for _, pool := range g.Status().Plugins["ext-auth"].Pools {
			if pool.Idle != pool.Instances || pool.Instances > 4 || pool.Waiting > 0 {
				return false
			}
		}
		return len(statuses) == 0
	})
	if err := g.ApplyText(next); err != nil {
		t.Fatal(err)
	}
	close(a.release)
	for range many {
		if status := <-statuses; status != 200 {
			t.Errorf("got %d", status)
		}
	}
}

// A grant of the kind that a plugin needs must be there when it is loaded.
func TestReachMustBeGranted(t *testing.T) {
	for _, tt := range []struct {
		name, grants string
		build        []byte
		want         []string
	}{
		{"ext-auth", "", toolchain.StockGo(t, "../../examples/ext-auth-go"), []string{`was granted no "fetch:NAME"`}},
		{"ext-auth", `"kv"`, toolchain.StockGo(t, "../../examples/ext-auth-go"), []string{`was granted no "fetch:NAME"`}},
		{"token", "", toolchain.StockGo(t, "testdata/token-go"), []string{`was granted no "fetch:NAME"`, `it imports jwt_verify and was granted no "jwt:NAME"`}},
		{"token", `"fetch:b"`, toolchain.StockGo(t, "testdata/token-go"), []string{`it imports jwt_verify and was granted no "jwt:NAME"`}},
	} {
		g := newPlugin(t, tt.name, tt.build)
		err := g.ApplyText(upstreamsTOML("b", "127.0.0.1:1") + fmt.Sprintf(
			"[plugins.%s]\ngrants = [%s]\n[[routes]]\nname = \"a\"\npath = \"/\"\nupstream = \"b\"\nfilters = [%q]\n", tt.name, tt.grants, tt.name))
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s with %s: got %v, want %s", tt.name, tt.grants, err, want)
			}
		}
	}
}

// The example's gateway.toml does what its README says, with other addresses.
func TestExtAuthExample(t *testing.T) {
	text, err := os.ReadFile("../../examples/ext-auth-go/gateway.toml")
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{}
	// The times are shorter than what a busy machine may take.
	toml := strings.NewReplacer(`"2s"`, `"1m"`, `"1s"`, `"20s"`, "127.0.0.1:8080", listen, "127.0.0.1:9001", Backend(t, Echo), "127.0.0.1:9004", Backend(t, a.ServeHTTP)).Replace(string(text))
	g := startPlugin(t, "ext-auth", toolchain.StockGo(t, "../../examples/ext-auth-go"), toml)
	for user, want := range map[string]int{"jo": 200, "nobody": 403} {
		if status, _, _ := g.Get("/orders/7", "Authorization: "+user); status != want {
			t.Errorf("%s: got %d, want %d\n%s", user, status, want, g.Logs())
		}
	}
}
