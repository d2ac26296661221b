package exampletest

import (
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// The examples of plugins are modules of their own, or none of Go: what their READMEs show is tried from here.
func TestFirstPlugins(t *testing.T) {
	for language, build := range map[string]func(testing.TB, string) []byte{"go": toolchain.TinyGo, "rust": toolchain.Rust} {
		t.Run(language, func(t *testing.T) {
			t.Chdir("../first-plugin-" + language)
			e := StartWith(t, map[string][]byte{"first-plugin": build(t, ".")})
			e.Readme(2)
			e.Edit("hello from the sandbox", "hello again")
			r, err := http.Get("http://" + e.Address("8080") + "/orders/7")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			if got := r.Header.Get("X-First-Plugin"); got != "hello again" {
				t.Errorf("X-First-Plugin: %q", got)
			}
		})
	}
}
