package gatewaytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gateway"
)

// overWire sends a head as it is, and returns the answer's status, and its body if that is 200.
func overWire(t *testing.T, address, head string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(head, " ")
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", head, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// What explain says of odd and hostile requests is what becomes of them on the wire, in both forms that a target has.
func TestExplainSaysWhatHappensOnTheWire(t *testing.T) {
	var toml strings.Builder
	for i, match := range []string{
		`path = "/*rest"`, `path = "/a/*rest"`, `path = "/a/b"`, `path = "/a;b/c"`, `path = "/*rest"` + "\nhost = \"[::1]\"", `path = "/*rest"` + "\nhost = \"api.example.com\"",
		`path = "/%C3%A9"`, `path = "/form"` + "\nmethods = [\"POST\"]",
	} {
		fmt.Fprintf(&toml, "[[routes]]\nname = \"r%d\"\n%s\nrespond = { body = \"r%d\" }\n", i, match, i)
	}
	g := Start(t, toml.String())
	for _, method := range []string{"GET", "POST", "OPTIONS", "CONNECT", "get", "G(T"} {
		for _, host := range []string{"localhost", "[::1]", "[::1]:8080", "[::1%25lo]", "[::1", "api.example.com", "API.example.com:80", "api.example.com.", "a_b", "a/b", "x@api.example.com", "api.example.com:99999", "", "[1.2.3.4]"} {
			for _, path := range []string{
				"/", "/a/../a/b", "/a/%2e%2e/x", "/a/%2E/b", "/a%2fb", "/a/%62", "//a//b", "/a;b/c", "/a%3bb/c", "/%C3%A9", "/%c3%a9", "/é", "/a/b?x=1?y#f", "/a/%zz", "/a\\b", "/a/%00", "/a/b/", "/" + strings.Repeat("x", 3000),
				"/form", "/a/..%2f..", "/..", "/a/b?%zz=%", "/a\x7fb", "/?\xff",
			} {
				for _, field := range []string{"X-A: b", "Transfer-Encoding: gzip", "Content-Length: 1, 2", "Expect: 200-maybe", "Bad Name: x"} {
					if (field != "X-A: b" || len(path) > 1000) && (host != "localhost" || method != "GET" && method != "POST") {
						continue
					}
					asked := gateway.Asked{Method: method, URL: path, Fields: []string{"Host: " + host, field}}
					target, _, _ := strings.Cut(path, "#")
					head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\nConnection: close\r\n\r\n", method, target, host, field)
					compareWire(t, g, asked, head)
				}
			}
		}
	}
}

func compareWire(t *testing.T, g *Gateway, asked gateway.Asked, head string) {
	t.Helper()
	e, err := g.Explain(asked)
	if err != nil {
		t.Errorf("%+v: %v", asked, err)
		return
	}
	status, body := overWire(t, g.Addr, head)
	want, got := fmt.Sprint(status), fmt.Sprint(e.Status)
	if status == 200 {
		want, got = body, "none"
		if e.Route != nil && e.Status == 0 {
			got = e.Route.Name
		}
	}
	if got != want {
		t.Errorf("%q: explained %s, it was %s", head[:min(len(head), 150)], got, want)
	}
}

func TestExplainTakesURLsAsPeopleWriteThem(t *testing.T) {
	g := Start(t, "[[routes]]\nname = \"r\"\nhost = \"api.example.com\"\npath = \"/a\"\nrespond = {}\n")
	for _, url := range []string{"http://api.example.com/a", "HTTPS://API.example.com:8443/a?b=c", "http://ada:secret@api.example.com/a", "https://api.example.com/a#part"} {
		e, err := g.Explain(gateway.Asked{Method: "GET", URL: url})
		if err != nil || e.Route == nil || e.Route.Name != "r" {
			t.Errorf("%s: got %+v %v", url, e, err)
		}
	}
	for _, url := range []string{"api.example.com/a", "localhost:8080/a", "ftp://api.example.com/a", "://a", "a", "*"} {
		if e, err := g.Explain(gateway.Asked{Method: "GET", URL: url}); err == nil {
			t.Errorf("%s: got %+v, want to be told how to ask", url, e)
		}
	}
}
