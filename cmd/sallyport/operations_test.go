package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest"
)

// operations returns docs/OPERATIONS.md.
func operations(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every block of sh in docs/OPERATIONS.md is run against a gateway with the root folder's config.
func TestOperationsCommands(t *testing.T) {
	built, err := filepath.Abs(filepath.Join(root, "bin/plugins"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(built, "key-auth.wasm")); err != nil {
		t.Skip("the plugins are not built: make plugins")
	}
	found := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(operations(t), -1)
	if len(found) < 5 {
		t.Fatalf("%d blocks of sh", len(found))
	}
	text, err := os.ReadFile(filepath.Join(root, "gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	r := launch(t, static("ready"))
	moved := strings.NewReplacer("127.0.0.1:8080", r.addr, "127.0.0.1:9901", r.admin)
	toml := strings.NewReplacer(`"bin/plugins"`, `"`+built+`"`, `".cache/wasm"`, `"cache"`).Replace(moved.Replace(string(text)))
	r.save(toml)
	gatewaytest.Until(t, "the config is in force", func() bool { _, body := r.get("http://" + r.addr + "/"); return strings.Contains(body, "Try /hello") })
	dir := filepath.Dir(r.file)
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(os.Args[0], filepath.Join(dir, "bin/sallyport")); err != nil {
		t.Fatal(err)
	}
	for _, block := range found {
		script := moved.Replace(block[1])
		if strings.Contains(script, "sallyport admin ") && !strings.Contains(usage, "sallyport admin") {
			continue // this build has no client for its admin interface
		}
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "SALLYPORT_TEST_PROCESS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s%v\n%s", script, err, out)
		}
	}
}

// Its links to headings lead to headings, and its links to files to files.
func TestOperationsLinks(t *testing.T) {
	headings := map[string]map[string]bool{}
	for _, link := range regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`).FindAllStringSubmatch(operations(t), -1) {
		if strings.Contains(link[1], "://") {
			continue
		}
		file := filepath.Join(root, "docs", link[1])
		if link[1] == "" {
			file = filepath.Join(root, "docs/OPERATIONS.md")
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%s: %v", link[0], err)
			continue
		}
		if link[2] == "" {
			continue
		}
		if headings[file] == nil {
			headings[file] = anchors(t, file)
		}
		if !headings[file][link[2]] {
			t.Errorf("%s leads to no heading", link[0])
		}
	}
}

// anchors are the places that headings of a document make, as GitHub names them.
func anchors(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		plain := regexp.MustCompile("[^a-z0-9 _-]").ReplaceAllString(strings.ToLower(heading[1]), "")
		found["#"+strings.ReplaceAll(plain, " ", "-")] = true
	}
	return found
}
