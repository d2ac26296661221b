package http1_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// Pieces of messages, good, odd and bad: random bytes hardly ever come to what two readers quarrel about.
var (
	methods  = []string{"GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "CONNECT", "PRI", "get", "G=T", "M-SEARCH", ""}
	targets  = []string{"/", "/a/../b", "/a//b/./c", "/%2e%2E/x", "/%41%7e", "/a%2Fb", "/%00", "/%", "/?", "/a?b=c&d", "/?a?b", "/a#b", "*", "http://a/", "http://A:80/x?y", "http://a", "http://b/", "//a/b", "http:///x", "https://a/", "a:80", "a", "/\u00e9", "/a;b", "/a|b", "/[x]", "/\"", "http://u@a/", "http://a?x", "/a:b", ":", "/..", "/%2f..%2f"}
	versions = []string{"HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "http/1.1", "HTTP/1.01", "HTTP/1.1 ", ""}
	statuses = []string{"200 OK", "200", "200 ", "204 No Content", "304 Not Modified", "101 Switching Protocols", "103 Early Hints", "100 Continue", "099 x", "999 x", "1000 x", "20 x", "200\tOK", "200 \u00e9", "404 a b", "2O0 OK", "-20 x", "+20 x"}
	lines    = []string{
		"Host: a", "Host: A", "Host: a:80", "host:a", "Host: ", "Host: a, b", "Host: a b", "Host: [::1]:8", "Host: a/b",
		"Content-Length: 3", "content-length:3", "Content-Length: 0", "Content-Length: +3", "Content-Length: 3 ", "Content-Length: 3, 3", "Content-Length: 03", "Content-Length: 0x3", "Content-Length: -1", "Content-Length: ", "Content-Length: 99999999999999999999", "Content-Length:\t3",
		"Transfer-Encoding: chunked", "Transfer-Encoding: Chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity", "Transfer-Encoding:\x0bchunked", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: ", "Transfer-Encoding : chunked", "Transfer_Encoding: chunked",
		"Connection: close", "Connection: keep-alive", "Connection: Close, X-A", "Connection: x-a", "Connection: upgrade", "Connection: ,,close", "Connection: close\t,x", "Connection: content-length", "Connection: clo se",
		"Upgrade: websocket", "Upgrade: h2c", "Expect: 100-continue", "Expect: x", "TE: trailers", "Trailer: X-T", "Trailer: Content-Length", "Trailer: X-T, X-U",
		"X-A: b", "x-a:  c\t", "X-A:", "X-A: \u00e9", "X-A: a\tb", "X-A: \x00", "X-A: \x7f", "X-A: a\rb", "X-A : b", " X-A: b", "X A: b", ": b", "X-A", "X-(: b", "Pragma: no-cache", "Cache-Control: no-store", "Cookie: a=b; c", "X-\u00e9: b",
	}
	ends     = []string{"\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", "\r\n "}
	contents = []string{"", "abc", "ab", "abcd", "0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n", "3;x=y\r\nabc\r\n0;z\r\nX-T: 1\r\nX-U: 2\r\n\r\n", "03\r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "3\nabc\n0\n\n", "3\r\nabc0\r\n\r\n",
		"3\r\nabcd\r\n0\r\n\r\n", "+3\r\nabc\r\n0\r\n\r\n", "1\r\na\r\n00\r\n\r\nGET", "0\r\nHost: x\r\n\r\n", "0\r\nbad\r\n\r\n", "0\r\n X: y\r\n\r\n", "FFFFFFFFFFFFFFFF\r\nabc", "10000000000000000\r\nabc", "3;\"\r\n\"\r\nabc\r\n0\r\n\r\n", "3\r;x\r\nabc\r\n0\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n", "A\r\n0123456789\r\n0\r\nX-T:1\r\n\r\n", "0;\r\n\r\n", ";\r\n\r\n", "\r\n0\r\n\r\n"}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// generate puts a message together; most have a good Host, so that something is left to compare.
func generate(r *rand.Rand, first string) []byte {
	var b bytes.Buffer
	b.WriteString(first + pick(r, ends))
	if r.IntN(4) > 0 {
		b.WriteString("Host: a\r\n")
	}
	for range r.IntN(5) {
		b.WriteString(pick(r, lines) + pick(r, ends))
	}
	b.WriteString("\r\n" + pick(r, contents))
	return b.Bytes()
}

const generated = 300_000

func TestGeneratedRequestsAgainstNetHTTP(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range generated {
		data := generate(r, pick(r, methods)+" "+pick(r, targets)+" "+pick(r, versions))
		if compareRequest(t, data) {
			accepted++
		}
		if t.Failed() {
			t.Fatalf("%q", data)
		}
	}
	enough(t, accepted)
}

func TestGeneratedResponsesAgainstNetHTTP(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	accepted := 0
	for i := range generated {
		data := generate(r, fmt.Sprintf("%s %s", pick(r, versions), pick(r, statuses)))
		if compareResponse(t, data, i%4 == 0) {
			accepted++
		}
		if t.Failed() {
			t.Fatalf("%q", data)
		}
	}
	enough(t, accepted)
}

// enough fails the test when hardly anything was there to compare.
func enough(t *testing.T, accepted int) {
	t.Helper()
	if accepted < generated/100 {
		t.Errorf("only %d messages of %d were accepted", accepted, generated)
	}
	t.Logf("%d messages of %d were accepted", accepted, generated)
}
