package gatewaytest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/core/gateway"
	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// Plugins that use everything granted through the SDKs do the same, whatever they are built with.
func TestGrantsThroughTheSDKs(t *testing.T) {
	for _, tt := range []struct {
		name  string
		build func(t testing.TB) []byte
	}{
		{"TinyGo", func(t testing.TB) []byte { return toolchain.TinyGo(t, "testdata/granted-go") }},
		{"Go", func(t testing.TB) []byte { return toolchain.StockGo(t, "testdata/granted-go") }},
		{"Rust", func(t testing.TB) []byte { return toolchain.Rust(t, "testdata/granted-rust") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "plugins", "granted.wasm"), tt.build(t), 0o644); err != nil {
				t.Fatal(err)
			}
			g := StartIn(t, dir, grantsTOML("[plugins.granted]\nfuel = 1_000_000_000\ntime_limit = \"10s\"\n"+
				"grants = [\"kv\", \"kv:shared\", \"limit:login\", \"secret:hmac\"]\n", "hush", "2/d", "204"))
			for i, want := range []struct{ token, answer string }{
				{"a", "200 1 after nobody hush not granted"}, {"bb", "200 1 after a hush not granted"}, {"a", "200 2 after bb hush not granted"},
				{"a", "429 "}, {"forget", "200 1 after a hush not granted"}, {"forget", "200 2 after nobody hush not granted"},
			} {
				status, _, body := g.Get("/granted", "X-Token: "+want.token)
				if got := fmt.Sprint(status, " ", body); got != want.answer {
					t.Errorf("%d: got %q, want %q\n%s", i, got, want.answer, g.Logs())
				}
			}
			want := []gateway.MetricStatus{
				{Name: "requests", Labels: map[string]string{"by": "token"}, Kind: "counter", Value: 5},
				{Name: "token_bytes", Kind: "histogram", Value: 5, Sum: 16},
			}
			if diff := cmp.Diff(want, g.Status().Plugins["granted"].Metrics); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}
