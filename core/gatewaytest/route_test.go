package gatewaytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func routes(backend, rest string) string {
	return fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\n%s", backend, rest)
}

func TestRouting(t *testing.T) {
	g := Start(t, routes(Backend(t, Echo), `
[[routes]]
name = "users"
path = "/users/:id"
upstream = "b"
[[routes]]
name = "me"
path = "/users/me"
methods = ["GET", "POST"]
respond = { status = 200, body = "it is me", headers = { "Content-Type" = "text/plain" } }
[[routes]]
name = "api"
host = "api.example.com"
path = "/users/:id"
respond = { status = 200, body = "api" }
[[routes]]
name = "wild"
host = "*.example.com"
path = "/users/:id"
respond = { status = 200, body = "wild" }
[[routes]]
name = "strip"
path = "/strip/*rest"
strip_prefix = "/strip"
upstream = "b"
[[routes]]
name = "rewrite"
path = "/old/:a/:b"
rewrite = "/new/:b/:a"
upstream = "b"
[[routes]]
name = "redirect"
path = "/moved/*rest"
redirect = { to = "https://other.example/x/*rest", status = 308 }
[[routes]]
name = "named"
path = "/named"
upstream_host = "orders.internal"
upstream = "b"
[[routes]]
name = "encoded"
path = "/encoded/*rest"
reject_encoded = ["%2F"]
upstream = "b"
`))
	tests := []struct {
		name, method, path, host string
		status                   int
		want                     string // in the body, or in Location
	}{
		{"parameter", "GET", "/users/7?q=1", "", 200, "GET /users/7?q=1 host=" + g.Addr},
		{"static before parameter", "GET", "/users/me", "", 200, "it is me"},
		{"static with another method falls back to the parameter", "DELETE", "/users/me", "", 200, "DELETE /users/me"},
		{"exact host", "GET", "/users/1", "API.example.com:8080", 200, "api"},
		{"wildcard host", "GET", "/users/1", "a.b.example.com", 200, "wild"},
		{"wildcard is not the bare domain", "GET", "/users/1", "example.com", 200, "host=example.com"},
		{"strip_prefix", "GET", "/strip/a/b?x=y", "", 200, "GET /a/b?x=y"},
		{"strip_prefix to the root", "GET", "/strip", "", 200, "GET / "},
		{"rewrite", "GET", "/old/1/2", "", 200, "GET /new/2/1"},
		{"redirect", "GET", "/moved/a/b?q=1", "", 308, "https://other.example/x/a/b?q=1"},
		{"upstream_host", "GET", "/named", "", 200, "host=orders.internal"},
		{"not found", "GET", "/nothing", "", 404, "Not Found"},
		{"dot segments are resolved before matching", "GET", "/x/../users/./me", "", 200, "it is me"},
		{"encoded slash refused", "GET", "/encoded/a%2fb", "", 400, "%2F"},
		{"encoded slash passed elsewhere", "GET", "/strip/a%2fb", "", 200, "GET /a%2Fb"},
		{"above the root", "GET", "/../x", "", 400, "Bad Request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fields := []string{}
			if test.host != "" {
				fields = append(fields, "Host: "+test.host)
			}
			status, header, body := g.Do(test.method, test.path, "", fields...)
			if status != test.status || !strings.Contains(body+header.Get("Location"), test.want) {
				t.Errorf("got %d %s %q, want %d with %q", status, header.Get("Location"), body, test.status, test.want)
			}
		})
	}
}

func TestMethodNotAllowed(t *testing.T) {
	g := Start(t, `
[[routes]]
name = "one"
path = "/one"
methods = ["GET", "PUT"]
respond = { status = 204 }
`)
	status, header, body := g.Do("DELETE", "/one", "")
	if status != 405 || header.Get("Allow") != "GET, HEAD, PUT" {
		t.Errorf("got %d, Allow %q", status, header.Get("Allow"))
	}
	var problem struct {
		Title, Request_id string
		Status            int
	}
	if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Status != 405 || problem.Request_id == "" {
		t.Errorf("not a problem document: %v, %s", err, body)
	}
	if got := header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type: got %q", got)
	}
}

func TestNativeFilters(t *testing.T) {
	g := Start(t, routes(Backend(t, Echo), `
[[filters]]
use = "headers"
response = { set = { "X-Everywhere" = "yes" } }

[[routes]]
name = "limited"
path = "/limited"
upstream = "b"
  [[routes.filters]]
  use = "ratelimit"
  rate = "2/h"
[[routes]]
name = "edited"
path = "/edited"
upstream = "b"
filters = [{ use = "headers", request = { set = { "X-In" = "1" }, remove = ["X-Out"] }, response = { add = { "X-Back" = "2" } } }]
`))
	status, header, body := g.Get("/edited", "X-Out: secret")
	if status != 200 || !strings.Contains(body, "X-In: 1") || strings.Contains(body, "secret") || header.Get("X-Back") != "2" || header.Get("X-Everywhere") != "yes" {
		t.Errorf("got %d %v %s", status, header, body)
	}
	for i, want := range []int{200, 200, 429, 429} {
		status, header, _ := g.Get("/limited")
		if status != want || header.Get("RateLimit") == "" || header.Get("RateLimit-Policy") == "" || header.Get("X-Everywhere") != "yes" {
			t.Errorf("request %d: got %d %v, want %d with the limit's fields", i, status, header, want)
		}
		if (header.Get("Retry-After") != "") != (want == 429) {
			t.Errorf("request %d: Retry-After %q", i, header.Get("Retry-After"))
		}
	}
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := g.Get("/limited"); status != 429 {
		t.Errorf("a reload forgave the limit: got %d", status)
	}
}

func TestUpstreamFailures(t *testing.T) {
	gone := Backend(t, Echo)
	resets := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			c.Close()
		}
	})
	slow := Backend(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	g := Start(t, fmt.Sprintf(`
[upstreams.closed]
endpoints = ["127.0.0.1:1"]
[upstreams.resets]
endpoints = [%q]
[upstreams.slow]
endpoints = [%q]
response_timeout = "50ms"
[upstreams.half]
endpoints = ["127.0.0.1:1", %q]
[[routes]]
name = "closed"
path = "/closed"
upstream = "closed"
[[routes]]
name = "resets"
path = "/resets"
upstream = "resets"
[[routes]]
name = "slow"
path = "/slow"
upstream = "slow"
[[routes]]
name = "half"
path = "/half"
upstream = "half"
`, resets, slow, gone))
	for path, want := range map[string]int{"/closed": 502, "/resets": 502, "/slow": 504} {
		status, _, body := g.Get(path)
		if status != want || strings.Contains(body, "127.0.0.1") {
			t.Errorf("%s: got %d %s, want %d and no internals", path, status, body, want)
		}
	}
	for range 4 {
		if status, _, body := g.Do("POST", "/half", "x"); status != 200 {
			t.Errorf("with one of two endpoints down: got %d %s", status, body)
		}
	}
}
