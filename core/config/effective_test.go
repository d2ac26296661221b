package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/golden"
)

// effective reads a file of the golden tests.
func effective(t testing.TB, file string) (*Config, *Setting) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse(goldenFile, data, fakeSources())
	if err != nil {
		t.Fatal(err)
	}
	return c, c.Effective()
}

// keysOfFile returns the key paths that a file holds.
func keysOfFile(t testing.TB, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range scan(string(data), func() {}).places {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Each key that a file holds is found again in what is in force, at its place, or stands for something inside of it.
func TestEffectiveTellsOrigins(t *testing.T) {
	for _, file := range []string{"testdata/ok-everything.toml", "testdata/ok-traffic.toml", "testdata/ok-upstreams-health.toml", "testdata/ok-upstreams-balance.toml", "testdata/ok-upstreams-discover.toml", "testdata/ok-upstreams-tls.toml", "testdata/ok-limits.toml", "testdata/ok-compress.toml", "testdata/ok-admin.toml"} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, root := effective(t, file)
			shown := map[string]Place{}
			var look func(*Setting)
			look = func(s *Setting) {
				shown[s.Key] = s.Place
				for _, child := range s.Children {
					look(child)
				}
			}
			look(root)
			for _, key := range keysOfFile(t, file) {
				place, ok := shown[key]
				if !ok && c.Secret(key) || strings.HasSuffix(key, ".env") || strings.HasSuffix(key, ".file") {
					continue // a reference, whose parent is the value
				}
				if !ok {
					t.Errorf("%s is not shown", key)
				} else if place != c.At(key) {
					t.Errorf("%s is said to be at %v, it is at %v", key, place, c.At(key))
				}
			}
		})
	}
}

func TestEffectiveShowsNoSecret(t *testing.T) {
	files, err := filepath.Glob("testdata/ok-*.toml")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		_, root := effective(t, file)
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "hush") {
			t.Errorf("%s: a secret is shown: %s", file, text)
		}
		seen += strings.Count(string(text), Redacted)
	}
	if seen < 10 {
		t.Errorf("%d secrets were hidden: are they still looked for?", seen)
	}
}

func TestEffectiveGolden(t *testing.T) {
	_, root := effective(t, "testdata/ok-everything.toml")
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/effective/everything.golden", string(text)+"\n")
}

func TestSame(t *testing.T) {
	parsed := func(secret, limit string) *Setting {
		from := fakeSources()
		from.env = func(string) (string, bool) { return secret, true }
		text := fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:1\"]\n[secrets]\ns = { env = \"S\" }\n[limits.l]\nrate = %q\n", limit)
		c, err := parse(goldenFile, []byte(text), from)
		if err != nil {
			t.Fatal(err)
		}
		return c.Effective()
	}
	one := parsed("hush", "1/s")
	tests := []struct {
		name  string
		other *Setting
		want  bool
	}{
		{"the same", parsed("hush", "1/s"), true},
		{"another secret", parsed("hush-hush", "1/s"), false},
		{"another limit", parsed("hush", "2/s"), false},
		{"nothing", nil, false},
	}
	for _, test := range tests {
		if got := one.Same(test.other); got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
}

func TestMayHide(t *testing.T) {
	tests := []struct {
		key  string
		want bool
	}{
		{"routes[0].filters[1].config.hmac_secret", true},
		{"routes[0].filters[1].config.keys[2].token", true},
		{"routes[0].filters[1].config.audience", false},
		{"filters[0].request.set.Authorization", true},
		{"filters[0].request.set.X-Api-Key", true},
		{"filters[0].request.set.X-Gateway", false},
		{"routes[0].headers.X-Api-Key", true},
		{"routes[0].query.token", true},
		{"upstreams.token.policy", false},
		{"limits.keys.keys", false},
	}
	for _, test := range tests {
		if got := mayHide(test.key); got != test.want {
			t.Errorf("%s: got %v", test.key, got)
		}
	}
}

func TestSnake(t *testing.T) {
	for name, want := range map[string]string{"MaxIdle": "max_idle", "HTTP2": "http2", "RedirectHTTPS": "redirect_https", "HTTPOnly": "http_only", "PinSHA256": "pin_sha256", "URI": "uri", "MinTTL": "min_ttl"} {
		if got := snake(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
