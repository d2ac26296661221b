package gatewaytest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/core/gateway"
)

// grantsTOML is a gateway with one plugin that uses what it is granted.
func grantsTOML(plugins, secret, limit, status string) string {
	return fmt.Sprintf(`
[secrets]
hmac = %q
other = "hush-other"
[kv.shared]
entries = 1000
[limits.login]
rate = %q
[[routes]]
name = "granted"
path = "/granted"
filters = ["granted"]
respond = { status = %s }
%s`, secret, limit, status, plugins)
}

const allGrants = `[plugins.granted]
grants = ["kv:shared", "limit:login", "secret:hmac"]
hidden_headers = ["Authorization"]
`

func wantAnswer(t *testing.T, g *Gateway, want string) {
	t.Helper()
	status, _, body := g.Get("/granted", "Authorization: Bearer seen")
	if got := fmt.Sprintf("%d %s", status, body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGrants(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "granted", "granted")
	g := StartIn(t, dir, grantsTOML(allGrants, "hush-1", "4/d", "200"))
	apply := func(toml string) {
		t.Helper()
		if err := g.ApplyText(toml); err != nil {
			t.Fatal(err)
		}
	}
	wantAnswer(t, g, "200 1 hush-1")
	wantAnswer(t, g, "200 2 hush-1")

	// What is unchanged survives a reload: the store's values, what was taken, the pool.
	apply(grantsTOML(allGrants, "hush-1", "4/d", "204"))
	wantAnswer(t, g, "200 3 hush-1")
	if pools := g.Status().Plugins["granted"].Pools; len(pools) != 1 || pools[0].Calls != 3 {
		t.Errorf("the pool is another one: %+v", pools)
	}

	// A new secret means new pools, and nothing else.
	apply(grantsTOML(allGrants, "hush-2", "4/d", "204"))
	wantAnswer(t, g, "200 4 hush-2")
	wantAnswer(t, g, "429 ")
	if pools := g.Status().Plugins["granted"].Pools; pools[0].Calls != 2 {
		t.Errorf("the pool is the old one: %+v", pools)
	}

	// A new limit has everything to give; the store is still there. Without hidden_headers the plugin sees more.
	apply(grantsTOML(strings.Replace(allGrants, "hidden", "# hidden", 1), "hush-2", "100/d", "204"))
	wantAnswer(t, g, "200 5 hush-2Bearer seen")

	status := g.Status().Plugins["granted"]
	if diff := cmp.Diff([]gateway.MetricStatus{{Name: "requests", Kind: "counter", Value: 5}}, status.Metrics); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"kv:shared", "limit:login", "secret:hmac"}, status.Grants); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
	shown, err := json.Marshal(g.Status())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(shown), "hush") || strings.Contains(g.Logs(), "hush") {
		t.Errorf("a secret is in the status or the log:\n%s\n%s", shown, g.Logs())
	}
}

func TestMissingGrantsAreRefused(t *testing.T) {
	const (
		kv     = `it imports kv_get, kv_add and was granted no "kv"`
		limit  = `it imports rate_take and was granted no "limit:NAME"`
		secret = `it imports secret and was granted no "secret:NAME"`
		see    = ": see grants of [plugins.granted]"
	)
	tests := []struct{ name, plugins, want string }{
		{"no table", "", "routes[0].filters[0].use: plugin granted: " + kv + "; " + limit + "; " + secret + see},
		{"no grants", "[plugins.granted]\nfuel = 1_000_000\n", "plugins.granted: plugin granted: " + kv + "; " + limit + "; " + secret + see},
		{"not all", "[plugins.granted]\ngrants = [\"kv\", \"secret:hmac\"]\n", "plugins.granted: plugin granted: " + limit + see},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			install(t, dir, "granted", "granted")
			g := StartIn(t, dir, "[[routes]]\nname = \"a\"\npath = \"/\"\nrespond = {}\n")
			if logs := g.Logs(); !strings.Contains(logs, "a plugin that no route uses has not been granted what it needs") || strings.Contains(logs, "WARN") {
				t.Errorf("while no route uses it, the log has\n%s", logs)
			}
			err := g.ApplyText(grantsTOML(tt.plugins, "hush", "1/s", "200"))
			if err == nil {
				t.Fatal("accepted")
			}
			if _, got, _ := strings.Cut(strings.TrimPrefix(err.Error(), dir), ": "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A name that was not granted is refused at run time, also when another of its kind was.
func TestNamesAreGrantedOneByOne(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "granted", "granted")
	g := StartIn(t, dir, grantsTOML("[plugins.granted]\ngrants = [\"kv\", \"limit:login\", \"secret:hmac\"]\n", "hush", "1/s", "200"))
	wantStatus := func(want int) {
		t.Helper()
		if status, _, _ := g.Get("/granted"); status != want {
			t.Errorf("got %d, want %d", status, want)
		}
	}
	wantStatus(503) // its own store is not the shared one
	err := g.ApplyText(grantsTOML("[plugins.granted]\ngrants = [\"kv:shared\", \"limit:login\", \"secret:other\"]\n", "hush", "1/s", "200"))
	if err == nil || !strings.Contains(err.Error(), "refused its configuration") {
		t.Errorf("another secret than the one it wants: %v", err)
	}
}

func TestUnneededGrantsAreWarnedOf(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "bare", "bare")
	g := StartIn(t, dir, "[[routes]]\nname = \"a\"\npath = \"/a\"\nrespond = {}\nfilters = [\"bare\"]\n[plugins.bare]\ngrants = [\"kv\"]\n")
	if logs := g.Logs(); !strings.Contains(logs, "a grant that the plugin has no use for") ||
		!strings.Contains(logs, "plugins.bare.grants[0]: plugin bare imports no function that needs it") {
		t.Errorf("the log has\n%s", logs)
	}
}
