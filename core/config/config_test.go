package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := parse(goldenFile, []byte(text), fakeSources())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const server = "[server]\nlisten = [\"127.0.0.1:8080\"]\n"

func TestAt(t *testing.T) {
	c := mustParse(t, server+`
[[routes]]
name = "a"
path = "/"
respond = {}
  [[routes.filters]]
  use = "key-auth"
  config = { "größe" = 1, "a.b" = [1, { c = 2 }], d = [
    "x",
      "y",
  ] }
`)
	tests := []struct {
		key  string
		want Place
	}{
		{"", Place{1, 1}},
		{"server", Place{1, 2}},
		{"server.listen[0]", Place{2, 11}},
		{"routes", Place{4, 3}},
		{"routes[0].path", Place{6, 1}},
		{"routes[0].filters[0]", Place{8, 12}},
		{"routes[0].filters[0].config", Place{10, 3}},
		{`routes[0].filters[0].config."größe"`, Place{10, 14}},
		{`routes[0].filters[0].config."a.b"[1].c`, Place{10, 41}},
		{"routes[0].filters[0].config.d[1]", Place{12, 7}},
		{"routes[0].filters[0].config.d[1].deeper[7].still", Place{12, 7}},
		{"routes[0].filters[0].config.audience", Place{10, 3}},
		{"routes[0].filters[5].use", Place{8, 12}},
		{"routes[7]", Place{4, 3}},
		{"nowhere.at.all[3]", Place{1, 1}},
		{`"`, Place{1, 1}},
		{`a"b"`, Place{1, 1}},
		{"[", Place{1, 1}},
	}
	for _, test := range tests {
		if got := c.At(test.key); got != test.want {
			t.Errorf("At(%q) = %v, want %v", test.key, got, test.want)
		}
	}
}

func TestErrorf(t *testing.T) {
	c := mustParse(t, server)
	got := c.Errorf("server.listen[0]", "cannot listen on %s", "it").Error()
	if want := goldenFile + ":2:11: server.listen[0]: cannot listen on it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := c.Errorf("", "no").Error(), goldenFile+":1:1: no"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParent(t *testing.T) {
	tests := []struct{ path, want string }{
		{"a", ""}, {"a.b", "a"}, {"a[0]", "a"}, {"a[0].b", "a[0]"}, {"a[0][1]", "a[0]"}, {`a."b.c[0]"`, "a"},
		{`a."b\"c"`, "a"}, {`"b.c"`, ""}, {`a."x"[3]`, `a."x"`}, {`a."".b`, `a.""`}, {`a.""`, "a"}, {`a."b\\"`, "a"},
	}
	for _, test := range tests {
		if got := parent(test.path); got != test.want {
			t.Errorf("parent(%q) = %q, want %q", test.path, got, test.want)
		}
	}
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("wasm/guard.wasm", "")
	write("wasm/notes.txt", "")
	write("key.txt", "hush\n")
	t.Setenv("SALLYPORT_TEST_KEY", "hush-hush")
	path := write("gateway.toml", server+`
filters = [{ use = "guard", config = { b = { file = "key.txt" }, a = { env = "SALLYPORT_TEST_KEY" } } }]
[sandbox]
dir = "wasm"
[[routes]]
name = "a"
path = "/"
respond = {}
filters = ["guard"]
`)
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "server.filters: unknown key") {
		t.Errorf("a key in the wrong table: %v", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	filters, rest, _ := strings.Cut(strings.TrimPrefix(string(data), server+"\n"), "\n")
	path = write("gateway.toml", filters+"\n"+server+rest)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Sandbox.Dir, filepath.Join(folder, "wasm"); got != want {
		t.Errorf("sandbox.dir = %q, want %q", got, want)
	}
	if got, want := string(c.Filters[0].Config), `{"a":"hush-hush","b":"hush"}`; got != want {
		t.Errorf("config = %s, want %s", got, want)
	}
	if c.File != path {
		t.Errorf("File = %q, want %q", c.File, path)
	}
	if _, err := Load(filepath.Join(folder, "none.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestSecret(t *testing.T) {
	c := mustParse(t, server+`
[[routes]]
name = "a"
path = "/"
respond = {}
  [[routes.filters]]
  use = "key-auth"
  config = { keys = [{ key = { env = "UPSTREAM_TOKEN" }, consumer = "demo" }] }
`)
	for key, want := range map[string]bool{
		"routes[0].filters[0].config.keys[0].key":      true,
		"routes[0].filters[0].config.keys[0].key.env":  true,
		"routes[0].filters[0].config.keys[0].consumer": false,
		"routes[0].filters[0].config.keys[0]":          false,
	} {
		if got := c.Secret(key); got != want {
			t.Errorf("Secret(%q) = %v, want %v", key, got, want)
		}
	}
}

// A plugin whose config only changes its order must not be configured anew.
func TestPluginConfigIsTheSameInAnyOrder(t *testing.T) {
	configs := make([]string, 0, 2)
	for _, text := range []string{`{ a = 1, b = { c = [1, 2], d = "x" } }`, `{ b.d = "x", b.c = [1, 2], a = 1 }`} {
		c := mustParse(t, server+"[[filters]]\nuse = \"key-auth\"\nconfig = "+text+"\n")
		configs = append(configs, string(c.Filters[0].Config))
	}
	if diff := cmp.Diff(configs[0], configs[1]); diff != "" {
		t.Error(diff)
	}
}

// Neither the library nor the scanner may be led into endless depths or quadratic work.
func TestTooDeep(t *testing.T) {
	for name, text := range map[string]string{
		"arrays":        "x = " + strings.Repeat("[", 1_000_000),
		"inline tables": strings.Repeat("x={", 1_000_000),
		"dotted key":    strings.Repeat("x.", 1_000_000) + "x = 1",
		"header":        "[" + strings.Repeat("x.", 1_000_000) + "x]",
	} {
		_, err := parse(goldenFile, []byte(server+text), fakeSources())
		if err == nil || !strings.Contains(err.Error(), "3:") || !strings.Contains(err.Error(), "nested more than 64 deep") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFilterForms(t *testing.T) {
	inline := mustParse(t, `filters = ["key-auth", { use = "ratelimit", rate = "1/s" }]`+"\n"+server)
	tables := mustParse(t, server+"[[filters]]\nuse = \"key-auth\"\n[[filters]]\nuse = \"ratelimit\"\nrate = \"1/s\"\n")
	if diff := cmp.Diff(inline.Filters, tables.Filters); diff != "" {
		t.Errorf("(-inline +tables):\n%s", diff)
	}
}

func TestTooLargeFile(t *testing.T) {
	_, err := parse(goldenFile, make([]byte, maxFile+1), fakeSources())
	if err == nil || !strings.Contains(err.Error(), "larger than 16MiB") {
		t.Errorf("got %v", err)
	}
}

func TestParseSize(t *testing.T) {
	tests := []struct {
		text string
		want int64 // -1: none
	}{
		{"0B", 0}, {"1B", 1}, {"1KiB", 1024}, {"16MiB", 16 << 20}, {"2GiB", 2 << 30}, {"1kB", 1000}, {"1KB", 1000}, {"3MB", 3e6},
		{"1GB", 1e9}, {"8589934591GiB", 8589934591 << 30}, {"8589934592GiB", -1}, {"", -1}, {"B", -1}, {"10", -1}, {"-1B", -1},
		{"+1B", -1}, {"1 B", -1}, {"1.5MiB", -1}, {"1mib", -1}, {"0x1B", -1}, {"1_0B", -1},
	}
	for _, test := range tests {
		got, ok := parseSize(test.text)
		if !ok {
			got = -1
		}
		if got != test.want {
			t.Errorf("parseSize(%q) = %d, want %d", test.text, got, test.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"upstream", "upstreams", "listen", "fuel", "file", "kv", "%2F"}
	tests := []struct{ written, want string }{
		{"upstreem", "upstream"}, {"Listen", "listen"}, {"lsiten", "listen"}, {"fule", "fuel"}, {"k", "kv"}, {"%2f", "%2F"},
		{"endpoint", ""}, {"", ""}, {"x", ""}, {strings.Repeat("upstream", 20), ""},
	}
	for _, test := range tests {
		want := ""
		if test.want != "" {
			want = `: did you mean "` + test.want + `"?`
		}
		if got := didYouMean(test.written, known); got != want {
			t.Errorf("didYouMean(%q) = %q, want %q", test.written, got, want)
		}
	}
}

func TestHeadersOfCollectorsAreSecret(t *testing.T) {
	for _, kind := range []string{"tracing", "metrics"} {
		c := mustParse(t, server+"["+kind+".otlp]\nendpoint = \"http://a\"\nheaders = { Api-Key = \"hush-hush\" }\n")
		if !c.Secret(kind+".otlp.headers.Api-Key") || c.Secret(kind+".otlp.endpoint") {
			t.Errorf("%s: the key may be shown, or the endpoint may not", kind)
		}
	}
}
