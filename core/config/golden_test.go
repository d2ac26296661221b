package config

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/golden"
)

// fakeSources hold a little world: two plugins, some variables and files.
func fakeSources() sources {
	env := map[string]string{"UPSTREAM_TOKEN": "Bearer hush-hush", "EMPTY": "", "ADMIN_TOKEN": "hush-hush-hush-hush", "ADMIN_TOKEN_SPACED": "hush hush hush hush", "BINARY": "hush-hush\xff", "TWO_LINES": "hush-hush\r\nX: y"}
	files := map[string]string{"/etc/sallyport/secret.txt": "hush-hush\r\n", "/etc/sallyport/blank.txt": "\n", "/etc/sallyport/schemas/order.json": "{}"}
	return sources{
		env: func(name string) (string, bool) { s, ok := env[name]; return s, ok },
		file: func(path string) ([]byte, error) {
			if s, ok := files[path]; ok {
				return []byte(s), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
		plugins: func(string) []string { return []string{"key-auth", "ip-rules", "compress"} },
		rest:    func() {},
	}
}

const goldenFile = "/etc/sallyport/gateway.toml"

// parsed is what a golden file says of a config: all that is wrong with it, or all that was read.
func parsed(t *testing.T, data []byte) string {
	t.Helper()
	c, err := parse(goldenFile, data, fakeSources())
	if err != nil {
		var list Errors
		if !errors.As(err, &list) {
			t.Fatalf("the error is a %T, not an Errors", err)
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("an error shows a secret:\n%v", err)
		}
		return err.Error() + "\n"
	}
	text, err := json.MarshalIndent(readable(c), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// readable shows the plugins' configs as JSON and not as the base64 of its bytes.
func readable(c *Config) map[string]any {
	configs := map[string]json.RawMessage{}
	for _, r := range c.Routes {
		for _, f := range r.Filters {
			if f.Config != nil {
				configs[f.Key] = f.Config
			}
		}
	}
	return map[string]any{"Config": c, "PluginConfigs": configs}
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Errorf("%d cases, want at least 40", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, "testdata/"+name+".golden", parsed(t, data))
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, doc := range documents(f) {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		from := fakeSources()
		c, err := parse(goldenFile, data, from)
		if err == nil && (c == nil || len(c.Server.Listen) == 0) {
			t.Errorf("accepted without anything to listen on: %q", data)
		}
		var list Errors
		if err != nil && (!errors.As(err, &list) || len(list) == 0) {
			t.Errorf("%q: an error without content: %#v", data, err)
		}
	})
}
