package admin

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/core/gateway"
)

type described struct {
	Paths map[string]map[string]struct {
		Summary    string
		Security   *[]any
		Parameters []struct{ Name, In string }
	}
	Components struct{ Schemas map[string]any }
}

// The document says what the mux serves: paths, methods, parameters in them, and what is open.
func TestOpenAPI(t *testing.T) {
	var doc described
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	type operation struct {
		Doc    string
		Open   bool
		InPath string
	}
	want, got := map[string]operation{}, map[string]operation{}
	for _, e := range (&api{Options: Options{Gateway: gateway.New(slog.New(slog.DiscardHandler))}}).endpoints() {
		path := strings.TrimSuffix(e.Pattern, "{$}")
		var names []string
		for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
			names = append(names, m[1])
		}
		want[e.Method+" "+path] = operation{e.Doc, e.Open, strings.Join(names, ",")}
	}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			var names []string
			for _, p := range o.Parameters {
				if p.In == "path" {
					names = append(names, p.Name)
				}
			}
			got[strings.ToUpper(method)+" "+path] = operation{o.Summary, o.Security != nil && len(*o.Security) == 0, strings.Join(names, ",")}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("endpoints (-mux +openapi.json):\n%s", diff)
	}
	for _, ref := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(string(openAPI), -1) {
		if doc.Components.Schemas[ref[1]] == nil {
			t.Errorf("there is no schema %s", ref[1])
		}
	}
}

// Nothing but probes and pages without secrets may be open, and nothing that changes something.
func TestWhatIsOpen(t *testing.T) {
	for _, e := range (&api{Options: Options{Gateway: gateway.New(slog.New(slog.DiscardHandler))}}).endpoints() {
		if e.Open && (e.Method != "GET" || !slices.Contains([]string{"/livez", "/readyz", "/{$}", "/dashboard/{file}"}, e.Pattern)) {
			t.Errorf("%s %s is open", e.Method, e.Pattern)
		}
	}
}
