package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// http2Client returns a client that speaks HTTP/2 without TLS only.
func http2Client(t *testing.T) *http.Client {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

const http2Routes = `
[upstreams.backend]
endpoints = ["%s"]
[[routes]]
name = "small"
path = "/small"
upstream = "backend"
max_body = "10B"
[[routes]]
name = "all"
path = "/*rest"
upstream = "backend"
`

// TestHTTP2ToHTTP1 has many requests over HTTP/2 proxied to an HTTP/1.1 backend, across reloads.
func TestHTTP2ToHTTP1(t *testing.T) {
	backend := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Read")
		fmt.Fprintf(w, "%s %s %s %d %v", r.Method, r.URL, r.Host, len(content), err)
		w.Header().Set("X-Read", fmt.Sprint(len(content)))
	})
	routes := fmt.Sprintf(http2Routes, backend)
	g := Start(t, routes)
	client := http2Client(t)
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			content := strings.Repeat("x", i*3000)
			resp, err := client.Post(g.URL+"/a/../b?c", "text/plain", io.MultiReader(strings.NewReader(content)))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			want := fmt.Sprintf("POST /b?c %s %d <nil>", g.Addr, len(content))
			if err != nil || string(got) != want || resp.Trailer.Get("X-Read") != fmt.Sprint(len(content)) || resp.ProtoMajor != 2 {
				t.Errorf("got %q, %v, trailers %v; want %q", got, err, resp.Trailer, want)
			}
		})
		if i%10 == 0 {
			if err := g.ApplyText(routes); err != nil {
				t.Error(err)
			}
		}
	}
	wait.Wait()
}

// TestHTTP2TooLargeContent answers 413 while the client would still send.
func TestHTTP2TooLargeContent(t *testing.T) {
	g := Start(t, fmt.Sprintf(http2Routes, Backend(t, Echo)))
	content, more := io.Pipe()
	defer more.Close()
	go func() { _, _ = io.WriteString(more, strings.Repeat("x", 1000)) }()
	resp, err := http2Client(t).Post(g.URL+"/small", "text/plain", content)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 413 {
		t.Errorf("got %d, %v", resp.StatusCode, err)
	}
}
