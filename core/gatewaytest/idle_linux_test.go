package gatewaytest

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

// idleConnections is how many the budget speaks of.
const idleConnections = 10_000

// TestIdleConnections: connections that have had their answer and are kept must cost little. What the more expensive kinds cost is
// only measured, when SALLYPORT_MEASURE is set: their handshakes take a while.
func TestIdleConnections(t *testing.T) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < idleConnections+1000 {
		t.Skipf("%d open files are too few: %v", files.Cur, err)
	}
	for _, kind := range []string{"http/1.1", "tls", "h2c", "h2"} {
		t.Run(kind, func(t *testing.T) {
			if kind != "http/1.1" && os.Getenv("SALLYPORT_MEASURE") == "" {
				t.Skip("only measured on demand")
			}
			heap, resident := idleCost(t, kind)
			t.Logf("%d connections: %d MiB of heap and stacks, %d MiB resident", idleConnections, heap>>20, resident>>20)
			if kind == "http/1.1" && heap > 150<<20 {
				t.Errorf("%d MiB", heap>>20)
			}
		})
	}
}

// idleCost returns the memory that idle connections take in a gateway.
func idleCost(t *testing.T, kind string) (heap, resident uint64) {
	ready := make(chan struct{})
	backend := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ready" {
			close(ready)
		}
	})
	const limits = "limits = { connections = 20_000, idle_timeout = \"10m\" }"
	server := fmt.Sprintf("[server]\nlisten = [{ address = %q, %s }]\n", listen, limits)
	if kind == "tls" || kind == "h2" {
		server = strings.Replace(secured(certs.New(t, "a.example"), ""), "tls =", limits+", tls =", 1)
	}
	g := Start(t, server+routes(backend, allToB))
	heapBefore, residentBefore := memory(t)
	client := helper(t, fmt.Sprintf("idle %s %s %d", kind, g.Addr, idleConnections))
	select {
	case <-ready:
	case <-time.After(3 * time.Minute): // thousands of connections, one after the other, on a machine that may have other work
		t.Fatal("the connections are not there")
	}
	heapAfter, residentAfter := memory(t)
	stop(t, client)
	return heapAfter - heapBefore, residentAfter - residentBefore
}

// memory returns what is in use once what can be given back has been.
func memory(t *testing.T) (heap, resident uint64) {
	t.Helper()
	debug.FreeOSMemory()
	debug.FreeOSMemory() // what pools hold goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size uint64
	if _, err := fmt.Sscan(string(status), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return m.HeapInuse + m.StackInuse, resident * uint64(os.Getpagesize())
}

func stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it tells of the signal
}
