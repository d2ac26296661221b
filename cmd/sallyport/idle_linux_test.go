//go:build !race

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// idleBudget is what an idle gateway with five plugins may have in memory of its own, in KiB: 40 MiB resident in all, less the 19 MiB
// of the product's file that are. A test's file is larger, and says nothing about the product's.
const idleBudget = (40 - 19) << 10

// idleTOML has five plugins in a chain.
const idleTOML = `
[jwt.main]
secrets = ["0123456789abcdef0123456789abcdef"]
[plugins.jwt-auth]
grants = ["jwt:main"]
[[routes]]
name = "r"
path = "/"
respond = { status = 200 }
filters = [
  { use = "cors", config = { origins = ["https://a.example"] } },
  { use = "ip-rules", config = { deny = ["10.0.0.0/8"] } },
  { use = "key-auth", config = { keys = [{ key = "k", consumer = "c" }] } },
  { use = "transform", config = { request_headers = [{ set = "X-A", value = "1" }] } },
  { use = "jwt-auth", config = { keys = "main" } },
]
`

// An idle gateway with five plugins is small, even one that has just compiled them.
func TestIdleMemory(t *testing.T) {
	t.Setenv("GOMAXPROCS", "2") // each core has caches of its own
	r := launch(t, static("one"))
	if err := os.Mkdir(filepath.Join(filepath.Dir(r.file), "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cors", "ip-rules", "key-auth", "transform", "jwt-auth"} {
		module, err := os.ReadFile("../../bin/plugins/" + name + ".wasm")
		if err != nil {
			wat.Missing(t, "bin/plugins/"+name+".wasm")
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(r.file), "plugins", name+".wasm"), module, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.write(idleTOML)
	gatewaytest.Until(t, "the plugins answer", func() bool { status, _ := r.get("http://" + r.addr + "/"); return status == 401 })
	gatewaytest.Until(t, "little is resident", func() bool { return ownMemory(t, r.cmd.Process.Pid) <= idleBudget })
}

// ownMemory is what a process has resident that is no page of a file, in KiB.
func ownMemory(t *testing.T, pid int) (resident int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	if _, err := fmt.Sscan(rest, &resident); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return resident
}
