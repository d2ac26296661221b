package http1_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

func TestParseResponseAccepts(t *testing.T) {
	closing := http1.Framing{Length: -1, UntilClose: true}
	chunked := http1.Framing{Length: -1, Chunked: true}
	tests := []struct {
		name, method, head string
		want               http1.ResponseHead
		fields             []header.Field
	}{
		{"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: b\r\n\r\n",
			http1.ResponseHead{Status: 200, Framing: http1.Framing{Length: 3}, KeepAlive: true}, fieldsOf("A", "b")},
		{"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			http1.ResponseHead{Status: 200, Framing: chunked, KeepAlive: true}, nil},
		{"until close", "GET", "HTTP/1.1 200 OK\r\n\r\n", http1.ResponseHead{Status: 200, Framing: closing}, nil},
		{"no reason", "GET", "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n", http1.ResponseHead{Status: 299, KeepAlive: true}, nil},
		{"reason not ASCII", "GET", "HTTP/1.1 200 \xe4\tb\r\nContent-Length: 0\r\n\r\n", http1.ResponseHead{Status: 200, KeepAlive: true}, nil},
		{"http/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n",
			http1.ResponseHead{Status: 200, HTTP10: true, Framing: http1.Framing{Length: 1}}, nil},
		{"head with length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
			http1.ResponseHead{Status: 200, Framing: http1.Framing{Length: 3}, Bodyless: true, KeepAlive: true}, nil},
		{"head chunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			http1.ResponseHead{Status: 200, Framing: http1.Framing{Length: -1}, Bodyless: true, KeepAlive: true}, nil},
		{"not modified", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
			http1.ResponseHead{Status: 304, Bodyless: true, KeepAlive: true}, nil},
		{"no content", "GET", "HTTP/1.1 204 No Content\r\n\r\n", http1.ResponseHead{Status: 204, Bodyless: true, KeepAlive: true}, nil},
		{"no content but chunked", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
			http1.ResponseHead{Status: 204, Bodyless: true}, nil},
		{"early hints", "GET", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
			http1.ResponseHead{Status: 103, Bodyless: true, KeepAlive: true}, fieldsOf("Link", "a")},
		{"switch", "GET", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
			http1.ResponseHead{Status: 101, Bodyless: true, KeepAlive: true, Upgrade: "websocket"}, nil},
		{"offers an upgrade", "GET", "HTTP/1.1 200 OK\r\nConnection: upgrade, x\r\nX: y\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
			http1.ResponseHead{Status: 200, KeepAlive: true}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fields header.Fields
			got, err := http1.ParseResponse(tt.head, tt.method, testLimits, &fields)
			if err != nil {
				t.Fatal(err)
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

func TestParseResponseRefuses(t *testing.T) {
	tests := []struct{ name, head string }{
		{"nothing", ""},
		{"other protocol", "ICY 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"},
		{"two digits", "HTTP/1.1 20 OK\r\n\r\n"},
		{"four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
		{"status zero", "HTTP/1.1 099 OK\r\n\r\n"},
		{"two spaces", "HTTP/1.1  200 OK\r\n\r\n"},
		{"bare LF", "HTTP/1.1 200 OK\nA: b\r\n\r\n"},
		{"bare CR in reason", "HTTP/1.1 200 O\rK\r\n\r\n"},
		{"too many connection options", "HTTP/1.1 204 No Content\r\nConnection: " + strings.Repeat("x,", 33) + "\r\n\r\n"},
		{"folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"},
		{"space before colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n"},
		{"length and chunked", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"},
		{"gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"},
		{"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"switch without protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
		{"switch to h2c", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fields header.Fields
			if h, err := http1.ParseResponse(tt.head, "GET", testLimits, &fields); err == nil {
				t.Errorf("accepted: %+v", h)
			}
		})
	}
}

func FuzzParseResponse(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: x\r\n\r\n", "GET")
	f.Add("HTTP/1.0 404\r\nConnection: a, close\r\nA: b\r\n\r\n", "HEAD")
	f.Fuzz(func(t *testing.T, head, method string) {
		var fields, again header.Fields
		h, err := http1.ParseResponse(head, method, testLimits, &fields)
		if err != nil {
			return
		}
		framing := h.Framing
		if h.Bodyless && h.Length < 0 {
			framing.UntilClose = true
		}
		wire := string(http1.AppendResponseHead(nil, h.Status, &fields, framing, h.KeepAlive, false, h.Upgrade, ""))
		got, err := http1.ParseResponse(wire, method, http1.Limits{}, &again)
		if err != nil {
			t.Fatalf("%v: %q from %q", err, wire, head)
		}
		h.HTTP10 = false
		if h.Status == 101 {
			h.KeepAlive = got.KeepAlive
		}
		if got != h {
			t.Errorf("got  %+v\nwant %+v", got, h)
		}
		if fields.Len()+again.Len() > 0 && !reflect.DeepEqual(fields.All(), again.All()) {
			t.Errorf("got  %q\nwant %q", again.All(), fields.All())
		}
	})
}

func TestAppendResponseHead(t *testing.T) {
	tests := []struct {
		name      string
		status    int
		fields    []header.Field
		framing   http1.Framing
		keepAlive bool
		http10    bool
		upgrade   string
		date      string
		want      string
	}{
		{"length and date", 200, fieldsOf("A", "b"), http1.Framing{Length: 3}, true, false, "", "D",
			"HTTP/1.1 200 OK\r\nA: b\r\nDate: D\r\nContent-Length: 3\r\n\r\n"},
		{"own date", 200, fieldsOf("date", "own"), http1.Framing{}, false, false, "", "D",
			"HTTP/1.1 200 OK\r\ndate: own\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"chunked", 200, nil, http1.Framing{Length: -1, Chunked: true}, true, false, "", "",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"http/1.0 keeps alive", 404, nil, http1.Framing{}, true, true, "", "",
			"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
		{"until close", 200, nil, http1.Framing{Length: -1, UntilClose: true}, false, true, "", "",
			"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
		{"no content", 204, nil, http1.Framing{Length: 5}, true, false, "", "", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"early hints", 103, fieldsOf("Link", "l"), http1.Framing{}, true, false, "", "", "HTTP/1.1 103 Early Hints\r\nLink: l\r\n\r\n"},
		{"switch", 101, fieldsOf("Sec-WebSocket-Accept", "k"), http1.Framing{}, true, false, "websocket", "",
			"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"unknown status", 799, nil, http1.Framing{}, true, false, "", "", "HTTP/1.1 799 \r\nContent-Length: 0\r\n\r\n"},
		{"no status", 0, nil, http1.Framing{}, true, false, "", "", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"},
		{"what must not be written", 200, fieldsOf("A", "b\r\nX: y", "B\n", "c", "", "d", "C", "e\x00", "Content-Length", "9",
			"transfer-encoding", "chunked", "Connection", "close", "Host", "h", "E", "f"), http1.Framing{}, true, false, "", "",
			"HTTP/1.1 200 OK\r\nE: f\r\nContent-Length: 0\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fields header.Fields
			for _, f := range tt.fields {
				fields.Add(f.Name, f.Value)
			}
			got := string(http1.AppendResponseHead(nil, tt.status, &fields, tt.framing, tt.keepAlive, tt.http10, tt.upgrade, tt.date))
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestAppendRequestHead(t *testing.T) {
	tests := []struct {
		name                string
		method, path, query string
		fields              []header.Field
		framing             http1.Framing
		upgrade             string
		want                string
	}{
		{"get", "GET", "/a", "b=c", fieldsOf("X", "y"), http1.Framing{}, "", "GET /a?b=c HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"},
		{"empty post", "POST", "/", "", nil, http1.Framing{}, "", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
		{"length", "DELETE", "/", "", nil, http1.Framing{Length: 12}, "", "DELETE / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n"},
		{"chunked", "PUT", "/", "", nil, http1.Framing{Length: -1, Chunked: true}, "",
			"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"upgrade", "GET", "/", "", nil, http1.Framing{}, "websocket",
			"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"what must not be written", "GE\r\nT", "/a b\r\n", "c\n#", fieldsOf("A\r", "b", "Expect", "100-continue", "TE", "x"), http1.Framing{}, "a\r\nb",
			"GET /a%20b%0D%0A?c%0A%23 HTTP/1.1\r\nHost: h\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fields header.Fields
			for _, f := range tt.fields {
				fields.Add(f.Name, f.Value)
			}
			got := string(http1.AppendRequestHead(nil, tt.method, tt.path, tt.query, "h\r\n", &fields, tt.framing, tt.upgrade))
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

const typicalAnswer = "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n" +
	"Content-Length: 259\r\nConnection: keep-alive\r\nCache-Control: no-store\r\n\r\n"

func TestParseResponseAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var fields header.Fields
	dst := make([]byte, 0, 1024)
	got := testing.AllocsPerRun(100, func() {
		fields.Reset()
		h, err := http1.ParseResponse(typicalAnswer, "GET", testLimits, &fields)
		if err != nil {
			t.Fatal(err)
		}
		dst = http1.AppendResponseHead(dst[:0], h.Status, &fields, h.Framing, true, false, "", "")
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func BenchmarkParseResponse(b *testing.B) {
	var fields header.Fields
	b.ReportAllocs()
	for b.Loop() {
		fields.Reset()
		if _, err := http1.ParseResponse(typicalAnswer, "GET", testLimits, &fields); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendResponseHead(b *testing.B) {
	var fields header.Fields
	h, _ := http1.ParseResponse(typicalAnswer, "GET", testLimits, &fields)
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = http1.AppendResponseHead(dst[:0], h.Status, &fields, h.Framing, true, false, "", "")
	}
}
