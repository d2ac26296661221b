package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// TestSplitStickyRetry: a client that has a branch and an endpoint there gets one cookie for each, of the try that has answered, and keeps the branch when the
// endpoint fails.
func TestSplitStickyRetry(t *testing.T) {
	var broken atomic.Int64 // the backend that fails; 0: none
	backend := func(n int64) string {
		return Backend(t, func(w http.ResponseWriter, _ *http.Request) {
			if broken.Load() == n {
				w.WriteHeader(503)
				return
			}
			fmt.Fprint(w, n)
		})
	}
	g := Start(t, fmt.Sprintf(`[upstreams.a]
endpoints = [%q, %q]
sticky = { cookie = "pin" }
retry = { on = ["503"], backoff = "0s", max_backoff = "0s" }
[upstreams.b]
endpoints = [%q]
sticky = { cookie = "pin" }
[[routes]]
name = "all"
path = "/*rest"
split = [{ upstream = "a", weight = 1 }, { upstream = "b", weight = 0 }]
split_sticky = { cookie = "branch" }
`, backend(1), backend(2), backend(3)))
	cookies := func(fields http.Header) string {
		var list []string
		for _, set := range fields.Values("Set-Cookie") {
			cookie, _, _ := strings.Cut(set, ";")
			list = append(list, cookie)
		}
		return strings.Join(list, "; ")
	}
	_, fields, first := g.Get("/")
	brought := cookies(fields)
	if strings.Count(brought, "pin=") != 1 || strings.Count(brought, "branch=a") != 1 {
		t.Fatalf("got %q", brought)
	}
	for range 5 {
		if _, fields, text := g.Get("/", "Cookie: "+brought); text != first || cookies(fields) != "" {
			t.Errorf("got %s with %q, want %s", text, cookies(fields), first)
		}
	}
	broken.Store(int64(first[0] - '0'))
	code, fields, second := g.Get("/", "Cookie: "+brought)
	if moved := cookies(fields); code != 200 || second == first || strings.Count(moved, "pin=") != 1 || strings.Contains(moved, "branch=") {
		t.Errorf("got %d %s with %q", code, second, moved)
	}
}

// TestMirroredUpload: content that is announced or not, sent on, sent again and copied is the same everywhere; what is too long is refused, and not copied.
func TestMirroredUpload(t *testing.T) {
	var tries atomic.Int64
	copies := make(chan string, 10)
	main := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		if err == nil && tries.Add(1)%2 == 1 { // what was cut off may be noticed in the middle of the next one
			w.WriteHeader(503)
		}
		fmt.Fprint(w, string(content), err)
	})
	shadow := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		copies <- string(content)
	})
	g := Start(t, fmt.Sprintf(`[upstreams.main]
endpoints = [%q]
retry = { on = ["503"], backoff = "0s", max_backoff = "0s" }
limits = { max_requests = 2 }
[upstreams.shadow]
endpoints = [%q]
[[routes]]
name = "all"
path = "/*rest"
upstream = "main"
max_body = "40KiB"
mirror = { upstream = "shadow" }
concurrency = { limit = 1 }
`, main, shadow))
	for _, client := range []*http.Client{{}, http2Client(t)} {
		for _, length := range []int{10, 30_000} {
			content := strings.Repeat("x", length)
			for name, body := range map[string]io.Reader{"announced": strings.NewReader(content), "not": io.MultiReader(strings.NewReader(content))} {
				r := must(http.NewRequest("PUT", g.URL+"/", body))
				resp := must(client.Do(r))
				text := string(must(io.ReadAll(resp.Body)))
				resp.Body.Close()
				if resp.StatusCode != 200 || text != content+"<nil>" {
					t.Errorf("%d %s: got %d and %d bytes", length, name, resp.StatusCode, len(text))
				}
				if got := <-copies; got != content {
					t.Errorf("%d %s: a copy of %d bytes", length, name, len(got))
				}
				Until(t, "its room is back", func() bool { return g.Status().Traffic["all"].Concurrency.Active == 0 })
			}
		}
		resp, err := client.Do(must(http.NewRequest("PUT", g.URL+"/", io.MultiReader(strings.NewReader(strings.Repeat("x", 60_000))))))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != 413 {
				t.Errorf("too much: got %d", resp.StatusCode)
			}
		}
		Until(t, "its room is back, too", func() bool { return g.Status().Traffic["all"].Concurrency.Active == 0 })
		if m := g.Status().Traffic["all"].Mirror; len(copies) != 0 || m.Failed != 0 {
			t.Errorf("copies: %+v", m)
		}
	}
	Until(t, "nothing is in flight", func() bool { return g.Status().Upstreams["main"][0].Active == 0 })
}
