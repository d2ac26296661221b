package gatewaytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refused is what an error answer and the access log's line say of a refusal.
type refused struct {
	Status        int
	Detail        string // the answer's
	Reason, Fault string // the line's
	Path, Query   string
	Blame, Route  string
	Request_id    string
	ID            string
}

// Whoever is refused is told why, and so is who reads the log, with what was asked for: a bare 400 that no log knows of cannot be helped.
func TestRefusalsSayWhy(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	g := StartIn(t, dir, "[log]\naccess = \"access.log\"\n"+`
[[routes]]
name = "strict"
path = "/strict/*rest"
reject_encoded = ["%2F", "%5C", "%3B", "%23"]
respond = { status = 204 }
[[routes]]
name = "open"
path = "/open/*rest"
methods = ["GET"]
respond = { status = 204 }
`)
	get := func(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n" }
	tests := []struct {
		name, request string
		status        int
		fault, reason string
		path, query   string
		route         string
	}{
		{"NUL", get("/open/a%00b?q=1"), 400, "bad_request", "path holds %00", "/open/a%00b", "q=1", ""},
		{"NUL in a route that refuses escapes", get("/strict/%2f%00"), 400, "bad_request", "path holds %00", "/strict/%2f%00", "", ""},
		{"above the root", get("/open/../../etc"), 400, "bad_request", "path leads above the root", "/open/../../etc", "", ""},
		{"above the root, encoded", get("/%2e%2e/etc"), 400, "bad_request", "path leads above the root", "/%2e%2e/etc", "", ""},
		{"broken escape", get("/open/%4"), 400, "bad_request", "path holds a broken escape", "/open/%4", "", ""},
		{"no escape", get("/open/%zz"), 400, "bad_request", "path holds a broken escape", "/open/%zz", "", ""},
		{"backslash", get(`/open/a\b`), 400, "bad_request", "path holds a character that must be escaped", `/open/a\b`, "", ""},
		{"fragment", get("/open/a#b"), 400, "bad_request", "invalid request line", "/open/a", "", ""},
		{"absolute form", get("http://x/open/%00"), 400, "bad_request", "path holds %00", "http://x/open/%00", "", ""},
		{"encoded slash", get("/strict/a%2fb?q"), 400, "bad_request", "the path holds an encoded character that this route refuses: %2F", "/strict/a%2Fb", "q", "strict"},
		{"encoded backslash", get("/strict/a%5Cb"), 400, "bad_request", "the path holds an encoded character that this route refuses: %5C", "/strict/a%5Cb", "", "strict"},
		{"encoded semicolon", get("/strict/a%3bb"), 400, "bad_request", "the path holds an encoded character that this route refuses: %3B", "/strict/a%3Bb", "", "strict"},
		{"encoded number sign", get("/strict/%23"), 400, "bad_request", "the path holds an encoded character that this route refuses: %23", "/strict/%23", "", "strict"},
		{"no slash at the start", get("open"), 400, "bad_request", "invalid request target", "open", "", ""},
		{"no Host", "GET /open/a HTTP/1.1\r\n\r\n", 400, "bad_request", "no Host", "/open/a", "", ""},
		{"field", "GET /open/a?b HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400, "bad_request", "space before a field's colon", "/open/a", "b", ""},
		{"framing", "POST /open/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "bad_request", "both Content-Length and Transfer-Encoding", "/open/a", "", ""},
		{"long target", get("/" + strings.Repeat("a", 9000)), 414, "uri_too_long", "request target too long", "/" + strings.Repeat("a", 1023), "", ""},
		{"version", "GET /open/a HTTP/1.7\r\nHost: x\r\n\r\n", 505, "version_not_supported", "HTTP version not supported", "/open/a", "", ""},
		{"no request line", "nonsense\r\n\r\n", 400, "bad_request", "invalid request line", "", "", ""},
		{"no route", get("/nothing?a"), 404, "not_found", "no route for this host and path", "/nothing", "a", ""},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got refused
			c := dialRaw(t, g, test.request)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(body, &got); err != nil || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("no problem document: %v, %s", err, body)
			}
			if err := json.Unmarshal(line(t, log, i), &got); err != nil {
				t.Fatal(err)
			}
			want := refused{Status: test.status, Detail: test.reason, Reason: test.reason, Fault: test.fault, Path: test.path, Query: test.query,
				Blame: "client", Route: test.route, Request_id: got.ID, ID: got.ID}
			if got != want || got.ID == "" || resp.StatusCode != test.status {
				t.Errorf("status %d\ngot  %+v\nwant %+v", resp.StatusCode, got, want)
			}
		})
	}
}

// line waits for the line of that number in a file.
func line(t *testing.T, file string, number int) []byte {
	t.Helper()
	var lines [][]byte
	Until(t, "the exchange is in the access log", func() bool {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines = bytes.Split(data, []byte("\n"))
		return len(lines) > number+1
	})
	return lines[number]
}
