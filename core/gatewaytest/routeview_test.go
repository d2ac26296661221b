package gatewaytest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gateway"
)

// What explain says is what happens, for each of many requests to one gateway: the route that answers, or the status.
func TestExplainSaysWhatHappens(t *testing.T) {
	var toml strings.Builder
	for i, match := range []string{
		`path = "/a"`, `path = "/:x"`, `path = "/a/*rest"` + "\nmethods = [\"POST\"]", `path = "/:x/:y"` + "\nheaders = { X-V = \"1\" }", `path = "/*rest"` + "\nhost = \"*.example.com\"",
		`path = "/a/b"` + "\nquery = { q = true }" + "\nreject_encoded = [\"%2F\"]", `path = "/enc/*rest"` + "\nreject_encoded = [\"%2F\"]",
	} {
		fmt.Fprintf(&toml, "[[routes]]\nname = \"r%d\"\n%s\nrespond = { body = \"r%d\" }\n", i, match, i)
	}
	g := Start(t, toml.String())
	asked := 0
	for _, method := range []string{"GET", "POST", "PUT"} {
		for _, host := range []string{"localhost", "x.example.com", "EXAMPLE.com:80"} {
			for _, path := range []string{"/a", "/b", "/a/b", "/a/b?q=1", "/a/../b/", "/a//b", "/%61/c", "/enc/a%2fb", "/x/y/z", "/../x", "/a/%00"} {
				for _, field := range []string{"X-V: 1", "X-V: 2"} {
					e, err := g.Explain(gateway.Asked{Method: method, URL: path, Fields: []string{"Host: " + host, field}})
					if err != nil {
						t.Fatal(err)
					}
					status, _, body := g.Do(method, path, "", "Host: "+host, field)
					want, got := fmt.Sprint(status), fmt.Sprint(e.Status)
					if status == 200 {
						want, got = body, "none"
						if e.Route != nil && e.Status == 0 {
							got = e.Route.Name
						}
					}
					if asked++; got != want {
						t.Errorf("%s %s%s %s: explained %s, it was %s", method, host, path, field, got, want)
					}
				}
			}
		}
	}
	if asked < 150 {
		t.Errorf("only %d requests", asked)
	}
}
