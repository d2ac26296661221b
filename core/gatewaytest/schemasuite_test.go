package gatewaytest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/google/jsonschema-go/jsonschema" // whose module has the test suite

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// schemaGroup is a schema of the JSON-Schema-Test-Suite with its tests.
type schemaGroup struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}

	file, id string
}

// suiteFolder is where the Go command keeps the module with the suite.
func suiteFolder(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/jsonschema-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "jsonschema", "testdata")
}

func readSuite(t *testing.T, folder string) (groups []*schemaGroup) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list []*schemaGroup
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatal(err)
		}
		for _, g := range list {
			var head struct {
				ID string `json:"$id"`
			}
			_ = json.Unmarshal(g.Schema, &head) // a boolean has none
			g.file, g.id = strings.TrimSuffix(filepath.Base(file), ".json"), head.ID
		}
		groups = append(groups, list...)
	}
	return groups
}

// remoteSchemas are the documents that the suite wants to have served at http://localhost:1234, as schemas of the gateway.
func remoteSchemas(t *testing.T, folder, draft, other string) string {
	t.Helper()
	toml, n := "", 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && entry.Name() == other {
			return cmpErr(err, fs.SkipDir)
		}
		name, _ := filepath.Rel(folder, path)
		// One document refers to a part of itself by the $id that the part has in its own draft alone.
		if !strings.HasSuffix(path, ".json") || draft == "draft-07" && name == "nested-absolute-ref-to-string.json" {
			return nil
		}
		n++
		toml += fmt.Sprintf("[schemas.remote%d]\nfile = %q\nid = %q\ndraft = %q\n", n, path, "http://localhost:1234/"+filepath.ToSlash(name), draft)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return toml
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Every required test of the JSON-Schema-Test-Suite for draft 2020-12, and those for draft-07, through routes with validate. A gateway has all schemas
// that can stand in one file: two of the same $id cannot.
func TestJSONSchemaSuiteThroughValidate(t *testing.T) {
	folder := suiteFolder(t)
	wasm := toolchain.TinyGo(t, "../../plugins/validate")
	for _, draft := range []struct {
		name, folder, other string
		least               int
	}{{"2020-12", "draft2020-12", "draft7", 1099}, {"draft-07", "draft7", "draft2020-12", 913}} {
		t.Run(draft.name, func(t *testing.T) {
			remotes := remoteSchemas(t, filepath.Join(folder, "remotes"), draft.name, draft.other)
			passed, gateways := 0, 0
			for rest := readSuite(t, filepath.Join(folder, draft.folder)); len(rest) > 0; gateways++ {
				var batch, later []*schemaGroup
				seen := map[string]bool{}
				for _, g := range rest {
					if g.id != "" && seen[g.id] {
						later = append(later, g)
						continue
					}
					seen[g.id] = true
					batch = append(batch, g)
				}
				passed += runSuite(t, wasm, remotes, draft.name, batch)
				rest = later
			}
			if passed < draft.least {
				t.Errorf("%d passed, want %d", passed, draft.least)
			}
			t.Logf("%d tests passed, in %d gateways", passed, gateways)
		})
	}
}

// runSuite sends every test's data to a route with its schema, and returns how many were answered as they should be.
func runSuite(t *testing.T, wasm []byte, remotes, draft string, batch []*schemaGroup) (passed int) {
	t.Helper()
	var toml, grants strings.Builder
	toml.WriteString(remotes)
	for i, g := range batch {
		fmt.Fprintf(&toml, "[schemas.g%d]\ndraft = %q\nschema = %s\n", i, draft, tomlText(t, g.Schema))
		fmt.Fprintf(&toml, "[[routes]]\nname = \"g%d\"\npath = \"/g%d\"\nrespond = { status = 200 }\nfilters = [{ use = \"validate\", config = { body = { schema = \"g%d\" } } }]\n", i, i, i)
		fmt.Fprintf(&grants, "\"schema:g%d\",", i)
	}
	fmt.Fprintf(&toml, "[plugins.validate]\ngrants = [%s]\n", grants.String())
	toml.WriteString("max_instances = 1000\n")
	g := startPlugin(t, "validate", wasm, toml.String())
	for i, group := range batch {
		for _, test := range group.Tests {
			status, _, body := g.Do("POST", fmt.Sprintf("/g%d", i), string(test.Data), "Content-Type: application/json")
			if want := map[bool]int{true: 200, false: 400}[test.Valid]; status != want {
				t.Errorf("%s: %s: %s: got %d, want %d\n%s\n%s", group.file, group.Description, test.Description, status, want, group.Schema, body)
				continue
			}
			passed++
		}
	}
	return passed
}

// tomlText writes JSON as a string of TOML: what JSON escapes, TOML does, too, but for the solidus.
func tomlText(t *testing.T, text []byte) string {
	t.Helper()
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(string(text)); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "\x7f", `\u007f`)
}
