// Package cluster holds only the test of the example.
package cluster

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// cluster is the example as run.sh has started it, on free ports.
type cluster struct {
	balancer string
	gateway  string // the first
	pids     [2]int // of the gateways
	out      *output.Text
}

func start(t *testing.T) *cluster {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		wat.Missing(t, "redis-server")
	}
	dir := t.TempDir()
	for name, pkg := range map[string]string{"sallyport": "../../cmd/sallyport", "backend": "../backend", "balancer": "./balancer"} {
		if text, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	at := moved(t, dir)
	c := &cluster{balancer: at["8080"], gateway: at["8081"], out: &output.Text{}}
	cmd := exec.Command("./run.sh")
	cmd.Env = append(os.Environ(), "BIN="+dir, "CONFIGS="+dir, "REDIS="+at["6390"], "SAMPLE="+at["9001"], "BALANCER="+at["8080"])
	cmd.Stdout, cmd.Stderr = c.out, c.out
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // run.sh stops what it has started
		_ = cmd.Wait()                          // its status says how it was stopped
		if t.Failed() {
			t.Log(c.out)
		}
	})
	until(t, "run.sh is ready", func() bool { return strings.Contains(c.out.String(), "are ready behind") })
	for i, pid := range regexp.MustCompile(`gateway \d: pid (\d+)`).FindAllStringSubmatch(c.out.String(), -1) {
		c.pids[i], _ = strconv.Atoi(pid[1]) // digits
	}
	return c
}

// moved copies the configs with free ports for those that they have, and returns which is where. On a slow machine Redis is waited for:
// a gateway that gives it up counts by itself, and then it is not the limit of both that is looked at.
func moved(t *testing.T, dir string) map[string]string {
	t.Helper()
	at := map[string]string{}
	for _, port := range []string{"8080", "8081", "8082", "9901", "9902", "6390", "9001"} {
		at[port] = free.Address(t)
	}
	for _, name := range []string{"gateway-1.toml", "gateway-2.toml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).ReplaceAllStringFunc(string(data), func(address string) string {
			return at[strings.TrimPrefix(address, "127.0.0.1:")]
		})
		patient := strings.Replace(text, `timeout = "20ms"`, `timeout = "5s"`, 1)
		if patient == text {
			t.Fatalf("%s has no timeout of 20ms for Redis", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(patient), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return at
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// client is one connection through the balancer.
type client struct {
	net.Conn
	r *bufio.Reader
}

func (c *cluster) dial() (client, error) {
	conn, err := net.Dial("tcp", c.balancer)
	if err != nil {
		return client{}, err
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // whatever happens, it ends
	return client{conn, bufio.NewReader(conn)}, nil
}

// get sends a request and returns the answer's status.
func (c client) get(path string) (int, error) {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\nX-Api-Key: k\r\n\r\n", path); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// count sends n requests, each on a connection of its own, and returns how many were answered 200; the others must be 429.
func (c *cluster) count(t *testing.T, path string, n int) (ok int) {
	t.Helper()
	for range n {
		one, err := c.dial()
		if err != nil {
			t.Fatal(err)
		}
		status, err := one.get(path)
		one.Close()
		if err != nil || status != 200 && status != 429 {
			t.Fatalf("%s: status %d, %v\n%s", path, status, err, c.out)
		}
		if status == 200 {
			ok++
		}
	}
	return ok
}

// Limits hold across both gateways, and a gateway that is killed under load takes with it nothing but its open connections.
func TestCluster(t *testing.T) {
	c := start(t)
	began := time.Now()
	back := func() int { return int(time.Since(began) / time.Minute) } // how many the limit lets through again, at most
	if got := c.count(t, "/limited", 100); got < 50 || got > 50+back() {
		t.Errorf("%d of 100 are let through, want 50", got)
	}
	if got := c.count(t, "/plans", 10); got != 10 {
		t.Errorf("%d of 10 are let through by both limits", got)
	}
	const clients = 16
	var served [clients]atomic.Int64
	var lost, wrong atomic.Int64
	var stop atomic.Bool
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop.Store(true)
	for i := range clients {
		wait.Go(func() {
			one, err := c.dial()
			for !stop.Load() {
				status := 0
				if err == nil {
					status, err = one.get("/load")
				}
				switch {
				case err != nil:
					lost.Add(1)
					if one.Conn != nil {
						one.Close()
					}
					one, err = c.dial()
				case status != 200:
					wrong.Add(1)
				default:
					served[i].Add(1)
				}
			}
			if err == nil {
				one.Close()
			}
		})
	}
	// serve waits until each client has had so many answers more: one that has lost its connection has noticed then.
	serve := func(more int64) {
		var goals [clients]int64
		for i := range served {
			goals[i] = served[i].Load() + more
		}
		for i, goal := range goals {
			until(t, "all are served", func() bool { return served[i].Load() >= goal })
		}
	}
	serve(30)
	if err := syscall.Kill(c.pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "its connections are gone", func() bool { return lost.Load() >= clients/2 })
	until(t, "it takes no connection any more", func() bool { return !listens(c.gateway) })
	serve(10)
	before := lost.Load()
	serve(120)
	// Beside those that it had, some may have come while the system closed what it left behind.
	if got := lost.Load(); before > clients || got != before || wrong.Load() != 0 {
		t.Errorf("%d requests were lost, %d of them later, and %d answered wrongly; want about %d connections", got, got-before, wrong.Load(), clients/2)
	}
	t.Logf("%d requests lost with the gateway that was killed", lost.Load())
	if got := c.count(t, "/limited", 20); got > 1+back() {
		t.Errorf("the other gateway lets %d through: the limit was used up", got)
	}
}
