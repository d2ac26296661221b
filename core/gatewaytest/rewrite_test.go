package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

const mug = `{"item":"mug"}`

// startRewriting runs a gateway with a plugin that replaces the bodies of requests and of responses that have one. The first of its
// endpoints refuses connections.
func startRewriting(t *testing.T) (*Gateway, *shop) {
	t.Helper()
	s := &shop{}
	dir := t.TempDir()
	install(t, dir, "rewrites", "rewrites")
	return StartIn(t, dir, fmt.Sprintf(`[upstreams.b]
endpoints = [%q, %q]
[[routes]]
name = "one"
path = "/*rest"
upstream = "b"
filters = ["rewrites"]
[[routes]]
name = "two"
path = "/two/*rest"
strip_prefix = "/two"
upstream = "b"
filters = ["rewrites", "rewrites"]
[[routes]]
name = "skip"
path = "/skip/*rest"
strip_prefix = "/skip"
upstream = "b"
filters = [{ use = "rewrites", on_error = "skip" }]
`, free.Address(t), Backend(t, s.ServeHTTP))), s
}

func TestPluginsReplaceBodies(t *testing.T) {
	g, s := startRewriting(t)
	tests := []struct {
		name, method, path, body string
		chunked                  bool
		reached, want            string
		status                   int
		length                   int64
	}{
		{"with a length", "POST", "/", "hello", false, mug, mug, 200, 14},
		{"chunked, with trailers", "POST", "/", "hello", true, mug, mug, 200, 14},
		{"100 KiB", "POST", "/", strings.Repeat("x", 100<<10), false, mug, mug, 200, 14},
		{"100 KiB, chunked", "POST", "/", strings.Repeat("x", 100<<10), true, mug, mug, 200, 14},
		{"no body before", "GET", "/", "", false, mug, mug, 200, 14},
		{"twice", "POST", "/two/", "hello", false, mug, mug, 200, 14},
		{"trailers of the answer stay", "GET", "/chunked", "", false, mug, mug, 200, -1},
		{"HEAD", "HEAD", "/just", "", false, mug, "", 200, -1},
		{"204", "GET", "/none", "", false, mug, "", 204, 0},
		{"a failure takes it back", "POST", "/skip/?fail=1", "hello", false, "hello", "hello", 200, 5},
		{"a failure takes it back, chunked", "POST", "/skip/?fail=1", "hello", true, "hello", "hello", 200, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := send(t, g, tt.method, tt.path, tt.body, "1", tt.chunked)
			if resp.StatusCode != tt.status || body != tt.want || resp.ContentLength != tt.length {
				t.Errorf("got %d, %d bytes, %.50q; want %d, %d, %q", resp.StatusCode, resp.ContentLength, body, tt.status, tt.length, tt.want)
			}
			if tt.path == "/chunked" && resp.Trailer.Get("Checksum") != "abc" {
				t.Errorf("the trailers are %v", resp.Trailer)
			}
			seen := s.take()
			if len(seen) != 1 || seen[0].body != tt.reached || tt.chunked != (seen[0].trailer.Get("Checksum") == "abc") {
				t.Errorf("the upstream saw %.100v", seen)
			}
		})
	}
}

// holding starts a gateway with a plugin that has all bodies held and writes none.
func holding(t *testing.T, handler http.HandlerFunc, hooks string) *Gateway {
	t.Helper()
	dir := t.TempDir()
	install(t, dir, "holds", hooks)
	return StartIn(t, dir, routes(Backend(t, handler), allToB+"filters = [\"holds\"]\n"))
}

// An upstream that answers before it has read the request: the answer is held and passed on all the same.
func TestHeldAnswerAheadOfTheRequestsEnd(t *testing.T) {
	g := holding(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(403)
		io.WriteString(w, "no, 7 times")
	}, "holdsanswers")
	for _, method := range []string{"POST", "HEAD"} {
		c := dialRaw(t, g, method+" / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
		if _, err := io.WriteString(c, strings.Repeat("x", 100<<10)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if !strings.HasPrefix(string(answer), "HTTP/1.1 403") || (method == "POST") != strings.HasSuffix(string(answer), "no, 7 times") {
			t.Errorf("%s: got %q, %v", method, answer, err)
		}
	}
	Until(t, "the endpoint is free", func() bool { return g.inFlight() == 0 })
}

// Bodies of exchanges that run at once, some of which are given up half-way, never mix.
func TestHeldBodiesDoNotMix(t *testing.T) {
	g := holding(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // one cut short is not looked at
		if len(body)%2 == 0 {
			w.WriteHeader(200)
			w.(http.Flusher).Flush() // the answer comes in chunks
		}
		w.Write(body)
	}, "holds")
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 60 {
				size := (worker*7919 + i*104729) % (48 << 10)
				body := strings.Repeat(fmt.Sprintf("%d-%d,", worker, i), size)[:size]
				if i%10 == 9 {
					c := dialRaw(t, g, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"+body)
					c.Close()
					continue
				}
				resp, got := send(t, g, "POST", "/", body, "1", i%3 == 0)
				if resp.StatusCode != 200 || got != body {
					t.Errorf("%d bytes: got %d, %d bytes, %.40q", size, resp.StatusCode, len(got), got)
				}
			}
		})
	}
	wait.Wait()
}
