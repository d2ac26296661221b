package gatewaytest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// eachBuild runs a test with a plugin that is there in both languages, built by each of the toolchains.
func eachBuild(t *testing.T, goDir, rustDir string, test func(t *testing.T, wasm []byte)) {
	t.Run("TinyGo", func(t *testing.T) { test(t, toolchain.TinyGo(t, goDir)) })
	t.Run("Go", func(t *testing.T) { test(t, toolchain.StockGo(t, goDir)) })
	t.Run("Rust", func(t *testing.T) { test(t, toolchain.Rust(t, rustDir)) })
}

// startPlugin starts a gateway with a plugin in its folder.
func startPlugin(t *testing.T, name string, wasm []byte, toml string) *Gateway {
	t.Helper()
	g := newPlugin(t, name, wasm)
	if err := g.ApplyText(toml); err != nil {
		t.Fatalf("the gateway did not start:\n%v", err)
	}
	g.Addr = g.Addresses()[listen]
	g.URL = "http://" + g.Addr
	return g
}

func newPlugin(t *testing.T, name string, wasm []byte) *Gateway {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plugins", name+".wasm"), wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	return newIn(t, dir)
}
