package gatewaytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const headersTOML = `[[routes]]
name = "cors"
path = "/cors/*rest"
upstream = "b"
filters = [{ use = "cors", config = { origins = ["https://app.test", "https://*.sub.test", "http://port.test:8080"], credentials = true, methods = ["PUT"], headers = ["X-A"] } }]
[[routes]]
name = "refuse"
path = "/refuse/*rest"
upstream = "b"
filters = [{ use = "cors", config = { origins = ["https://app.test"], refuse = true } }]
[[routes]]
name = "transform"
path = "/transform/:id/*rest"
upstream = "b"
  [[routes.filters]]
  use = "transform"
  [routes.filters.config]
  request_headers = [{ set = "X-Id", value = "id {{ param.id | none }}" }, { set = "X-Q", value = "{{ query.q }}" }, { set = "X-H", value = "{{ header.X-In }}" }, { remove = "X-Secret" }]
  query = [{ set = "q2", value = "{{ query.q }}" }, { remove = "drop" }]
  response_headers = [{ set = "X-Back", value = "{{ query.q | none }}" }]
[[routes]]
name = "path"
path = "/path/:id"
upstream = "b"
filters = [{ use = "transform", config = { path = "/v2/{{ param.id }}/{{ query.q }}" } }]
[[routes]]
name = "secure"
path = "/secure/*rest"
upstream = "b"
filters = [{ use = "security-headers" }]
`

// showHead tells a request's line and fields, each in a line of its own, and answers as a server does that has CORS of its own.
func showHead(w http.ResponseWriter, r *http.Request) {
	w.Header()["Access-Control-Allow-Origin"] = []string{"*", "https://evil.test"}
	w.Header().Set("access-control-allow-credentials", "true")
	w.Header()["server"] = []string{"secret/1.0"}
	w.Header()["X-POWERED-BY"] = []string{"secret", "more"}
	fmt.Fprintf(w, "%s\n", r.RequestURI)
	for name, values := range r.Header {
		for _, value := range values {
			fmt.Fprintf(w, "%s: %q\n", name, value)
		}
	}
}

func startHeaders(t *testing.T) *Gateway {
	t.Helper()
	return startBox(t, upstreamsTOML("b", Backend(t, showHead))+headersTOML, "cors", "transform", "security-headers")
}

// sendLines sends a request's head as it is, and returns the answer.
func sendLines(t *testing.T, addr, line string, fields ...string) (status int, header http.Header, body string) {
	t.Helper()
	conn := must(net.Dial("tcp", addr))
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // whatever happens, it ends
	text := line + " HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	resp := must(http.ReadResponse(bufio.NewReader(conn), nil))
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header, string(must(io.ReadAll(resp.Body)))
}

// Only who is listed gets an answer that its page may read.
func TestOriginTricks(t *testing.T) {
	g := startHeaders(t)
	for _, tt := range []struct {
		origin string
		ok     bool
	}{
		{"https://app.test", true},
		{"https://a.sub.test", true},
		{"https://a.b.sub.test", true},
		{"http://port.test:8080", true},
		{"null", false},
		{"", false},
		{"*", false},
		{"https://APP.test", false}, // browsers write small letters
		{"HTTPS://app.test", false},
		{"https://app.test.", false},
		{"https://app.test/", false},
		{"https://app.test:443", false},
		{"https://app.test:8443", false},
		{"http://app.test", false},
		{"https://app.test.evil.test", false},
		{"https://evilapp.test", false},
		{"https://app.testevil", false},
		{"https://sub.test", false},
		{"https://.sub.test", false},
		{"https://evilsub.test", false},
		{"https://evil.test/.sub.test", false},
		{"https://evil.test?.sub.test", false},
		{"https://evil.test#.sub.test", false},
		{"https://evil.test\\.sub.test", false},
		{"https://user@a.sub.test", false},
		{"https://evil.test:1.sub.test", false},
		{"https://a..sub.test", false},
		{"https://a.sub.test.", false},
		{"https://\u0430pp.test", false}, // a Cyrillic а
		{"https://app.test\u3002", false},
		{"https://app.test https://evil.test", false},
		{"https://app.test, https://evil.test", false},
		{"https://app.test\xff", false},
		{"https://" + strings.Repeat("a", 12<<10) + ".sub.test", false},
		{"https://" + strings.Repeat("a.", 6000) + "sub.test", false},
		{"http://port.test", false},
		{"http://port.test:80800", false},
	} {
		for _, line := range []string{"GET /cors/x", "OPTIONS /cors/x", "GET /refuse/x"} {
			if strings.HasPrefix(line, "GET /refuse") && tt.ok && tt.origin != "https://app.test" || tt.origin == "" {
				continue
			}
			fields := []string{"Origin: " + tt.origin}
			if strings.HasPrefix(line, "OPTIONS") {
				fields = append(fields, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-a")
			}
			status, header, _ := sendLines(t, g.Addr, line, fields...)
			var want []string
			wantStatus := map[string]int{"GET /cors/x": 200, "OPTIONS /cors/x": 403, "GET /refuse/x": 403}[line]
			if tt.ok {
				want, wantStatus = []string{tt.origin}, map[string]int{"GET /cors/x": 200, "OPTIONS /cors/x": 204, "GET /refuse/x": 200}[line]
			}
			got := header.Values("Access-Control-Allow-Origin")
			if status != wantStatus || !slices.Equal(got, want) || !slices.Contains(header.Values("Vary"), "Origin") && !strings.Contains(header.Get("Vary"), "Origin") {
				t.Errorf("%s from %.60q: got %d %q, Vary %q; want %d %q", line, tt.origin, status, got, header.Values("Vary"), wantStatus, want)
			}
			if !tt.ok && header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %.60q may send credentials", line, tt.origin)
			}
		}
	}
	for _, fields := range [][]string{
		{"Origin: https://app.test", "Origin: https://evil.test"},
		{"Origin: https://evil.test", "origin: https://app.test"},
		{"Origin: https://app.test", "ORIGIN: https://app.test"},
	} {
		if status, header, _ := sendLines(t, g.Addr, "GET /refuse/x", fields...); status != 403 || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%q: got %d %v", fields, status, header)
		}
	}
}

// Whatever a value holds, it is one value of one field, or none.
func TestNobodyWritesASecondHeader(t *testing.T) {
	g := startHeaders(t)
	for _, tt := range []struct {
		name, line string
		fields     []string
		status     int
		want       []string // lines that must be there
	}{
		{"plain", "GET /transform/7/x?q=1", []string{"X-In: in"}, 200, []string{`X-Id: "id 7"`, `X-Q: "1"`, `X-H: "in"`, "/transform/7/x?q=1&q2=1"}},
		{"a line end in the path", "GET /transform/7%0d%0aX-Evil:1/x?q=1", nil, 200, []string{`X-Id: "id none"`}},
		{"a line end in the query", "GET /transform/7/x?q=1%0d%0aX-Evil:%201", nil, 200, []string{`X-Id: "id 7"`}},
		{"a line feed alone", "GET /transform/7/x?q=%0aX-Evil:1", nil, 200, nil},
		{"a return alone", "GET /transform/7/x?q=%0dX-Evil:1", nil, 200, nil},
		{"a zero byte", "GET /transform/7/x?q=a%00b", nil, 200, nil},
		{"a delete", "GET /transform/%7f/x", nil, 200, []string{`X-Id: "id none"`}},
		{"Unicode's line ends", "GET /transform/7/x?q=%C2%85%E2%80%A8X-Evil:1", nil, 200, nil},
		{"what would be a line end if bytes were cut", "GET /transform/7/x?q=%C4%8D%C4%8AX-Evil:1", nil, 200, []string{`X-Q: "čĊX-Evil:1"`}},
		{"invalid UTF-8", "GET /transform/%ff%fe/x?q=%c0%8a", nil, 200, nil},
		{"a template", "GET /transform/7/x?q={{header.X-Secret}}", []string{"X-Secret: hush"}, 200, []string{`X-Q: "{{header.X-Secret}}"`}},
		{"a template, encoded", "GET /transform/7/x?q=%7B%7B%20header.X-Secret%20%7D%7D", []string{"X-Secret: hush"}, 200, []string{`X-Q: "{{ header.X-Secret }}"`}},
		{"a further parameter", "GET /transform/7/x?q=1%26admin%3d1", nil, 200, []string{"/transform/7/x?q=1%26admin%3d1&q2=1%26admin%3D1"}},
		{"taken away, encoded", "GET /transform/7/x?q=1&dr%6Fp=1&drop=2", nil, 200, []string{"/transform/7/x?q=1&q2=1"}},
		{"the client's own", "GET /transform/7/x", []string{"X_Id: root", "x-id: root", "X-Q: root", "x_q: root", "X_SECRET: root"}, 200, []string{`X-Id: "id 7"`}},
		{"a value that is huge", "GET /transform/7/x", []string{"X-In: " + strings.Repeat("a", 12<<10)}, 200, nil},
		{"a path that leads up", "GET /path/%2e%2e%2f?q=x", nil, 200, []string{"/v2/..%2F/x?q=x"}},
		{"a path that leads up by the query", "GET /path/7?q=..", nil, 400, nil},
		{"a path with a query", "GET /path/7?q=a%3fadmin=1%23x", nil, 200, []string{"/v2/7/a%3Fadmin%3D1%23x?q=a%3fadmin=1%23x"}},
		{"a path with a request behind it", "GET /path/7?q=x%20HTTP/1.1%0d%0aHost:%20b%0d%0a%0d%0a", nil, 400, nil},
		{"a path without its value", "GET /path/7", nil, 400, nil},
	} {
		status, header, body := sendLines(t, g.Addr, tt.line, tt.fields...)
		lines := strings.Split(body, "\n")
		if status != tt.status || len(header.Values("X-Evil")) != 0 || strings.Contains(body, "\nX-Evil:") || strings.Contains(body, "root") || strings.Contains(body, "hush") {
			t.Errorf("%s: got %d %v\n%.500s", tt.name, status, header, body)
		}
		for _, want := range tt.want {
			if !slices.Contains(lines, want) {
				t.Errorf("%s: want %s in\n%.500s", tt.name, want, body)
			}
		}
		for _, name := range []string{"X-Id:", "X-Q:", "X-H:"} {
			if strings.Count(body, "\n"+name) > 1 {
				t.Errorf("%s: %s twice in\n%.500s", tt.name, name, body)
			}
		}
	}
}

// What tells of the server is taken away, however it is written, and nothing is there twice.
func TestSecurityHeadersOnce(t *testing.T) {
	g := startHeaders(t)
	_, header, _ := sendLines(t, g.Addr, "GET /secure/x")
	for _, name := range []string{"Server", "X-Powered-By"} {
		if got := header.Values(name); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, name := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"} {
		if got := header.Values(name); len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("over http: %s", got)
	}
}
