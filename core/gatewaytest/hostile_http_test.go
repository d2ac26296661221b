package gatewaytest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// impatient are listener and route for tests of what takes too long.
const impatient = `[server]
listen = [{ address = "127.0.0.1:0", limits = { body_timeout = "500ms" } }]
drain_timeout = "5s"
`

const allToB = "[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"b\"\n"

// allToImpatientB expects an answer's content to go on, too.
const allToImpatientB = allToB + "idle_timeout = \"200ms\"\n"

// server plays an upstream on the raw connection: serve is called for each connection with the head of its first request read.
func server(t *testing.T, serve func(c *net.TCPConn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(30 * time.Second)) // whatever happens, the test ends
				r := bufio.NewReader(c)
				if readHead(r) == nil {
					serve(c.(*net.TCPConn), r)
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	return l.Addr().String()
}

func readHead(r *bufio.Reader) error {
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			return err
		}
	}
}

// inFlight is how many exchanges the endpoint b has.
func (g *Gateway) inFlight() int64 { return g.Status().Upstreams["b"][0].Active }

// dialRaw opens a connection with a deadline and sends a request as it is.
func dialRaw(t *testing.T, g *Gateway, request string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

const simpleGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// A client that asks for a lot and never reads must not hold the endpoint longer than body_timeout.
func TestClientThatNeverReads(t *testing.T) {
	g := Start(t, impatient+routes(Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(100<<20))
		io.Copy(w, &pattern{100 << 20})
	}), allToB))
	for range 4 {
		dialRaw(t, g, simpleGet)
	}
	// Whether all are in flight at one moment is a matter of luck: the first may have been given up before the last has come.
	Until(t, "the requests have come", func() bool { return g.Status().Upstreams["b"][0].Requests == 4 })
	Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
}

// What upstreams do wrong ends in an answer of the gateway, or in a connection that visibly breaks; never in a wait without end and
// never in an answer that looks whole.
func TestLyingUpstreams(t *testing.T) {
	tests := []struct {
		name, says string
		stays      bool   // the upstream keeps the connection open
		want       string // the status line's beginning, "" for a broken answer behind a 200, or a 502 where all came at once
	}{
		{"nothing", "", false, "HTTP/1.1 502"},
		{"half a head", "HTTP/1.1 200 OK\r\nConten", false, "HTTP/1.1 502"},
		{"garbage", "\x00\x01\x02 not http\r\n\r\n", true, "HTTP/1.1 502"},
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", true, "HTTP/1.1 502"},
		{"large head", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 200<<10), true, "HTTP/1.1 502"},
		{"many fields", "HTTP/1.1 200 OK\r\n" + strings.Repeat("a:\r\n", 3000) + "\r\n", true, "HTTP/1.1 502"},
		{"many connection options", "HTTP/1.1 200 OK\r\nConnection: " + strings.Repeat("x,", 100) + "\r\n\r\n", true, "HTTP/1.1 502"},
		{"1xx without end", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 10_000), true, "HTTP/1.1 103"},
		{"101 unasked", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", true, "HTTP/1.1 502"},
		{"differing lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", true, "HTTP/1.1 502"},
		{"length too large", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab", true, "HTTP/1.1 502"},
		{"cut in the content", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", false, ""},
		{"cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", false, ""},
		{"cut before the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", false, ""},
		{"stalls in the content", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", true, ""},
		{"stalls in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", true, ""},
		{"extension without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;" + strings.Repeat("x", 100<<10), true, ""},
		{"trailers without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n" + strings.Repeat("a: b\r\n", 10<<10), true, ""},
		{"chunk size overflows", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nfffffffffffffffff\r\n", true, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			backend := server(t, func(c *net.TCPConn, r *bufio.Reader) {
				io.WriteString(c, test.says)
				if test.stays {
					io.Copy(io.Discard, r) // until the gateway has had enough
				}
			})
			g := Start(t, impatient+routes(backend, allToImpatientB))
			c := dialRaw(t, g, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			answer, err := io.ReadAll(c)
			switch {
			case test.want != "" && !strings.HasPrefix(string(answer), test.want):
				t.Errorf("got %.200q, %v; want %s", answer, err, test.want)
			case test.want == "" && !strings.HasPrefix(string(answer), "HTTP/1.1 502") && looksWhole(answer):
				t.Errorf("got %.200q, which looks whole", answer)
			}
			if test.name == "1xx without end" && (!strings.Contains(string(answer), "HTTP/1.1 502") || strings.Count(string(answer), "HTTP/1.1 103") > 100) {
				t.Errorf("got %d bytes, want a bounded number of 103 and then 502", len(answer))
			}
			Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
		})
	}
}

func looksWhole(answer []byte) bool {
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(answer))), nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil
}

// An upstream that sends content where there must be none poisons nobody's answer.
func TestContentWhereNoneMayBe(t *testing.T) {
	for _, test := range []struct{ name, method, head string }{
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"},
		{"more than its length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"behind the last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
				for {
					io.WriteString(c, test.head+"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned")
					if readHead(r) != nil {
						return
					}
				}
			}), allToB))
			for range 20 {
				if _, _, body := g.Do(test.method, "/", ""); body != "" {
					t.Fatalf("got %q", body)
				}
			}
		})
	}
}

// Small and large uploads alike take their trailers along.
func TestRequestTrailersPass(t *testing.T) {
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err, r.Trailer.Get("X-Sum"))
	}), allToB))
	for _, size := range []int64{0, 5, 100_000} {
		r, err := http.NewRequest("POST", g.URL, &pattern{size})
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength, r.Trailer = -1, http.Header{"X-Sum": {"42"}}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if want := fmt.Sprint(size, nil, "42"); string(got) != want {
			t.Errorf("%d bytes: got %q, want %q", size, got, want)
		}
	}
}

// Clients that go in the middle of anything leave nothing behind.
func TestAbortedClientsLeaveNothing(t *testing.T) {
	g := Start(t, impatient+routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(20 * time.Second):
		}
	}), allToB))
	goroutines := runtime.NumGoroutine()
	starts := []string{
		"GET / HT",
		simpleGet,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nsome",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
	}
	var wait sync.WaitGroup
	for i := range 60 {
		wait.Go(func() {
			c, err := net.Dial("tcp", g.Addr)
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, starts[i%len(starts)])
			if i%2 == 0 {
				_ = c.(*net.TCPConn).SetLinger(0) // with a reset
			}
			c.Close()
		})
	}
	wait.Wait()
	Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
	Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
}

// Draining waits for bodies that are in flight, both ways.
func TestDrainWaitsForBodies(t *testing.T) {
	arrived, let := make(chan struct{}, 1), make(chan struct{})
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		fullDuplex(t, w)
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		arrived <- struct{}{}
		<-let
		io.Copy(w, r.Body)
	}), allToB))
	body, feed := io.Pipe()
	r, err := http.NewRequest("POST", g.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-arrived
	drained := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	go func() { drained <- g.Drain(ctx) }()
	Until(t, "nothing new is taken", func() bool {
		c, err := net.Dial("tcp", g.Addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	close(let)
	go func() {
		io.Copy(feed, &pattern{1 << 20})
		feed.Close()
	}()
	if got, want := sum(resp.Body), sum(&pattern{1 << 20}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := <-drained; err != nil {
		t.Errorf("draining: %v", err)
	}
}

// More connections than the limit wait; they are served when others go.
func TestConnectionLimit(t *testing.T) {
	g := Start(t, "[server]\nlisten = [{ address = \"127.0.0.1:0\", limits = { connections = 3 } }]\n"+routes(Backend(t, Echo), allToB))
	var held []*net.TCPConn
	for range 3 {
		c := dialRaw(t, g, simpleGet)
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	waiting := dialRaw(t, g, simpleGet)
	answered := make(chan error, 1)
	go func() {
		_, err := http.ReadResponse(bufio.NewReader(waiting), nil)
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("a fourth connection was served beside three (%v)", err)
	default:
	}
	held[0].Close()
	if err := <-answered; err != nil {
		t.Errorf("the fourth connection: %v", err)
	}
}

// nginx closes connections after three requests and after a short rest: whenever it does, no GET may fail.
func TestNginxClosesKeptConnections(t *testing.T) {
	g := Start(t, routes(startNginx(t, "keepalive_requests 3; keepalive_timeout 2ms; location / { return 200 fine; }"), allToB))
	var failed atomic.Int64
	var wait sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	for worker := range 8 {
		wait.Go(func() {
			for i := range 500 {
				// The pauses lie around nginx's own.
				timer := time.NewTimer(time.Duration((i*37+worker*11)%40) * 100 * time.Microsecond)
				<-timer.C
				resp, err := transport.RoundTrip(must(http.NewRequest("GET", g.URL, nil)))
				if err != nil {
					failed.Add(1)
					continue
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != 200 || string(body) != "fine" {
					failed.Add(1)
				}
			}
		})
	}
	wait.Wait()
	if n := failed.Load(); n != 0 {
		t.Errorf("%d requests failed", n)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// startNginx runs nginx for the test with one server block and returns its address.
func startNginx(t *testing.T, block string) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		wat.Missing(t, "nginx")
	}
	address := free.Address(t)
	dir := t.TempDir()
	conf := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log stderr;\nevents {}\nhttp { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; server { listen %[2]s; %[3]s } }\n", dir, address, block)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Error(err)
		}
	})
	Until(t, "nginx listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return address
}
