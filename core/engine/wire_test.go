package engine

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/http1"
)

// exchanges are what clients send, and what comes back up to the close.
var exchanges = []struct{ name, input, want string }{
	{"one", "GET /a?b HTTP/1.1\r\nHost: X\r\n\r\n", told(`GET /a?b x ""`)},
	{"close", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n", told(`GET /? x ""`, closing)},
	{"pipeline", "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /3 HTTP/1.1\r\nHost: x\r\n\r\n",
		told(`GET /1? x ""`) + told(`POST /2? x "ab"`) + told(`GET /3? x ""`)},
	{"empty line between", "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n\r\n",
		told(`POST /1? x "ab"`) + told(`GET /2? x ""`)},
	{"http/1.0", "GET / HTTP/1.0\r\n\r\n", told(`GET /?  ""`, closing)},
	{"http/1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n",
		told(`GET /?  ""`, keepAlive) + told(`GET /2?  ""`, closing)},
	{"head", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 12\r\n\r\n" + told(`GET /? x ""`)},
	{"chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: u\r\nHost: y\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
		told(`POST /? x "abc" T=u`) + told(`GET /? x ""`)},
	{"chunked empty", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", told(`POST /? x ""`)},
	{"expect with content in hand", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nab", ""},
	{"options", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", told(`OPTIONS *? x ""`)},
	{"upgrade not answered", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n",
		told(`GET /? x ""`) + told(`GET /2? x ""`)},
	{"bad after good", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET  / HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n", told(`GET /? x ""`) + badRequest},
	{"bad chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", badRequest},
	{"content missing", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", badRequest},
	{"bare LF", "GET / HTTP/1.1\nHost: x\n\n", badRequest},
	{"length and chunked", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", badRequest},
	{"version", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
	{"long target", "GET /" + strings.Repeat("a", 200) + " HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 414 URI Too Long\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
	{"large head", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 600) + "\r\n\r\n",
		"HTTP/1.1 431 Request Header Fields Too Large\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
	{"endless head", "GET / HTTP/1.1\r\nA: " + strings.Repeat("a", 700),
		"HTTP/1.1 431 Request Header Fields Too Large\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
	{"endless target", "GET /" + strings.Repeat("a", 700), "HTTP/1.1 414 URI Too Long\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
	{"nothing", "", ""},
	{"half a head", "GET / HTTP/1.1\r\nHo", ""},
	{"only empty lines", "\r\n", ""},
}

var smallLimits = Options{Limits: http1.Limits{Head: 512, URI: 128}}

// sameAnswers compares, leaving out a 100 Continue whose coming depends on how the content arrived.
func sameAnswers(got, want string) bool {
	return strings.TrimPrefix(got, "HTTP/1.1 100 Continue\r\n\r\n") == want
}

func TestWire(t *testing.T) {
	l, _ := start(t, smallLimits, tell)
	for _, tt := range exchanges {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" && strings.Contains(tt.input, "Expect") {
				want = told(`POST /? x "ab"`, closing)
			}
			if got := talk(t, l, tt.input); !sameAnswers(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			for i := 1; i < min(len(tt.input), 250); i++ {
				nc := dial(t, l)
				send(t, nc, tt.input[:i])
				go func() {
					_, _ = io.WriteString(nc, tt.input[i:]) // the answer shows what arrived
					_ = nc.CloseWrite()
				}()
				got := readAll(t, nc)
				nc.Close()
				if !sameAnswers(got, want) {
					t.Fatalf("split at %d: got  %q\nwant %q", i, got, want)
				}
			}
		})
	}
}

// TestPipe runs the same over a connection that cannot be read without waiting, and byte by byte.
func TestPipe(t *testing.T) {
	l, _ := start(t, smallLimits, tell)
	for _, tt := range exchanges {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			switch {
			case strings.Contains(tt.input, "Expect"):
				want = told(`POST /? x "ab"`, closing)
			case strings.Contains(tt.name, "content missing"):
				want = "" // a pipe has no half close: nobody is left to answer
			}
			if got := pipe(l, tt.input); !sameAnswers(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// pipe sends input byte by byte over a net.Pipe and returns what came back.
func pipe(l *Listener, input string) string {
	client, server := net.Pipe()
	l.open(server)
	go func() {
		for i := range len(input) {
			if _, err := io.WriteString(client, input[i:i+1]); err != nil {
				return
			}
		}
		// A pipe cannot be closed by halves. That a byte more is taken tells that all before is answered.
		if !strings.Contains(input, closing) {
			_, _ = io.WriteString(client, "G")
			client.Close()
		}
	}()
	got, _ := io.ReadAll(client) // a close by the other goroutine is an error here
	return string(got)
}

func FuzzConnection(f *testing.F) {
	for _, tt := range exchanges {
		f.Add([]byte(tt.input))
	}
	l, h := start(f, smallLimits, tell)
	f.Fuzz(func(t *testing.T, input []byte) {
		client, server := net.Pipe()
		l.open(server)
		go func() {
			_, _ = client.Write(input)
			client.Close()
		}()
		got, _ := io.ReadAll(client)
		if len(got) > 0 && !strings.HasPrefix(string(got), "HTTP/1.1 ") {
			t.Errorf("got %q", got)
		}
		eventually(t, "every exchange has ended", func() bool { return h.open() == 0 })
	})
}
