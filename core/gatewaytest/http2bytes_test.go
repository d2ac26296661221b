package gatewaytest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// asPost is the beginning of a request with content.
func asPost(fields ...string) []string {
	return append([]string{":method", "POST", ":scheme", "http", ":authority", "a.example", ":path", "/p"}, fields...)
}

// asGet is a request with a target and an authority of its own.
func asGet(authority, path string, fields ...string) []string {
	return append([]string{":method", "GET", ":scheme", "http", ":authority", authority, ":path", path}, fields...)
}

// addedToHTTP2 is what the gateway adds to a request, but for the id.
const addedToHTTP2 = "X-Request-Id: i\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\n"

// TestHTTP2ToHTTP1Bytes holds what an HTTP/1.1 upstream gets of a request over HTTP/2 to the byte.
func TestHTTP2ToHTTP1Bytes(t *testing.T) {
	for _, test := range []struct {
		name     string
		fields   []string
		content  []string // frames; none: the stream ends with the head
		trailers []string
		want     string
	}{
		{"get", asGet("a.example", "/x?y=%20&z"), nil, nil, "GET /x?y=%20&z HTTP/1.1\r\nHost: a.example\r\n~\r\n"},
		{"cookies", asGet("a.example", "/", "cookie", "a=1", "accept", "*/*", "cookie", "b=2"), nil, nil,
			"GET / HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nCookie: a=1; b=2\r\n~\r\n"},
		{"odd values", asGet("a.example", "/", "a", "", "b", "x\ty", "c", "\xff", "d", "GET / HTTP/1.1"), nil, nil,
			"GET / HTTP/1.1\r\nHost: a.example\r\nA: \r\nB: x\ty\r\nC: \xff\r\nD: GET / HTTP/1.1\r\n~\r\n"},
		{"Host for an authority", []string{":method", "GET", ":scheme", "http", ":path", "/", "host", "a.example"}, nil, nil, "GET / HTTP/1.1\r\nHost: a.example\r\n~\r\n"},
		{"hop by hop", asGet("a.example", "/", "te", "trailers", "trailer", "x", "expect", "100-continue", "proxy-authorization", "p", "proxy", "q"), nil, nil,
			"GET / HTTP/1.1\r\nHost: a.example\r\n~\r\n"},
		{"known length", asPost("content-length", "3"), []string{"ab", "c"}, nil, "POST /p HTTP/1.1\r\nHost: a.example\r\n~Content-Length: 3\r\n\r\nabc"},
		{"content that looks like a request", asPost(), []string{"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a.example\r\n\r\n"}, nil,
			"POST /p HTTP/1.1\r\nHost: a.example\r\n~Transfer-Encoding: chunked\r\n\r\n2d\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a.example\r\n\r\n\r\n0\r\n\r\n"},
		{"trailers", asPost("trailer", "x, x-forwarded-for, y"), []string{"abc"}, []string{"x", "1", "x-forwarded-for", "192.0.2.1", "y", "2"},
			"POST /p HTTP/1.1\r\nHost: a.example\r\n~Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\nY: 2\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := strings.Replace(test.want, "~", addedToHTTP2, 1)
			upstream, ended, seen := make(chan *net.TCPConn, 1), make(chan struct{}), make(chan string, 1)
			defer close(ended)
			g := Start(t, routes(rawUpstream(t, upstream, ended), allToB))
			go func() {
				c := <-upstream
				got := make([]byte, len(want))
				_ = c.SetReadDeadline(time.Now().Add(10 * time.Second)) // what is missing shows below
				n, _ := io.ReadFull(c, got)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				more, _ := io.ReadAll(c)
				seen <- string(got[:n]) + string(more)
			}()
			c := dialFrames(t, g, "")
			c.head(1, len(test.content) == 0, append(test.fields, "x-request-id", "i")...)
			for i, content := range test.content {
				c.data(1, i == len(test.content)-1 && test.trailers == nil, content)
			}
			if test.trailers != nil {
				c.head(1, true, test.trailers...)
			}
			if got := c.answer(1); got.status != "200" {
				t.Fatalf("got %+v", got)
			}
			if got := wait(t, seen); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestHTTP2InjectionIsRefused: what HTTP/2 can say and HTTP/1.1 cannot never gets to an upstream.
func TestHTTP2InjectionIsRefused(t *testing.T) {
	var contacted atomic.Int64
	g := Start(t, routes(server(t, func(c *net.TCPConn, _ *bufio.Reader) {
		contacted.Add(1)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}), allToB))
	const a = "a.example"
	withMethod := func(method string) []string {
		return []string{":method", method, ":scheme", "http", ":authority", a, ":path", "/"}
	}
	for name, fields := range map[string][]string{
		"CR in a value": asGet(a, "/", "x", "a\rb"), "LF in a value": asGet(a, "/", "x", "a\nb"), "NUL in a value": asGet(a, "/", "x", "a\x00b"),
		"CRLF in a value": asGet(a, "/", "x", "a\r\nTransfer-Encoding: chunked"), "DEL in a value": asGet(a, "/", "x", "a\x7fb"),
		"CRLF in a name": asGet(a, "/", "x\r\ny", "a"), "space in a name": asGet(a, "/", "x y", "a"), "colon in a name": asGet(a, "/", "x: y", "a"),
		"capitals in a name": asGet(a, "/", "X-Y", "a"), "no name": asGet(a, "/", "", "a"), "not ASCII in a name": asGet(a, "/", "x\xe9", "a"),
		"space around a value": asGet(a, "/", "x", " a"), "tab behind a value": asGet(a, "/", "x", "a\t"),
		"space in the path": asGet(a, "/a b"), "CRLF in the path": asGet(a, "/a HTTP/1.1\r\nHost: b\r\n\r\nGET /"), "LF in the path": asGet(a, "/a\nb"),
		"NUL in the path": asGet(a, "/a\x00b"), "an encoded NUL in the path": asGet(a, "/a%00b"), "tab in the query": asGet(a, "/a?b\tc"),
		"no path": asGet(a, ""), "no slash": asGet(a, "x"), "an absolute path": asGet(a, "http://b.example/"), "above the root": asGet(a, "/../x"),
		"asterisk": asGet(a, "*"), "not ASCII in the path": asGet(a, "/\xff"), "a fragment": asGet(a, "/a#b"),
		"userinfo": asGet("user@a.example", "/"), "userinfo with a password": asGet("user:secret@a.example", "/"),
		"CRLF in the authority": asGet("a.example\r\nX: y", "/"), "space in the authority": asGet("a.example b", "/"),
		"slash in the authority": asGet("a.example/b", "/"), "two in the authority": asGet("a.example,b.example", "/"), "no authority": asGet("", "/"),
		"no port's number": asGet("a.example:x", "/"),
		"another Host":     asGet(a, "/", "host", "b.example"), "two Hosts": asGet(a, "/", "host", a, "host", "b.example"),
		"Transfer-Encoding": asPost("transfer-encoding", "chunked"), "Transfer-Encoding and length": asPost("transfer-encoding", "chunked", "content-length", "3"),
		"Connection": asGet(a, "/", "connection", "close"), "Keep-Alive": asGet(a, "/", "keep-alive", "1"), "Upgrade": asGet(a, "/", "upgrade", "websocket"),
		"Proxy-Connection": asGet(a, "/", "proxy-connection", "close"), "TE": asGet(a, "/", "te", "gzip"), "TE twice": asGet(a, "/", "te", "trailers, gzip"),
		"length with a sign": asPost("content-length", "+3"), "negative length": asPost("content-length", "-3"), "hex length": asPost("content-length", "0x3"),
		"list of lengths": asPost("content-length", "3, 3"), "two lengths": asPost("content-length", "3", "content-length", "4"), "empty length": asPost("content-length", ""),
		"length with underscore": asPost("content-length", "1_0"), "huge length": asPost("content-length", "99999999999999999999"),
		"space in the method": withMethod("GET /x HTTP/1.1\r\nX:"), "CONNECT": withMethod("CONNECT"), "no method": withMethod(""), "slash in the method": withMethod("G/T"),
		"unknown pseudo-field": append([]string{":x", "y"}, asGet(a, "/")...), "a pseudo-field twice": append([]string{":path", "/b"}, asGet(a, "/")...),
		"a late pseudo-field": append([]string{"x", "y"}, asGet(a, "/")...), "an answer's pseudo-field": append([]string{":status", "200"}, asGet(a, "/")...),
		"another scheme":   {":method", "GET", ":scheme", "ftp", ":authority", a, ":path", "/"},
		"extended CONNECT": {":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", a, ":path", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			c := dialFrames(t, g, "")
			c.head(1, fields[1] != "POST", fields...)
			if fields[1] == "POST" {
				_ = c.WriteData(1, true, []byte("abc")) // the stream may have been refused by now
			}
			if got := c.answer(1); got.reset == "" && got.status != "400" && got.status != "501" {
				t.Errorf("got %+v", got)
			}
		})
	}
	Until(t, "nothing is in flight", func() bool { return g.inFlight() == 0 })
	if n := contacted.Load(); n != 0 {
		t.Errorf("the upstream was contacted %d times", n)
	}
}

// TestHTTP2LengthMustBeTrue: content that is not as long as was said is an error at both ends, never another request's beginning.
func TestHTTP2LengthMustBeTrue(t *testing.T) {
	for _, test := range []struct {
		name    string
		content []string
	}{{"none", nil}, {"less", []string{"ab"}}, {"less in pieces", []string{"a", "b"}}, {"more", []string{"abcd"}}, {"more in pieces", []string{"ab", "cd"}}} {
		t.Run(test.name, func(t *testing.T) {
			seen := make(chan string, 1)
			g := Start(t, routes(server(t, func(c *net.TCPConn, r *bufio.Reader) {
				all, _ := io.ReadAll(r) // until the gateway gives up
				seen <- string(all)
			}), allToB))
			c := dialFrames(t, g, "")
			c.head(1, test.content == nil, asPost("content-length", "3")...)
			for i, content := range test.content {
				_ = c.WriteData(1, i == len(test.content)-1, []byte(content)) // the stream may have been refused by now
			}
			if got := c.answer(1); got.reset == "" && got.status != "400" {
				t.Errorf("got %+v", got)
			}
			Until(t, "nothing is in flight", func() bool { return g.inFlight() == 0 })
			select {
			case got := <-seen:
				if _, content, _ := strings.Cut(got, "\r\n\r\n"); len(content) >= 3 {
					t.Errorf("the upstream got the whole of it: %q", got)
				}
			default: // it was not contacted
			}
		})
	}
}
