// Package exampletest starts a folder of examples as its README says, on free ports, and tries what the README shows.
package exampletest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// loopback matches the addresses that are moved: those of examples are all on this machine, with a port.
var loopback = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// Example is an example that runs. It ends with its test.
type Example struct {
	Config string // its gateway.toml, whose changes the gateway takes up

	t     testing.TB
	dir   string
	cache string            // of compiled plugins; never where plugins may be
	free  map[string]string // addresses by the ports of the files
	out   output.Text
}

// Start builds what `make build backend` builds, and has run.sh start it with the gateway.toml of the folder that the test is in. The plugins named
// must have been built into bin/plugins; else the test is skipped, or fails in CI.
func Start(t testing.TB, plugins ...string) *Example {
	t.Helper()
	for _, name := range plugins {
		if _, err := os.Stat("../../bin/plugins/" + name + ".wasm"); err != nil {
			wat.Missing(t, "bin/plugins/"+name+".wasm")
		}
	}
	return StartWith(t, nil)
}

// StartWith is Start with plugins beside gateway.toml, by their names, in place of those in bin/plugins.
func StartWith(t testing.TB, plugins map[string][]byte) *Example {
	t.Helper()
	e := &Example{t: t, dir: t.TempDir(), cache: t.TempDir(), free: map[string]string{}}
	for name, wasm := range plugins {
		if err := os.WriteFile(filepath.Join(e.dir, name+".wasm"), wasm, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.build()
	e.Config = e.copied("gateway.toml")
	e.run()
	return e
}

func (e *Example) build() {
	e.t.Helper()
	args := []string{"build", "-o", e.dir + "/", "./cmd/sallyport", "./examples/backend", "./examples/jwt/issuer"}
	cmd := exec.Command("go", args...)
	cmd.Dir = "../.."
	if text, err := cmd.CombinedOutput(); err != nil {
		e.t.Fatalf("%v\n%s", err, text)
	}
}

// copied copies a file of the folder with free ports for those that it has, and returns where to.
func (e *Example) copied(name string) string {
	e.t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		e.t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		e.t.Fatal(err)
	}
	moved := strings.NewReplacer("../../bin", root+"/bin", "../../.cache", e.cache).Replace(e.Moved(string(text)))
	file := filepath.Join(e.dir, name)
	if err := os.WriteFile(file, []byte(moved), 0o600); err != nil {
		e.t.Fatal(err)
	}
	return file
}

func (e *Example) run() {
	e.t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		e.t.Fatal(err)
	}
	cmd := exec.Command("../run.sh", filepath.Base(folder))
	cmd.Env = append(os.Environ(), "BIN="+e.dir, "CONFIG="+e.Config)
	cmd.Stdout, cmd.Stderr = &e.out, &e.out
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its status says how it was stopped
		close(ended)
	}()
	e.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // run.sh stops what it has started
		<-ended
		if e.t.Failed() {
			e.t.Log(e.out.String())
		}
	})
	e.Until("run.sh is ready", func() bool {
		select {
		case <-ended:
			e.t.Fatal("run.sh ended before it was ready")
		default:
		}
		return strings.Contains(e.out.String(), "Ctrl-C stops all.")
	})
}

// Moved returns a text of the example, such as one of its curl lines, with the addresses where it runs.
func (e *Example) Moved(text string) string {
	return loopback.ReplaceAllStringFunc(text, func(address string) string {
		if e.free[address] == "" {
			e.free[address] = free.Address(e.t)
		}
		return e.free[address]
	})
}

// Address returns where what the files have at 127.0.0.1 and this port is.
func (e *Example) Address(port string) string { return e.Moved("127.0.0.1:" + port) }

// Readme runs every curl line of the folder's README, and fails the test if one does not do what its comment says. It wants at least so many.
func (e *Example) Readme(atLeast int) {
	e.t.Helper()
	text, err := exec.Command("../../.ci/try", e.copied("README.md")).CombinedOutput()
	if done := strings.Count("\n"+string(text), "\nok "); err != nil || done < atLeast {
		e.t.Errorf("README.md: %d lines do what they say, want at least %d (%v)\n%s", done, atLeast, err, text)
	}
}

// Edit changes gateway.toml, as one who saves it in an editor does, and waits until the gateway serves from it.
func (e *Example) Edit(from, to string) {
	e.t.Helper()
	text, err := os.ReadFile(e.Config)
	if err != nil || !strings.Contains(string(text), from) {
		e.t.Fatalf("gateway.toml has no %q (%v)", from, err)
	}
	before := strings.Count(e.out.String(), taken)
	if err := os.WriteFile(e.Config+".new", []byte(strings.ReplaceAll(string(text), from, to)), 0o600); err != nil {
		e.t.Fatal(err)
	}
	if err := os.Rename(e.Config+".new", e.Config); err != nil {
		e.t.Fatal(err)
	}
	e.Until("the change is taken up", func() bool { return strings.Count(e.out.String(), taken) > before })
}

// taken is what the gateway logs when it has taken up a configuration.
const taken = `"msg":"reloaded"`

// Until waits for a condition, and fails the test if it does not come true in time.
func (e *Example) Until(what string, condition func() bool) {
	e.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatalf("waited in vain until %s", what)
		}
	}
}
