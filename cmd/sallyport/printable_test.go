package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What plugins and clients have said, and whoever answers at the address, must not steer the operator's terminal.
func TestAdminPrintsNothingThatTerminalsObey(t *testing.T) {
	const evil = `x\u001b[2J\u009b31m\u0007\r`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/plugins/"):
			_, _ = w.Write([]byte(`{"name":"p","failures":[{"cause":"trap","error":"` + evil + `","stack":"` + evil + `","request_id":"` + evil + `"}]}`))
		case r.URL.Path == "/explain":
			_, _ = w.Write([]byte(`{"method":"GET","host":"` + evil + `","path":"` + evil + `"}`))
		default:
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte(`{"status":418,"detail":"` + evil + `"}`))
		}
	}))
	defer server.Close()
	for _, args := range [][]string{{"plugins", "p"}, {"explain", "GET", "/"}, {"status"}} {
		out, errors, _ := command(append([]string{"admin", "--address", server.URL}, args...)...)
		if !strings.Contains(out+errors, "x\ufffd[2J") || strings.ContainsAny(out+errors, "\x1b\u009b\a\r") {
			t.Errorf("%v: got %q %q", args, out, errors)
		}
	}
	if out, _, _ := command("admin", "--address", server.URL, "plugins", "p", "--json"); !strings.Contains(out, evil) {
		t.Errorf("JSON is not as it was: %q", out)
	}
}
