package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestHTTP2TrailersBehindAKnownLength: that content is announced by its length does not cost it the trailers, whoever waits for them.
func TestHTTP2TrailersBehindAKnownLength(t *testing.T) {
	g, _ := startWith(t, "h2c", false, func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content)
		w.Header().Set(http.TrailerPrefix+"Sum", fmt.Sprint(r.ContentLength, err))
	})
	for _, size := range []int{1, 1000, 100_000} {
		content := strings.Repeat("x", size)
		r, err := http.NewRequest("POST", g.URL+"/", strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http2Client(t).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != content || resp.ContentLength != int64(size) {
			t.Errorf("got %d bytes of %d, %v", len(got), resp.ContentLength, err)
		}
		if got, want := resp.Trailer.Get("Sum"), fmt.Sprint(size, error(nil)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestHTTP2UndeclaredTrailers: net/http passes those trailers of a request on that a Trailer field has announced, and no others;
// the request is none the worse for it.
func TestHTTP2UndeclaredTrailers(t *testing.T) {
	seen := make(chan string, 1)
	g := Start(t, routes(Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		seen <- fmt.Sprint(string(content), err, r.Trailer)
	}), allToB))
	c := dialFrames(t, g, "")
	c.head(1, false, ":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/", "trailer", "declared")
	c.data(1, false, "abc")
	c.head(1, true, "declared", "1", "undeclared", "2")
	if got := c.answer(1); got.status != "200" {
		t.Errorf("got %+v", got)
	}
	if got, want := <-seen, "abc<nil> map[Declared:[1]]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
