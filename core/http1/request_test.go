package http1_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

var testLimits = http1.Limits{Head: 4096, Fields: 20, URI: 512}

const typicalHead = "GET /api/orders/4711?expand=items HTTP/1.1\r\n" +
	"Host: shop.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101\r\n" +
	"Accept: application/json, text/plain, */*\r\n" +
	"Accept-Language: en-GB,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\n" +
	"Cookie: session=5f2b1c9d0e8a\r\n" +
	"Connection: keep-alive\r\n\r\n"

func fieldsOf(pairs ...string) []header.Field {
	var list []header.Field
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, header.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}

func TestParseRequestAccepts(t *testing.T) {
	tests := []struct {
		name, head string
		want       http1.RequestHead
		fields     []header.Field
	}{
		{"plain", "GET /a?b=c HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/a?b=c", Host: "x", Path: "/a", Query: "b=c", KeepAlive: true}, fieldsOf("A", "1")},
		{"one empty line before", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x", Path: "/", KeepAlive: true}, nil},
		{"capitals in host", "GET / HTTP/1.1\r\nHost: X.Example:8080\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x.example:8080", Path: "/", KeepAlive: true}, nil},
		{"ipv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "[::1]:80", Path: "/", KeepAlive: true}, nil},
		{"length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 007\r\n\r\n",
			http1.RequestHead{Method: "POST", Target: "/", Host: "x", Path: "/", Framing: http1.Framing{Length: 7}, KeepAlive: true}, nil},
		{"chunked in capitals, close", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\nConnection: Close\r\n\r\n",
			http1.RequestHead{Method: "POST", Target: "/", Host: "x", Path: "/", Framing: http1.Framing{Length: -1, Chunked: true}}, nil},
		{"expect", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n",
			http1.RequestHead{Method: "PUT", Target: "/", Host: "x", Path: "/", Framing: http1.Framing{Length: 1}, Expect100: true, KeepAlive: true}, nil},
		{"http/1.0 without host", "GET / HTTP/1.0\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Path: "/", HTTP10: true}, nil},
		{"http/1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Path: "/", HTTP10: true, KeepAlive: true}, nil},
		{"absolute", "GET http://X/p?q HTTP/1.1\r\nHost: x\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "http://X/p?q", Host: "x", Path: "/p", Query: "q", KeepAlive: true}, nil},
		{"absolute without path", "GET https://x?q HTTP/1.1\r\nHost: x\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "https://x?q", Host: "x", Path: "/", Query: "q", KeepAlive: true}, nil},
		{"options star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
			http1.RequestHead{Method: "OPTIONS", Target: "*", Host: "x", Path: "*", KeepAlive: true}, nil},
		{"options absolute", "OPTIONS http://x HTTP/1.1\r\nHost: x\r\n\r\n",
			http1.RequestHead{Method: "OPTIONS", Target: "http://x", Host: "x", Path: "*", KeepAlive: true}, nil},
		{"websocket", "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/ws", Host: "x", Path: "/ws", Upgrade: "websocket", KeepAlive: true}, fieldsOf("Sec-WebSocket-Key", "k")},
		{"upgrade not in connection", "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x", Path: "/", KeepAlive: true}, nil},
		{"h2c is not taken", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x", Path: "/", KeepAlive: true}, nil},
		{"a list of protocols is not taken", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x", Path: "/", KeepAlive: true}, nil},
		{"two protocols are not taken", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x", Path: "/", KeepAlive: true}, nil},
		{"connection names fields", "GET / HTTP/1.1\r\nConnection: x-a, Authorization ,, close\r\nHost: x\r\nX-A: 1\r\nX-B: 2\r\nx-a: 3\r\nAuthorization: z\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x", Path: "/"}, fieldsOf("X-B", "2")},
		{"hop-by-hop", "GET / HTTP/1.1\r\nHost: x\r\nKeep-Alive: 1\r\nProxy-Connection: a\r\nProxy-Authorization: b\r\nProxy: c\r\nTE: gzip, trailers\r\nTrailer: d\r\nProxy-Status: e\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x", Path: "/", KeepAlive: true, Trailers: true}, fieldsOf("Proxy-Status", "e")},
		{"whitespace and empty values", "GET / HTTP/1.1\r\nHost:\t x \r\nA:\r\nB: \t b\tc  \r\nC: \xe4\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Host: "x", Path: "/", KeepAlive: true}, fieldsOf("A", "", "B", "b\tc", "C", "\xe4")},
		{"path made canonical", "GET /a/./b//%7e?/../x HTTP/1.1\r\nHost: x\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/a/./b//%7e?/../x", Host: "x", Path: "/a/b/~", Query: "/../x", KeepAlive: true}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fields header.Fields
			got, f := http1.ParseRequest(tt.head, testLimits, &fields)
			if f != nil {
				t.Fatalf("fault: %v", f)
			}
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if len(tt.fields)+fields.Len() > 0 && !reflect.DeepEqual(fields.All(), tt.fields) {
				t.Errorf("got  %q\nwant %q", fields.All(), tt.fields)
			}
		})
	}
}

func TestParseRequestRefuses(t *testing.T) {
	get := func(fields string) string { return "GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" }
	line := func(line string) string { return line + "\r\nHost: x\r\n\r\n" }
	tests := []struct {
		name, head string
		want       fault.Kind
	}{
		{"nothing", "", fault.BadRequest},
		{"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", fault.BadRequest},
		{"bare LF in the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", fault.BadRequest},
		{"bare LF behind a field", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", fault.BadRequest},
		{"bare LF at the end", "GET / HTTP/1.1\r\nHost: x\r\n\n", fault.BadRequest},
		{"bare CR", get("A: b\rC: d\r\n"), fault.BadRequest},
		{"CR CR LF", get("A: b\r\r\n"), fault.BadRequest},
		{"NUL in a value", get("A: b\x00c\r\n"), fault.BadRequest},
		{"too many connection options", get("Connection: " + strings.Repeat("x,", 33) + "\r\n"), fault.BadRequest},
		{"DEL in a value", get("A: b\x7fc\r\n"), fault.BadRequest},
		{"BEL in a long value", get("A: 0123456789abc\a0123456789\r\n"), fault.BadRequest},
		{"space before colon", get("A : b\r\n"), fault.BadRequest},
		{"tab before colon", get("Content-Length\t: 4\r\n"), fault.BadRequest},
		{"folded", get("A: b\r\n c\r\n"), fault.BadRequest},
		{"folded with tab", get("A: b\r\n\tc\r\n"), fault.BadRequest},
		{"folded first", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", fault.BadRequest},
		{"no name", get(": b\r\n"), fault.BadRequest},
		{"no colon", get("Abc\r\n"), fault.BadRequest},
		{"name is no token", get("A(b): c\r\n"), fault.BadRequest},
		{"name not ASCII", get("\xc3\xa4: c\r\n"), fault.BadRequest},
		{"length and chunked", get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), fault.BadRequest},
		{"chunked and length", get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), fault.BadRequest},
		{"two equal lengths", get("Content-Length: 5\r\nContent-Length: 5\r\n"), fault.BadRequest},
		{"two lengths", get("Content-Length: 5\r\ncontent-length: 6\r\n"), fault.BadRequest},
		{"length list", get("Content-Length: 5, 5\r\n"), fault.BadRequest},
		{"length with plus", get("Content-Length: +5\r\n"), fault.BadRequest},
		{"length with minus", get("Content-Length: -5\r\n"), fault.BadRequest},
		{"length with underscore", get("Content-Length: 1_0\r\n"), fault.BadRequest},
		{"length hex", get("Content-Length: 0x5\r\n"), fault.BadRequest},
		{"length empty", get("Content-Length:\r\n"), fault.BadRequest},
		{"length overflow", get("Content-Length: 18446744073709551621\r\n"), fault.BadRequest},
		{"length with space inside", get("Content-Length: 1 0\r\n"), fault.BadRequest},
		{"identity", get("Transfer-Encoding: identity\r\n"), fault.BadRequest},
		{"gzip, chunked", get("Transfer-Encoding: gzip, chunked\r\n"), fault.BadRequest},
		{"chunked twice", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), fault.BadRequest},
		{"chunked, chunked", get("Transfer-Encoding: chunked, chunked\r\n"), fault.BadRequest},
		{"chunked with parameter", get("Transfer-Encoding: chunked;a=b\r\n"), fault.BadRequest},
		{"xchunked", get("Transfer-Encoding: xchunked\r\n"), fault.BadRequest},
		{"vertical tab before chunked", get("Transfer-Encoding: \vchunked\r\n"), fault.BadRequest},
		{"quoted chunked", get("Transfer-Encoding: \"chunked\"\r\n"), fault.BadRequest},
		{"empty coding", get("Transfer-Encoding:\r\n"), fault.BadRequest},
		{"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", fault.BadRequest},
		{"no host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", fault.BadRequest},
		{"two hosts", get("Host: x\r\n"), fault.BadRequest},
		{"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", fault.BadRequest},
		{"host with slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", fault.BadRequest},
		{"host with user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", fault.BadRequest},
		{"host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", fault.BadRequest},
		{"host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", fault.BadRequest},
		{"host with empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", fault.BadRequest},
		{"host with large port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", fault.BadRequest},
		{"host is a port", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", fault.BadRequest},
		{"host bracket open", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", fault.BadRequest},
		{"host IPv4 in brackets", "GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n", fault.BadRequest},
		{"host with zone", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", fault.BadRequest},
		{"absolute form, other host", "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", fault.BadRequest},
		{"absolute form, user", "GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n", fault.BadRequest},
		{"absolute form without host field", "GET http://x/ HTTP/1.1\r\n\r\n", fault.BadRequest},
		{"absolute form, other scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", fault.BadRequest},
		{"connect", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", fault.BadRequest},
		{"star with GET", line("GET * HTTP/1.1"), fault.BadRequest},
		{"no slash", line("GET a HTTP/1.1"), fault.BadRequest},
		{"fragment", line("GET /a#b HTTP/1.1"), fault.BadRequest},
		{"above root", line("GET /../a HTTP/1.1"), fault.BadRequest},
		{"two spaces", line("GET  / HTTP/1.1"), fault.BadRequest},
		{"two spaces before the version", line("GET /  HTTP/1.1"), fault.BadRequest},
		{"tab", line("GET\t/ HTTP/1.1"), fault.BadRequest},
		{"space at the end", line("GET / HTTP/1.1 "), fault.BadRequest},
		{"space at the start", line(" GET / HTTP/1.1"), fault.BadRequest},
		{"no version", line("GET /"), fault.BadRequest},
		{"lower-case version", line("GET / http/1.1"), fault.BadRequest},
		{"method is no token", line("GE(T / HTTP/1.1"), fault.BadRequest},
		{"non-ASCII target", line("GET /\xff HTTP/1.1"), fault.BadRequest},
		{"HTTP/2.0", line("GET / HTTP/2.0"), fault.VersionNotSupported},
		{"HTTP/1.2", line("GET / HTTP/1.2"), fault.VersionNotSupported},
		{"HTTP/0.9", line("GET / HTTP/0.9"), fault.VersionNotSupported},
		{"HTTP/1.10", line("GET / HTTP/1.10"), fault.BadRequest},
		{"connection names host", get("Connection: Host\r\n"), fault.BadRequest},
		{"connection names length", get("Connection: content-length\r\nContent-Length: 3\r\n"), fault.BadRequest},
		{"connection names transfer-encoding", get("Connection: close, transfer-encoding\r\n"), fault.BadRequest},
		{"connection is no token list", get("Connection: a b\r\n"), fault.BadRequest},
		{"many connections", get(strings.Repeat("Connection: close\r\n", 5)), fault.BadRequest},
		{"long target", line("GET /" + strings.Repeat("a", 512) + " HTTP/1.1"), fault.URITooLong},
		{"many fields", get(strings.Repeat("A: b\r\n", 20)), fault.HeadTooLarge},
		{"large head", get("A: " + strings.Repeat("a", 4096) + "\r\n"), fault.HeadTooLarge},
		{"bytes behind the head", get("") + "x", fault.BadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fields header.Fields
			_, f := http1.ParseRequest(tt.head, testLimits, &fields)
			if f == nil {
				t.Fatalf("accepted with fields %q", fields.All())
			}
			if f.Kind != tt.want || f.Side != fault.Client || f.Reason == "" {
				t.Errorf("got %v, want kind %v", f, tt.want)
			}
		})
	}
}

func TestParseRequestNeverPanics(t *testing.T) {
	for end := range len(typicalHead) {
		var fields header.Fields
		if _, f := http1.ParseRequest(typicalHead[:end], http1.Limits{}, &fields); f == nil {
			t.Errorf("accepted the first %d bytes", end)
		}
	}
}

func TestFindHead(t *testing.T) {
	tests := []struct {
		name, buf string
		want      int
	}{
		{"empty", "", -1},
		{"not complete", "GET / HTTP/1.1\r\nHost: x\r\n\r", -1},
		{"complete", "a\r\n\r\nrest", 5},
		{"bare LF", "a\n\nrest", 2},
		{"bare LF first", "\n", 1},
		{"bare LF later", "a\r\nb\nc", 5},
		{"empty lines only", "\r\n\r\n", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := http1.FindHead([]byte(tt.buf), 0); got != tt.want {
				t.Errorf("at once: got %d, want %d", got, tt.want)
			}
			got := -1
			for end := 1; end <= len(tt.buf) && got < 0; end++ {
				got = http1.FindHead([]byte(tt.buf[:end]), end-1)
			}
			if got != tt.want {
				t.Errorf("byte by byte: got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestParseRequestAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var fields header.Fields
	dst := make([]byte, 0, 1024)
	got := testing.AllocsPerRun(100, func() {
		fields.Reset()
		h, f := http1.ParseRequest(typicalHead, testLimits, &fields)
		if f != nil {
			t.Fatal(f)
		}
		dst = http1.AppendRequestHead(dst[:0], h.Method, h.Path, h.Query, h.Host, &fields, h.Framing, h.Upgrade)
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(typicalHead)
	f.Add("POST http://x/%7E/../b?c HTTP/1.1\r\nHost: X\r\nTransfer-Encoding: chunked\r\nConnection: a\r\nA: b\r\n\r\n")
	f.Add("GET /ws HTTP/1.1\r\nHost: [::1]:8\r\nConnection: Upgrade\r\nUpgrade: websocket/13\r\n\r\n")
	f.Add("\r\nOPTIONS * HTTP/1.0\r\n\r\n")
	f.Fuzz(func(t *testing.T, head string) {
		var fields, again header.Fields
		h, fault := http1.ParseRequest(head, testLimits, &fields)
		if fault != nil || h.Host == "" {
			return
		}
		wire := string(http1.AppendRequestHead(nil, h.Method, h.Path, h.Query, h.Host, &fields, h.Framing, h.Upgrade))
		if end := http1.FindHead([]byte(wire), 0); end != len(wire) {
			t.Fatalf("head ends at %d of %q", end, wire)
		}
		got, fault := http1.ParseRequest(wire, http1.Limits{}, &again)
		if fault != nil {
			t.Fatalf("%v: %q from %q", fault, wire, head)
		}
		want := h
		want.Target, want.HTTP10, want.KeepAlive, want.Expect100, want.Trailers = got.Target, false, true, false, false
		if got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if fields.Len()+again.Len() > 0 && !reflect.DeepEqual(fields.All(), again.All()) {
			t.Errorf("got  %q\nwant %q", again.All(), fields.All())
		}
	})
}

func BenchmarkParseRequest(b *testing.B) {
	var fields header.Fields
	b.SetBytes(int64(len(typicalHead)))
	b.ReportAllocs()
	for b.Loop() {
		fields.Reset()
		if _, f := http1.ParseRequest(typicalHead, testLimits, &fields); f != nil {
			b.Fatal(f)
		}
	}
}

func BenchmarkFindHead(b *testing.B) {
	buf := []byte(typicalHead)
	for b.Loop() {
		http1.FindHead(buf, 0)
	}
}

func BenchmarkAppendRequestHead(b *testing.B) {
	var fields header.Fields
	h, _ := http1.ParseRequest(typicalHead, testLimits, &fields)
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = http1.AppendRequestHead(dst[:0], h.Method, h.Path, h.Query, h.Host, &fields, h.Framing, h.Upgrade)
	}
}
