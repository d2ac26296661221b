// Package core holds no code, only the test that keeps the house's shape.
package core

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sallyport/sallyport/"

// house says which of the project's packages each package may import. Everything not named here is refused: a new
// package, or a new edge between two, is a decision and gets its line.
var house = map[string][]string{
	// floor 1: open to all, or to themselves
	"core/header":   {},
	"core/fault":    {},
	"core/config":   {},
	"core/jwt":      {},
	"core/schema":   {},
	"core/limit":    {},
	"core/balance":  {},
	"core/discover": {},
	"core/nonblock": {},
	"core/store":    {"core/limit"},
	"core/pace":     {},
	"core/trace":    {},
	"core/password": {},
	// floor 2
	"core/exchange": {"core/header", "core/fault", "core/trace"},
	"core/http1":    {"core/header", "core/fault"},
	"core/grpc":     {"core/header", "core/fault"},
	// floor 3
	"core/chain":     {"core/header", "core/fault", "core/exchange"},
	"core/upstream":  {"core/header", "core/fault", "core/exchange", "core/trace", "core/http1", "core/balance", "core/nonblock", "core/key"},
	"core/engine":    {"core/header", "core/fault", "core/exchange", "core/http1", "core/nonblock"},
	"core/key":       {"core/exchange", "core/http1", "core/limit"},
	"core/metrics":   {"core/fault", "core/exchange"},
	"core/telemetry": {"core/header", "core/fault", "core/exchange", "core/trace"},
	// floor 4
	"core/route":        {"core/header", "core/fault", "core/exchange", "core/http1"},
	"core/plugin/abi":   {},
	"core/plugin/meter": {},
	"core/plugin":       {"core/header", "core/fault", "core/exchange", "core/trace", "core/http1", "core/chain", "core/plugin/abi", "core/plugin/meter"},
	"core/filter":       {"core/header", "core/fault", "core/exchange", "core/http1", "core/chain", "core/limit", "core/key"},
	"core/backend":      {"core/header", "core/fault", "core/exchange", "core/grpc", "core/upstream", "core/filter", "core/key"},
	// floor 5: the only translator of config
	"core/gateway": {"core/header", "core/fault", "core/exchange", "core/trace", "core/http1", "core/grpc", "core/config", "core/limit", "core/store", "core/jwt", "core/chain",
		"core/upstream", "core/engine", "core/metrics", "core/telemetry", "core/route", "core/plugin", "core/filter", "core/backend", "core/discover", "core/key", "core/pace",
		"core/password", "core/schema"},
	// floor 6
	"core/admin":  {"core/fault", "core/config", "core/gateway", "core/diff", "core/telemetry"},
	"core/reload": {},
	"core/diff":   {"core/config"},
	"core/cases":  {"core/header", "core/fault", "core/exchange", "core/http1", "core/config", "core/chain", "core/engine", "core/plugin", "core/gateway", "core/schema", "core/store"},
	// floor 7
	"cmd/sallyport":         {"core/admin", "core/diff", "core/cases", "core/config", "core/gateway", "core/pace", "core/plugin", "core/reload", "core/telemetry", "cmd/sallyport/project"},
	"cmd/sallyport/project": {"core/config", "sdk"},
	"cmd/bench":             {},
	// beside the house
	"core/gatewaytest":           {"core/config", "core/gateway", "core/gatewaytest/output"},
	"core/gatewaytest/certs":     {},
	"core/gatewaytest/free":      {},
	"core/gatewaytest/golden":    {},
	"core/gatewaytest/output":    {},
	"core/gatewaytest/redis":     {"core/gatewaytest/certs", "core/gatewaytest/free", "core/gatewaytest/wat"},
	"core/gatewaytest/wat":       {},
	"core/gatewaytest/toolchain": {"core/gatewaytest/wat"},
	"examples/backend":           {},
	"examples/cluster/balancer":  {},
	"examples/jwt/issuer":        {},
	"examples/exampletest":       {"core/gatewaytest/free", "core/gatewaytest/output", "core/gatewaytest/wat"},
}

func TestImportsGoDownOnly(t *testing.T) {
	for pkg, imports := range importsOf(t, "..") {
		allowed, known := house[pkg]
		if !known {
			t.Errorf("%s is not in the table", pkg)
			continue
		}
		for _, imported := range imports {
			if !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s, which the table does not allow", pkg, imported)
			}
		}
	}
}

func TestTableNamesNothingThatIsNotThere(t *testing.T) {
	there := importsOf(t, "..")
	for pkg := range house {
		if _, ok := there[pkg]; !ok {
			t.Errorf("%s is in the table, but there is no such package", pkg)
		}
	}
}

func TestTableHasNoCircle(t *testing.T) {
	var visit func(pkg string, path []string)
	visit = func(pkg string, path []string) {
		if slices.Contains(path, pkg) {
			t.Fatalf("circle: %s", strings.Join(append(path, pkg), " -> "))
		}
		for _, next := range house[pkg] {
			visit(next, append(slices.Clone(path), pkg))
		}
	}
	for pkg := range house {
		visit(pkg, nil)
	}
}

// importsOf returns, for each package of the module below root, the packages of the module that it imports outside of tests.
func importsOf(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{"testdata", "sdk", "plugins", ".git", "bin", ".cache"}, entry.Name()) && filepath.Dir(path) == root ||
				entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), "first-plugin") || strings.HasPrefix(entry.Name(), "ext-auth") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		return addImports(found, root, path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func addImports(found map[string][]string, root, path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	pkg := filepath.ToSlash(folder)
	found[pkg] = append(found[pkg], []string{}...)
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if name, ours := strings.CutPrefix(imported, module); ours {
			found[pkg] = append(found[pkg], name)
		}
	}
	return nil
}
