package gatewaytest

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// guideSources are what the blocks of code in a section of docs/PLUGINS.md are parts of.
var guideSources = map[string][]string{
	"Bodies": {"testdata/orders-go/main.go", "testdata/orders-rust/src/lib.rs"},
	"Calling other services": {
		"../../examples/ext-auth-go/main.go", "../../examples/ext-auth-go/main_test.go", "testdata/ext-auth-rust/src/lib.rs",
		"testdata/token-go/main.go", "testdata/token-rust/src/lib.rs", "../../sdk/rust/tests/reach.rs",
	},
	"Streaming": {"testdata/stream-go/main.go", "testdata/stream-rust/src/lib.rs"},
	"Tokens":    {"testdata/token-go/main.go", "testdata/token-rust/src/lib.rs"},
}

// What the guide shows is what is tested.
func TestGuideShowsPluginsThatAreTested(t *testing.T) {
	guide, err := os.ReadFile("../../docs/PLUGINS.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, files := range guideSources {
		_, section, found := strings.Cut(string(guide), "\n## "+heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		blocks := strings.Split(section, "```")
		if !found || len(blocks) < 2*2+1 {
			t.Errorf("the guide has no code in two languages under %q", heading)
		}
		for i := 1; i < len(blocks); i += 2 {
			_, code, _ := strings.Cut(blocks[i], "\n")
			if !slices.ContainsFunc(files, func(file string) bool { return strings.Contains(flat(t, file), flatten(code)) }) {
				t.Errorf("under %q, this is in none of %q:\n%s", heading, files, code)
			}
		}
	}
}

func flat(t *testing.T, file string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return flatten(string(source))
}

// flatten takes away what lines are indented by.
func flatten(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}
