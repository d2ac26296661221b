package config

import (
	"os"
	"slices"
	"testing"
)

// The default config of the repository must be right, whether or not its plugins have been built.
func TestDefaultGatewayFile(t *testing.T) {
	data, err := os.ReadFile("../../gateway.toml")
	if err != nil {
		t.Fatal(err)
	}
	from := fakeSources()
	from.plugins = func(string) []string { return []string{"first-plugin", "ip-rules", "key-auth"} }
	c, err := parse("../../gateway.toml", data, from)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/hello/:name", "/private/*rest", "/internal/*rest", "/limited"} {
		if !slices.ContainsFunc(c.Routes, func(r Route) bool { return r.Path == path }) {
			t.Errorf("no route has the path %s", path)
		}
	}
	if got, want := c.Server.Listen[0].Address, "127.0.0.1:8080"; got != want {
		t.Errorf("listens on %s, want %s", got, want)
	}
	if c.Admin == nil || c.Admin.Listen != "127.0.0.1:9901" {
		t.Errorf("admin = %+v", c.Admin)
	}
}
