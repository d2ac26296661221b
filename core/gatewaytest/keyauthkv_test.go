package gatewaytest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/redis"
	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// Keys in a Redis are known when they are issued, and no longer when they are revoked: no gateway is told of either.
func TestIssuedKeys(t *testing.T) {
	server := redis.New(t)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plugins", "key-auth-kv.wasm"), toolchain.TinyGo(t, "../../plugins/key-auth-kv"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := StartIn(t, dir, upstreamsTOML("b", Backend(t, Echo))+fmt.Sprintf(`[stores.main]
redis = { addresses = [%q], timeout = "5s" }
[kv.keys]
store = "main"
[plugins.key-auth-kv]
grants = ["kv:keys"]
[[routes]]
name = "keys"
path = "/keys"
upstream = "b"
filters = [{ use = "key-auth-kv", on_error = "skip", config = { store = "keys", cache_unknown_seconds = 0 } }]
`, server.Addr))
	name := fmt.Sprintf("sallyport:kv:keys:key:%x", sha256.Sum256([]byte("k1")))
	want := func(status int, told string) {
		t.Helper()
		got, _, body := g.Get("/keys", "X-Api-Key: k1", "X-Consumer: root")
		if got != status || !strings.Contains(body, told) || strings.Contains(body, "root") || strings.Contains(body, "k1") {
			t.Errorf("got %d, want %d\n%s", got, status, body)
		}
	}
	want(401, "")
	server.Do("SET", name, `'{"consumer":"partner","groups":["beta"]}'`)
	want(200, "X-Consumer: partner")
	want(200, "X-Consumer-Groups: beta")
	server.Do("DEL", name)
	want(401, "")
	server.Do("SET", name, `'{"consumer":"partner","until":"2020-01-01"}'`)
	want(401, "")
	server.Kill()
	want(503, "")
}
