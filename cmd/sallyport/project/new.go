// Package project makes folders with new plugins, and builds plugins from their source.
package project

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/sdk"
)

//go:embed all:template
var templates embed.FS

// Languages returns the languages that New knows.
func Languages() []string { return []string{"go", "rust"} }

// New makes the folder dir with a plugin in one of the Languages, its tests and a copy of the SDK. It writes into no folder that is there
// already, unless that is empty.
func New(dir, name, language string) error {
	if err := checkName(name); err != nil {
		return err
	}
	files, err := contents(name, language)
	if err != nil {
		return err
	}
	switch entries, err := os.ReadDir(dir); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s is there already and not empty: nothing was written; take another name, or another folder with --dir", dir)
	}
	for _, name := range slices.Sorted(keysOf(files)) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// contents returns the files of a new plugin by their slash-separated names.
func contents(name, language string) (map[string][]byte, error) {
	names := naming{Name: name, Title: title(name, "-"), Type: title(name, "")}
	var source fs.FS
	switch language {
	case "go":
		names.UnitTest, source = "go test ./...", sdk.Go()
	case "rust":
		names.UnitTest, source = "cargo test", sdk.Rust()
	default:
		return nil, fmt.Errorf("no language %q: %s are known", language, strings.Join(Languages(), " and "))
	}
	files := map[string][]byte{".gitignore": []byte("*.wasm\n/target/\n")}
	err := names.fillAll(files, "template/"+language, "")
	for file, at := range map[string]string{"cases.toml.tmpl": name + ".test.toml", "README.md.tmpl": "README.md"} {
		if err == nil {
			err = names.fill(files, "template/"+file, at)
		}
	}
	if err == nil {
		err = copySDK(files, source)
	}
	return files, err
}

// naming is what the templates know.
type naming struct {
	Name     string // my-plugin
	Title    string // My-Plugin
	Type     string // MyPlugin
	UnitTest string // the command
}

// fillAll fills every template of a folder.
func (n *naming) fillAll(files map[string][]byte, folder, at string) error {
	entries, err := templates.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		from, to := folder+"/"+entry.Name(), path.Join(at, strings.TrimSuffix(entry.Name(), ".tmpl"))
		if entry.IsDir() {
			err = n.fillAll(files, from, to)
		} else {
			err = n.fill(files, from, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fill does without text/template: its reflection would keep every method of the whole gateway in the binary.
func (n *naming) fill(files map[string][]byte, from, to string) error {
	text, err := templates.ReadFile(from)
	if err != nil {
		return err
	}
	filled := strings.NewReplacer("{{.Name}}", n.Name, "{{.Title}}", n.Title, "{{.Type}}", n.Type, "{{.UnitTest}}", n.UnitTest).Replace(string(text))
	files[to] = []byte(filled)
	return nil
}

// copySDK adds the SDK in the folder sdk, without its own tests and what the sallyport command needs of it.
func copySDK(files map[string][]byte, source fs.FS) error {
	return fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") || name == "source.go" {
			return err
		}
		content, err := fs.ReadFile(source, name)
		files["sdk/"+name] = content
		return err
	})
}
