package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// start serves a service on a free loopback port until the test ends.
func start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(newService("127.0.0.1:9001", t.Context().Done()))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTellsWhatArrived(t *testing.T) {
	url := start(t)
	req, err := http.NewRequest("GET", url+"/hello/world?q=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "127.0.0.1:8080"
	req.Header.Set("X-Forwarded-For", "127.0.0.1")
	req.Header.Set("X-First-Plugin", "hello")
	req.Header.Set("Authorization", "secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got answer
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Endpoint != "127.0.0.1:9001" || got.Method != "GET" || got.Host != "127.0.0.1:8080" || got.Path != "/hello/world" || got.Query != "q=1" {
		t.Errorf("got %+v", got)
	}
	if len(got.Headers) != 2 || got.Headers["X-Forwarded-For"] != "127.0.0.1" || got.Headers["X-First-Plugin"] != "hello" {
		t.Errorf("headers: got %v, want X-Forwarded-For and X-First-Plugin alone", got.Headers)
	}
	if n := len(body); n < 230 || n > 290 {
		t.Errorf("body: got %d bytes, want about 259", n)
	}
}

func TestStatus(t *testing.T) {
	url := start(t)
	for path, want := range map[string]int{
		"/status/200": 200, "/status/204": 204, "/status/304": 304, "/status/404": 404, "/status/503": 503,
		"/status/101": 400, "/status/600": 400, "/status/x": 400,
		"/slow?ms=1": 200, "/slow?ms=-1": 400, "/slow?ms=x": 400, "/bytes?n=x": 400, "/sse?n=x": 400, "/ws": 426,
	} {
		t.Run(path, func(t *testing.T) {
			resp, err := http.Get(url + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("got %d, want %d", resp.StatusCode, want)
			}
		})
	}
}

func TestBytes(t *testing.T) {
	url := start(t)
	for _, c := range []struct {
		query  string
		n      int64
		length int64
	}{
		{"n=0", 0, 0},
		{"n=259", 259, 259},
		{"n=10000000", 10_000_000, 10_000_000},
		{"n=10000000&chunked=1", 10_000_000, -1},
	} {
		t.Run(c.query, func(t *testing.T) {
			resp, err := http.Get(url + "/bytes?" + c.query)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			n, err := io.Copy(io.Discard, resp.Body)
			if err != nil || n != c.n || resp.ContentLength != c.length {
				t.Errorf("got %d bytes, Content-Length %d, %v; want %d, %d", n, resp.ContentLength, err, c.n, c.length)
			}
		})
	}
}

func TestEchoSendsBackWhileItReads(t *testing.T) {
	url := start(t)
	in, feed := io.Pipe()
	go feed.Write([]byte("first"))
	resp, err := http.Post(url+"/echo", "text/x-test", in)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != "first" {
		t.Fatalf("got %q, %v before the request's end", got, err)
	}
	go func() {
		feed.Write([]byte("second"))
		feed.Close()
	}()
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != "second" || resp.Header.Get("Content-Type") != "text/x-test" {
		t.Errorf("got %q (%s), %v", rest, resp.Header.Get("Content-Type"), err)
	}
}

func TestEventsEndByCount(t *testing.T) {
	resp, err := http.Get(start(t) + "/sse?n=3&ms=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(body), "\n\n"); got != 3 || !strings.Contains(string(body), "id: 3\ndata: {") {
		t.Errorf("got %d events: %q", got, body)
	}
}

func TestRunEndsEndlessAnswersWhenStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/sse?ms=3600000")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body := bufio.NewReader(resp.Body)
	if line, err := body.ReadString('\n'); err != nil || line != "id: 1\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, body); err != nil {
		t.Errorf("the stream broke instead of ending: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestRunRefusesAnAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := run(t.Context(), []string{"127.0.0.1:0", l.Addr().String()}); err == nil {
		t.Error("got no error")
	}
}
