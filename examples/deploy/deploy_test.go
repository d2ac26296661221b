// Package deploy holds only the tests of the files to deploy with.
package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/config"
)

const root = "../.."

// built is the command as the Dockerfile builds it, once for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sallyport-deploy")
	if err != nil {
		return "", err
	}
	image, err := readDockerfile("Dockerfile")
	if err != nil {
		return "", err
	}
	build := image.step("build", "RUN CGO_ENABLED=0 go build ")
	if build == "" {
		return dir, fmt.Errorf("the Dockerfile has no step that builds the command")
	}
	script := strings.ReplaceAll(strings.TrimPrefix(build, "RUN "), " /out/", " "+dir+"/")
	cmd := exec.Command("sh", "-euc", script)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "VERSION=tested")
	if text, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%s: %v\n%s", script, err, text)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := built(); dir != "" {
		_ = os.RemoveAll(dir) // what is left behind does no harm
	}
	os.Exit(code)
}

// command returns the path of the built command.
func command(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "usr/bin/sallyport")
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// plugins returns the folder of the plugins in the box, which `make plugins` has built.
func plugins(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(root, "bin/plugins"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "security-headers.wasm")); err != nil {
		t.Skip("the plugins are not built: make plugins, with Rust")
	}
	return dir
}

// settled returns a config file of the examples with paths of this machine in place of those that it will have.
func settled(t *testing.T, file string, paths ...string) (*config.Config, string) {
	t.Helper()
	text := strings.NewReplacer(paths...).Replace(read(t, file))
	cfg, err := config.Parse(filepath.Join(t.TempDir(), "gateway.toml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg, text
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
