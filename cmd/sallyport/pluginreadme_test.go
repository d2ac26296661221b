package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// The example in the README of every plugin is a whole gateway that `check` takes, plugin and configuration included, and shows every option.
func TestExamplesOfPlugins(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "plugins/*/README.md"))
	if err != nil || len(files) < 7 {
		t.Fatalf("%v, %v", files, err)
	}
	built, err := filepath.Abs(filepath.Join(root, "bin/plugins"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(built, name+".wasm")); err != nil {
				wat.Missing(t, name+".wasm")
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
			if len(blocks) != 1 {
				t.Fatalf("%d examples", len(blocks))
			}
			example := strings.NewReplacer("127.0.0.1:8080", "127.0.0.1:0", `"bin/plugins"`, `"`+built+`"`).Replace(blocks[0][1])
			path := filepath.Join(t.TempDir(), "gateway.toml")
			if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
				t.Fatal(err)
			}
			must(t, "check", "-c", path)
			for _, option := range regexp.MustCompile("(?m)^\\| `([a-z_]+)`").FindAllStringSubmatch(string(text), -1) {
				if !regexp.MustCompile(`\b` + option[1] + ` = `).MatchString(example) {
					t.Errorf("the example does not show %s", option[1])
				}
			}
		})
	}
}
