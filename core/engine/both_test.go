package engine

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// request is what both engines are sent.
type request struct {
	method, target, host string
	fields               []header.Field
	content              string
	trailers             []header.Field
}

// http1Text returns the request as HTTP/1.1. The connection ends behind it.
func (r request) http1Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.method, r.target, r.host)
	writeFields := func(fields []header.Field) {
		for _, field := range fields {
			fmt.Fprintf(&b, "%s: %s\r\n", field.Name, field.Value)
		}
	}
	writeFields(r.fields)
	switch {
	case len(r.trailers) > 0:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n", len(r.content), r.content)
		writeFields(r.trailers)
		b.WriteString("\r\n")
	case r.content != "":
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.content), r.content)
	default:
		b.WriteString("\r\n")
	}
	return b.String()
}

// http2Frames returns the request as a connection's beginning in HTTP/2.
func (r request) http2Frames() []byte {
	var out, block bytes.Buffer
	out.WriteString(http2Preface)
	frames, encoder := http2.NewFramer(&out, nil), hpack.NewEncoder(&block)
	frames.AllowIllegalWrites = true
	write := func(name, value string) {
		_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) // a buffer does not fail, nor do the frames' writes to one
	}
	writeFields := func(fields []header.Field) {
		for _, field := range fields {
			write(strings.ToLower(field.Name), field.Value)
		}
	}
	_ = frames.WriteSettings()
	write(":method", r.method)
	write(":scheme", "http")
	write(":path", r.target)
	if r.host != "" {
		write(":authority", r.host)
	}
	writeFields(r.fields)
	for _, field := range r.trailers {
		write("trailer", field.Name) // net/http drops those that are not announced
	}
	if r.content != "" && len(r.trailers) == 0 {
		write("content-length", fmt.Sprint(len(r.content)))
	}
	_ = frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: r.content == "" && len(r.trailers) == 0})
	if r.content != "" {
		_ = frames.WriteData(1, len(r.trailers) == 0, []byte(r.content))
	}
	if len(r.trailers) > 0 {
		block.Reset()
		writeFields(r.trailers)
		_ = frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
	}
	return out.Bytes()
}

const refused = "refused"

// both compares what two engines make of a request.
type both struct {
	listener *Listener
	seen     chan string
}

func newBoth(t testing.TB) *both {
	b := &both{seen: make(chan string, 10)}
	b.listener, _ = start(t, Options{HTTP2: true, Limits: http1.Limits{Head: 2000, Fields: 10, URI: 300}}, func(x *exchange.Exchange) {
		b.seen <- describe(x)
		x.Resp.Status = 200
	})
	return b
}

// describe returns all that an engine has made of a request.
func describe(x *exchange.Exchange) string {
	if x.Fault != nil {
		return refused
	}
	r := &x.Req
	content, err := io.ReadAll(&r.Body)
	if err != nil {
		return refused
	}
	length := r.Body.Length
	if length < 0 {
		length = int64(len(content))
	}
	return fmt.Sprintf("%q %q %q %q %q %q %q %d %q %q %v", r.Method, r.Scheme, r.Host, r.Path, r.Query, folded(&r.Fields), r.Upgrade,
		length, content, folded(&r.Trailers), x.Addr)
}

// folded returns fields with lower-case names, in the order of these.
func folded(fields *header.Fields) []header.Field {
	list := slices.Clone(fields.All())
	for i := range list {
		list[i].Name = strings.ToLower(list[i].Name)
	}
	slices.SortStableFunc(list, func(a, b header.Field) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// overHTTP1 returns what the HTTP/1.1 engine makes of r.
func (b *both) overHTTP1(t testing.TB, r request) string {
	client, server := net.Pipe()
	b.listener.open(server)
	go func() { _, _ = io.WriteString(client, r.http1Text()) }() // the answer shows what arrived
	_, _ = io.ReadAll(client)
	return b.result(t, client)
}

// overHTTP2 returns what the HTTP/2 engine makes of r.
func (b *both) overHTTP2(t testing.TB, r request) string {
	client, server := net.Pipe()
	b.listener.open(server)
	go func() { _, _ = client.Write(r.http2Frames()) }()
	c := startHTTP2(t, client)
	c.frames = http2.NewFramer(io.Discard, client)
	c.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	a := c.on(1)
	for !a.ended && a.reset == "" && len(c.goAways) == 0 && c.next() {
	}
	return b.result(t, client)
}

// result returns what the Handler was given; a request that it was never asked about was refused before.
func (b *both) result(t testing.TB, client net.Conn) string {
	client.Close()
	eventually(t, "the connection has ended", func() bool {
		b.listener.mu.Lock()
		defer b.listener.mu.Unlock()
		return len(b.listener.conns) == 0
	})
	select {
	case got := <-b.seen:
		return got
	default:
		return refused
	}
}

func (b *both) compare(t testing.TB, r request) string {
	t.Helper()
	one, two := b.overHTTP1(t, r), b.overHTTP2(t, r)
	if one != two {
		t.Errorf("%+q\nHTTP/1.1 %s\nHTTP/2   %s", r, one, two)
	}
	return one
}

func TestBothEngines(t *testing.T) {
	b := newBoth(t)
	field := func(name, value string) []header.Field { return []header.Field{{Name: name, Value: value}} }
	tests := []struct {
		name    string
		request request
		refused bool
	}{
		{"plain", request{method: "GET", target: "/a/b?c=d&e", host: "x"}, false},
		{"own method", request{method: "BREW", target: "/", host: "x"}, false},
		{"host", request{method: "GET", target: "/", host: "Shop.Example.COM:8080"}, false},
		{"IPv6 host", request{method: "GET", target: "/", host: "[::1]:80"}, false},
		{"odd paths", request{method: "GET", target: "/a/./b/../c//d%7E%2f%41;p?/../", host: "x"}, false},
		{"empty query", request{method: "GET", target: "/?", host: "x"}, false},
		{"options", request{method: "OPTIONS", target: "*", host: "x"}, false},
		{"content", request{method: "POST", target: "/", host: "x", content: "some content"}, false},
		{"GET with content", request{method: "GET", target: "/", host: "x", content: "some content"}, false},
		{"large content", request{method: "PUT", target: "/", host: "x", content: strings.Repeat("0123456789abcdef", 900)}, false},
		{"trailers", request{method: "POST", target: "/", host: "x", content: "c", trailers: []header.Field{{Name: "B", Value: "1"}, {Name: "A", Value: "2"},
			{Name: "B", Value: "3"}, {Name: "X-Forwarded-For", Value: "4"}, {Name: "Cookie", Value: "5"}}}, false},
		{"fields", request{method: "GET", target: "/", host: "x", fields: []header.Field{{Name: "B", Value: "1"}, {Name: "a", Value: "\xff\t2"}, {Name: "b", Value: ""},
			{Name: "Accept", Value: "*/*"}, {Name: "a_b", Value: "3"}, {Name: "a-b", Value: "4"}}}, false},
		{"fields not passed on", request{method: "GET", target: "/", host: "x", fields: []header.Field{{Name: "Proxy-Authorization", Value: "1"}, {Name: "TE", Value: "trailers"},
			{Name: "Proxy", Value: "2"}, {Name: "X-Forwarded-For", Value: "1.2.3.4"}, {Name: "Http2-Settings", Value: "3"}, {Name: "X_Real_IP", Value: "4"}}}, false},
		{"cookie", request{method: "GET", target: "/", host: "x", fields: field("Cookie", "a=1; b=2")}, false},
		{"expect", request{method: "POST", target: "/", host: "x", fields: field("Expect", "100-continue"), content: "c"}, false},

		{"CONNECT", request{method: "CONNECT", target: "x:443", host: "x:443"}, true},
		{"bad method", request{method: "GE(T", target: "/", host: "x"}, true},
		{"%00", request{method: "GET", target: "/%00", host: "x"}, true},
		{"broken escape", request{method: "GET", target: "/%4", host: "x"}, true},
		{"above the root", request{method: "GET", target: "/a/../../b", host: "x"}, true},
		{"encoded above the root", request{method: "GET", target: "/%2e%2e/b", host: "x"}, true},
		{"backslash", request{method: "GET", target: `/\b`, host: "x"}, true},
		{"fragment", request{method: "GET", target: "/#b", host: "x"}, true},
		{"no slash", request{method: "GET", target: "a", host: "x"}, true},
		{"star", request{method: "GET", target: "*", host: "x"}, true},
		{"non-ASCII target", request{method: "GET", target: "/\xc3\xa4", host: "x"}, true},
		{"long target", request{method: "GET", target: "/" + strings.Repeat("a", 300), host: "x"}, true},
		{"no host", request{method: "GET", target: "/"}, true},
		{"user in host", request{method: "GET", target: "/", host: "u@x"}, true},
		{"bad host", request{method: "GET", target: "/", host: "x/y"}, true},
		{"bad port", request{method: "GET", target: "/", host: "x:99999"}, true},
		{"two hosts", request{method: "GET", target: "/", host: "x", fields: field("Host", "y")}, true},
		{"control in a value", request{method: "GET", target: "/", host: "x", fields: field("A", "a\x01b")}, true},
		{"bad name", request{method: "GET", target: "/", host: "x", fields: field("A(", "b")}, true},
		{"transfer-encoding", request{method: "GET", target: "/", host: "x", fields: field("Transfer-Encoding", "gzip")}, true},
		{"bad length", request{method: "POST", target: "/", host: "x", fields: field("Content-Length", "+1"), content: "c"}, true},
		{"two lengths", request{method: "POST", target: "/", host: "x", fields: field("Content-Length", "1"), content: "c"}, true},
		{"length without content", request{method: "POST", target: "/", host: "x", fields: field("Content-Length", "999999999999999999999")}, true},
		{"many fields", request{method: "GET", target: "/", host: "x", fields: slices.Repeat(field("A", "b"), 11)}, true},
		{"large head", request{method: "GET", target: "/", host: "x", fields: field("A", strings.Repeat("b", 2000))}, true},
		{"far too large head", request{method: "GET", target: "/", host: "x", fields: field("A", strings.Repeat("b", 20_000))}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := b.compare(t, tt.request); (got == refused) != tt.refused {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestHTTP2Refuses has what only HTTP/2 can get wrong.
func TestHTTP2Refuses(t *testing.T) {
	l, h := start(t, http2Options, tell)
	tests := []struct {
		name   string
		fields []string
		end    bool
		want   string // status, or the reset's code
	}{
		{"connection", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "connection: close"}, true, "400"},
		{"keep-alive", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "keep-alive: 1"}, true, "400"},
		{"proxy-connection", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "proxy-connection: close"}, true, "400"},
		{"transfer-encoding", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "transfer-encoding: chunked"}, true, "400"},
		{"upgrade", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "upgrade: h2c"}, true, "400"},
		{"te", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "te: gzip"}, true, "400"},
		{"two te", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "te: trailers", "te: trailers"}, true, "400"},
		{"other host", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "host: y"}, true, "400"},
		{"host only", []string{":method: GET", ":scheme: http", ":path: /", "host: x"}, true, "200"},
		{"two hosts", []string{":method: GET", ":scheme: http", ":path: /", "host: x", "host: x"}, true, "400"},
		{"no path", []string{":method: GET", ":scheme: http", ":authority: x"}, true, "PROTOCOL_ERROR"},
		{"absolute path", []string{":method: GET", ":scheme: http", ":authority: x", ":path: http://x/"}, true, "400"},
		{"other scheme", []string{":method: GET", ":scheme: ftp", ":authority: x", ":path: /"}, true, "PROTOCOL_ERROR"},
		{"unknown pseudo field", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", ":what: x"}, true, "PROTOCOL_ERROR"},
		{"pseudo field behind others", []string{":method: GET", ":scheme: http", ":authority: x", "a: b", ":path: /"}, true, "PROTOCOL_ERROR"},
		{"upper case", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "A: b"}, true, "PROTOCOL_ERROR"},
		{"line break in a value", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "a: b\r\nc: d"}, true, "PROTOCOL_ERROR"},
		{"line break in the path", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /\r\nx"}, true, "PROTOCOL_ERROR"},
		{"space in the method", []string{":method: GET /", ":scheme: http", ":authority: x", ":path: /"}, true, "400"},
		{"space in the path", []string{":method: GET", ":scheme: http", ":authority: x", ":path: / HTTP/1.1"}, true, "400"},
		{"space before a value", []string{":method: GET", ":scheme: http", ":authority: x", ":path: /", "a:  b"}, true, "400"},
		{"extended CONNECT", []string{":method: CONNECT", ":protocol: websocket", ":scheme: http", ":authority: x", ":path: /"}, true, "PROTOCOL_ERROR"},
		{"length but no content", []string{":method: POST", ":scheme: http", ":authority: x", ":path: /", "content-length: 3"}, true, "400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dialHTTP2(t, l)
			c.head(1, tt.end, tt.fields...)
			a := c.answer(1)
			if got := cmp.Or(a.reset, a.status()); got != tt.want {
				t.Errorf("got %s, want %s: %+v", got, tt.want, a)
			}
		})
	}
	t.Run("more content than its length", func(t *testing.T) {
		c := dialHTTP2(t, l)
		c.post(1, "/", "content-length: 3")
		c.data(1, true, "abcd")
		if a := c.answer(1); a.reset != "PROTOCOL_ERROR" {
			t.Errorf("got %+v", a)
		}
	})
	eventually(t, "every exchange has ended", func() bool { return h.open() == 0 })
}

// comparable reports whether both protocols can say r, and mean the same by it.
func (r request) comparable() bool {
	for _, s := range []string{r.method, r.target, r.host} {
		if strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' }) {
			return false
		}
	}
	// HTTP/1.1 has a form of target with the host in it, and sends none that is empty.
	if r.target == "" || r.target[0] != '/' && r.target != "*" || r.method == "" {
		return false
	}
	for i := range r.fields {
		f := &r.fields[i]
		if strings.ContainsAny(f.Name, ":\r\n \t") || f.Name == "" || strings.ContainsAny(f.Value, "\r\n") || f.Value != strings.Trim(f.Value, " \t") {
			return false
		}
		switch strings.ToLower(f.Name) {
		// What HTTP/1.1 acts on and HTTP/2 refuses, or one joins and the other does not.
		case "connection", "keep-alive", "proxy-connection", "upgrade", "te", "transfer-encoding", "host", "content-length", "cookie":
			return false
		}
	}
	return true
}

func FuzzBothEngines(f *testing.F) {
	f.Add("GET", "/a/../b%2F?c", "x:80", "Accept", "*/*", "accept", "b", "")
	f.Add("POST", "/%00", "[::1]", "X-Forwarded-For", "1.2.3.4", "Expect", "100-continue", "content")
	f.Add("OPTIONS", "*", "X", "a_b", "", "Trailer", "t", "c")
	b := newBoth(f)
	f.Fuzz(func(t *testing.T, method, target, host, name, value, otherName, otherValue, content string) {
		r := request{method: method, target: target, host: host, content: content,
			fields: []header.Field{{Name: name, Value: value}, {Name: otherName, Value: otherValue}}}
		if r.comparable() {
			b.compare(t, r)
		}
	})
}
