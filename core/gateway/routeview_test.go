package gateway

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/core/config"
)

// The chains that are shown are those that were built, and the routes of a file are those of a gateway with it.
func TestChainsAsTheyRun(t *testing.T) {
	cfg, err := config.Parse(t.TempDir()+"/gateway.toml", []byte(`
[server]
listen = ["127.0.0.1:0"]
concurrency = { limit = 10 }
[[filters]]
use = "headers"
request = { remove = ["X"] }
[[routes]]
name = "a"
path = "/a"
respond = {}
concurrency = { limit = 1 }
filters = [{ use = "ratelimit", rate = "1/s" }, "compress"]
[[routes]]
name = "b"
path = "/b"
respond = {}
`))
	if err != nil {
		t.Fatal(err)
	}
	g := New(slog.New(slog.DiscardHandler))
	defer func() { _ = g.Drain(context.Background()) }()
	if err := g.Apply(cfg); err != nil {
		t.Fatal(err)
	}
	of, err := RoutesOf(cfg)
	if err != nil || len(of) != 2 {
		t.Fatal(of, err)
	}
	for i, view := range g.Routes() {
		if view.Name != of[i].Name || view.Rank != i+1 {
			t.Errorf("the gateway has %s where the file has %s", view.Name, of[i].Name)
		}
		for n := range g.Current().routes {
			if r := &g.Current().routes[n]; r.name == view.Name {
				var built, shown []string
				for _, step := range r.chain.Steps() {
					built = append(built, step.Name)
				}
				for _, step := range view.Chain {
					shown = append(shown, step.Name)
				}
				if !slices.Equal(built, shown) {
					t.Errorf("%s: built %v, shown %v", view.Name, built, shown)
				}
			}
		}
	}
}
