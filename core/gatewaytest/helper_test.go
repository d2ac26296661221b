package gatewaytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// helperVariable makes the test binary something else than a test: what its value says.
const helperVariable = "SALLYPORT_TEST_HELPER"

func TestMain(m *testing.M) {
	words := strings.Fields(os.Getenv(helperVariable))
	switch {
	case len(words) == 2 && words[0] == "backend":
		runBackend(words[1])
	case len(words) == 2 && words[0] == "counting":
		runCounting(words[1])
	case len(words) == 4 && words[0] == "transfer":
		runTransfer(words[1], words[2], words[3])
	case len(words) == 4 && words[0] == "idle":
		count, _ := strconv.Atoi(words[3])
		runIdle(words[1], words[2], count)
	default:
		os.Exit(m.Run())
	}
}

// helper starts the test binary as something else. It is killed at the test's end, unless it has ended by then.
func helper(t testing.TB, words string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVariable+"="+words)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // or have been waited for
	})
	return cmd
}

// backendProcess starts a server in a process of its own, listening on address, and waits until it does.
func backendProcess(t testing.TB, address string) *exec.Cmd {
	t.Helper()
	return listening(t, "backend", address)
}

// listening starts a helper of that kind, and waits until it listens on address.
func listening(t testing.TB, kind, address string) *exec.Cmd {
	t.Helper()
	cmd := helper(t, kind+" "+address)
	Until(t, "the backend listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return cmd
}

// runBackend answers /bytes?n= with so many bytes, /upload with how many came, /held after /release was asked for, /waiting with how many wait for that, and
// everything else with "fine".
func runBackend(address string) {
	holdRequests()
	zeros := make([]byte, 1<<20)
	http.HandleFunc("/bytes", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
		w.Header().Set("Content-Length", fmt.Sprint(n))
		if upgrade := r.Header.Get("Upgrade"); upgrade != "" {
			h := hijack(w, upgrade)
			defer h.Conn.Close()
			w = h
		}
		for ; n > 0; n -= int64(len(zeros)) {
			if _, err := w.Write(zeros[:min(n, int64(len(zeros)))]); err != nil {
				return
			}
		}
	})
	http.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "fine") })
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := http.Server{Addr: address, Protocols: &protocols}
	fmt.Fprintln(os.Stderr, "backend:", server.ListenAndServe())
}

// holdRequests has /held, /waiting and /release answered.
func holdRequests() {
	var waiting atomic.Int64
	release := make(chan struct{})
	http.HandleFunc("/held", func(w http.ResponseWriter, r *http.Request) {
		waiting.Add(1)
		<-release
	})
	http.HandleFunc("/waiting", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, waiting.Load()) })
	http.HandleFunc("/release", func(w http.ResponseWriter, r *http.Request) { close(release) })
}

// hijacked writes to a connection that has changed its protocol.
type hijacked struct {
	http.ResponseWriter
	net.Conn
}

func (h hijacked) Write(p []byte) (int, error) { return h.Conn.Write(p) }

func hijack(w http.ResponseWriter, upgrade string) hijacked {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", upgrade)
	return hijacked{w, c}
}

// runTransfer has size bytes sent each way on one connection, as often as count says: /bytes and /upload, at little cost.
func runTransfer(way, address, numbers string) {
	var size, count int64
	_, err := fmt.Sscanf(numbers, "%dx%d", &size, &count)
	if err == nil {
		err = transfer(way, address, size, count)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "transfer:", err)
		os.Exit(1)
	}
}

func transfer(way, address string, size, count int64) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute)) // whatever happens, it ends
	r, buf := bufio.NewReaderSize(c, 1<<20), make([]byte, 1<<20)
	for range count {
		if way == "tunnel" {
			fmt.Fprintf(c, "GET /bytes?n=%d HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", size)
		} else if way == "down" {
			fmt.Fprintf(c, "GET /bytes?n=%d HTTP/1.1\r\nHost: a\r\n\r\n", size)
		} else {
			fmt.Fprintf(c, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)
			for left := size; left > 0; left -= int64(len(buf)) {
				if _, err := c.Write(buf[:min(left, int64(len(buf)))]); err != nil {
					return err
				}
			}
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return err
		}
		if resp.StatusCode == 101 {
			resp.Body = io.NopCloser(io.LimitReader(r, size))
		}
		// The buffer is used only if the destination is nothing but a Writer.
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf); err != nil {
			return err
		}
	}
	return nil
}
