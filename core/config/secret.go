package config

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// sources are what Parse looks at beside the file itself.
type sources struct {
	env     func(name string) (string, bool)
	file    func(path string) ([]byte, error)
	plugins func(folder string) []string // names of the plugin files in it
	rest    func()                       // called between small steps
}

func systemSources() sources {
	return sources{env: os.LookupEnv, file: readSecret, plugins: pluginFiles, rest: func() {}}
}

// pluginFiles returns the stems of the .wasm files in folder; none if it cannot be read.
func pluginFiles(folder string) []string {
	entries, _ := os.ReadDir(folder) // a missing folder holds no plugins: what is missing from it is told where it is named
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".wasm"); ok && name != "" && !entry.IsDir() {
			names = append(names, name)
		}
	}
	return names
}

// maxSecret is the most bytes that a `{ file = "…" }` may have.
const maxSecret = 1 << 20

// readSecret reads somewhat more than is allowed, so that too much is noticed and no device is read for ever.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSecret+3))
}

// isReference reports whether v is a table that stands for a value kept elsewhere: { env = "NAME" } or { file = "path" }.
func (v value) isReference() bool {
	table, _ := v.raw.(map[string]any)
	return len(table) == 1 && (v.has("env") || v.has("file"))
}

// resolve returns what a reference stands for. Messages name the variable or the file, never what is in it.
func (v value) resolve() (string, bool) {
	v.r.config.secrets[v.key] = true
	if v.has("env") {
		return v.child("env").fromEnv()
	}
	return v.child("file").fromFile()
}

func (v value) fromEnv() (string, bool) {
	name, ok := v.text("the name of an environment variable")
	if !ok {
		return "", false
	}
	secret, ok := v.r.sources.env(name)
	switch {
	case !ok:
		v.fail("the environment variable %q is not set", name)
	case secret == "":
		v.fail("the environment variable %q is empty", name)
	case !utf8.ValidString(secret):
		v.fail("the environment variable %q holds something that is not UTF-8", name)
	default:
		return secret, true
	}
	return "", false
}

// fromFile takes away one line end, which editors put behind whatever is written.
func (v value) fromFile() (string, bool) {
	var path string
	if v.path(&path); path == "" {
		return "", false
	}
	data, err := v.r.sources.file(path)
	secret := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case err != nil:
		v.fail("cannot read: %v", err)
	case secret == "":
		v.fail("the file %q is empty", path)
	case len(secret) > maxSecret:
		v.fail("the file %q is larger than %s", path, sizeText(maxSecret))
	case !utf8.ValidString(secret):
		v.fail("the file %q holds something that is not UTF-8", path)
	default:
		return secret, true
	}
	return "", false
}

// secretText reads a string, or a reference to one. An empty string is one, too.
func (v value) secretText(wanted string) (string, bool) {
	if v.isReference() {
		return v.resolve()
	}
	s, ok := v.raw.(string)
	if !ok {
		v.wrongType(`a string (` + wanted + `), or { env = "NAME" } or { file = "path" }`)
	}
	return s, ok
}

// path reads a file's path. A relative one starts at the config file's folder.
func (v value) path(dst *string) {
	s, ok := v.text("a path")
	if !ok {
		return
	}
	if strings.ContainsRune(s, 0) {
		v.fail("a path cannot hold a NUL")
		return
	}
	if !filepath.IsAbs(s) {
		s = filepath.Join(v.r.folder, s)
	}
	*dst = filepath.Clean(s)
}

// Secret reports whether what stands at key, or at one of its ancestors, came from the environment or a file, so that it
// must not be shown.
func (c *Config) Secret(key string) bool {
	for ; key != ""; key = parent(key) {
		if c.secrets[key] {
			return true
		}
	}
	return false
}
