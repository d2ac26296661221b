package gatewaytest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// The example in C was written from sdk/ABI.md alone: that page is all one needs.
func TestPluginInC(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	wasm := toolchain.C(t, "../../examples/plugin-c/plugin.c")
	if err := os.WriteFile(filepath.Join(dir, "plugins", "plugin-c.wasm"), wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	g := StartIn(t, dir, `
[server]
listen = ["127.0.0.1:0"]

[plugins.plugin-c]
grants = ["kv"]

[[routes]]
name = "counted"
path = "/counted"
respond = { status = 200 }
  [[routes.filters]]
  use = "plugin-c"
  config = { header = "X-Requests" }
`)
	for i, tt := range []struct {
		query  string
		status int
		count  string
	}{{"", 200, "1"}, {"?n=12", 200, "2"}, {"?n=1x", 422, ""}, {"?n=", 422, ""}, {"?n=12345678901234567", 422, ""}, {"?n=0", 200, "3"}} {
		status, header, body := g.Get("/counted" + tt.query)
		if got := header.Get("X-Requests"); status != tt.status || got != tt.count {
			t.Errorf("%d: got %d, count %q, %q", i, status, got, body)
		}
	}
}
