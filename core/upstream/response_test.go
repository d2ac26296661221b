package upstream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

func fieldLines(fields *header.Fields) string {
	lines := ""
	for _, field := range fields.All() {
		lines += field.Name + ": " + field.Value + "\n"
	}
	return lines
}

func TestResponseContent(t *testing.T) {
	long := strings.Repeat("0123456789", 5000)
	tests := []struct {
		name, method, answer string
		want, trailers       string
		length               int64
		kept                 int
	}{
		{"length", "GET", okAnswer, "ok", "", 2, 1},
		{"empty", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", "", 0, 1},
		{"no content", "DELETE", "HTTP/1.1 204 No Content\r\n\r\n", "", "", 0, 1},
		{"not modified", "GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", "", "", 0, 1},
		{"head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", "", "", 1234, 1},
		{"head of unknown length", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", "", -1, 1},
		{"long", "GET", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long), long), long, "", int64(len(long)), 1},
		{"chunks at hand", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde", "", 5, 1},
		{"no chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", "", 0, 1},
		{"trailers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nGrpc-Status: 0\r\n\r\n", "abc", "Grpc-Status: 0\n", -1, 1},
		{"only trailers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGrpc-Status: 5\r\n\r\n", "", "Grpc-Status: 5\n", -1, 1},
		{
			"long chunks", "GET", fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n", len(long), long),
			long + "!", "A: b\n", -1, 1,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := open(t, group(listen(t, always(test.answer)).address))
			for range 2 {
				x := request(test.method, "/")
				if f := u.Do(x, Send{}); f != nil {
					t.Fatal(f)
				}
				if got := x.Resp.Body.Length; got != test.length {
					t.Errorf("length: got %d, want %d", got, test.length)
				}
				content := ""
				if test.method != "HEAD" {
					content = readBody(t, &x.Resp.Body)
				}
				if content != test.want {
					t.Errorf("got %d bytes %.20q, want %d bytes %.20q", len(content), content, len(test.want), test.want)
				}
				if got := fieldLines(&x.Resp.Trailers); got != test.trailers {
					t.Errorf("trailers: got %q, want %q", got, test.trailers)
				}
				x.Resp.Reset()
				if got := idle(u); got != test.kept {
					t.Errorf("kept: got %d, want %d", got, test.kept)
				}
			}
		})
	}
}

func readBody(t testing.TB, body *exchange.Body) string {
	t.Helper()
	content, err := io.ReadAll(body)
	if err != nil {
		t.Errorf("reading the content: %v", err)
	}
	return string(content)
}

// TestResponseInPieces sends each byte by itself and reads by single bytes too.
func TestResponseInPieces(t *testing.T) {
	const answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n" +
		"5\r\nhello\r\n6; x\r\n world\r\n0\r\nT: u\r\n\r\n"
	p := listen(t, func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			for i := range len(answer) {
				w.say(answer[i : i+1])
			}
		}
	})
	u := open(t, group(p.address))
	for range 3 {
		x := request("GET", "/")
		if f := u.Do(x, Send{}); f != nil {
			t.Fatal(f)
		}
		content, err := io.ReadAll(iotest.OneByteReader(&x.Resp.Body))
		if err != nil || string(content) != "hello world" {
			t.Errorf("got %q, %v; want hello world", content, err)
		}
		if got := fieldLines(&x.Resp.Fields) + fieldLines(&x.Resp.Trailers); got != "A: b\nT: u\n" {
			t.Errorf("fields and trailers: got %q", got)
		}
		x.Resp.Reset()
	}
	if got := p.conns.Load(); got != 1 {
		t.Errorf("got %d connections, want 1", got)
	}
}

func TestResponseUntilClose(t *testing.T) {
	p := listen(t, func(w *wire) { _, _ = w.request(); w.say("HTTP/1.1 200 OK\r\n\r\nall there is") })
	u := open(t, group(p.address))
	x := request("GET", "/")
	if got := ask(t, u, x); got != "all there is" || x.Resp.Body.Length != exchange.Unknown {
		t.Errorf("got %q of length %d, want it all, unknown", got, x.Resp.Body.Length)
	}
	if got := idle(u); got != 0 {
		t.Errorf("kept: got %d, want 0", got)
	}
}

func TestTruncatedResponseIsNeverAnEnd(t *testing.T) {
	tests := []struct {
		name, answer string
		reset        bool
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome", false},
		{"nothing of the content", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", false},
		{"within a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nsome", false},
		{"before the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n", false},
		{"within the trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\nA: b\r\n", false},
		{"reset while until close", "HTTP/1.1 200 OK\r\n\r\nsome", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			begun := make(chan bool)
			p := listen(t, func(w *wire) {
				_, _ = w.request()
				w.say(test.answer)
				<-begun
				if test.reset {
					w.reset()
				}
			})
			u := open(t, group(p.address))
			x := request("GET", "/")
			if f := u.Do(x, Send{}); f != nil {
				t.Fatal(f)
			}
			close(begun)
			_, err := io.ReadAll(&x.Resp.Body)
			var f *fault.Fault
			if !errors.As(err, &f) || f.Kind != fault.BadGateway || f.Side != fault.Upstream {
				t.Errorf("got %v, want a fault of the upstream", err)
			}
			x.Resp.Reset()
			if got := idle(u); got != 0 {
				t.Errorf("kept: got %d, want 0", got)
			}
		})
	}
}

func TestBadChunkLater(t *testing.T) {
	begun := make(chan bool)
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n")
		<-begun
		w.say("zz\r\n")
		_, _ = w.request()
	})
	u := open(t, group(p.address))
	x := request("GET", "/")
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	close(begun)
	if got, err := io.ReadAll(&x.Resp.Body); err == nil || string(got) != "some" {
		t.Errorf("got %q, %v; want some and an error", got, err)
	}
	x.Resp.Reset()
}

func TestInvalidResponses(t *testing.T) {
	tests := []struct{ name, answer string }{
		{"garbage", "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
		{"both framings", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"},
		{"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"},
		{"unasked change of protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: evil\r\n\r\n"},
		{"endless head", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 5000) + "\r\n\r\n"},
		{"endless line", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 50_000)},
		{"many fields", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 21) + "\r\n"},
		{"head cut off", "HTTP/1.1 200 OK\r\nContent-Le"},
		{"1xx without end", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", maxInterim+1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := listen(t, func(w *wire) { _, _ = w.request(); w.say(test.answer) })
			o := group(p.address)
			o.HeadLimits = http1.Limits{Head: 4096, Fields: 20}
			x := request("GET", "/")
			f := mustFail(t, open(t, o), x, Send{}, fault.BadGateway)
			if f.Side != fault.Upstream || f.Retry || x.Tries != 1 {
				t.Errorf("got %+v after %d tries, want no retry", f, x.Tries)
			}
		})
	}
}

func TestInterimAnswers(t *testing.T) {
	const answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" +
		"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n\r\nok"
	u := open(t, group(listen(t, always(answer)).address))
	x, c := request("GET", "/"), &client{}
	x.Client = c
	if got := ask(t, u, x); got != "ok" {
		t.Errorf("got %q, want ok", got)
	}
	if got, want := strings.Join(c.interims, "|"), "103 Link: </a.css>|102"; got != want {
		t.Errorf("interim answers: got %q, want %q", got, want)
	}
	if got := fieldLines(&x.Resp.Fields); got != "A: b\n" {
		t.Errorf("fields: got %q, want only those of the final answer", got)
	}
	if got := ask(t, u, request("GET", "/")); got != "ok" {
		t.Errorf("without a client: got %q, want ok", got)
	}
	x = request("GET", "/")
	x.Client = &client{fails: true}
	mustFail(t, u, x, Send{}, fault.ClientGone)
}

func TestRequestOnTheWire(t *testing.T) {
	heads := make(chan string, 1)
	p := listen(t, func(w *wire) {
		for {
			head, err := w.request()
			if err != nil {
				return
			}
			heads <- head
			w.say(okAnswer)
		}
	})
	u := open(t, group(p.address))
	x := request("GET", "/a%20b")
	x.Req.Query = "q=1"
	x.Req.Fields.Add("Accept", "*/*")
	x.Req.Fields.Add("Connection", "close")
	if f := u.Do(x, Send{Host: "shop.example"}); f != nil {
		t.Fatal(f)
	}
	x.Resp.Reset()
	if got, want := <-heads, "GET /a%20b?q=1 HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	ask(t, u, request("GET", "/"))
	if got, want := <-heads, "Host: "+p.address+"\r\n"; !strings.Contains(got, want) {
		t.Errorf("got %q, want the endpoint's address as Host", got)
	}
	if x.Times.Sent.IsZero() || x.Times.Answered.Before(x.Times.Sent) {
		t.Errorf("got times %+v, want sent before answered", x.Times)
	}
}

// TestAgainstNetHTTP has a real server echo bodies of every framing.
func TestAgainstNetHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Sum")
		content, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
		if r.URL.Path == "/flush" {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(content)
		w.Header().Set("Sum", fmt.Sprint(len(content), r.Trailer.Get("Sent")))
	}))
	defer server.Close()
	u := open(t, group(server.Listener.Addr().String()))
	defer u.Close()
	long := strings.Repeat("abcdefghij", 40_000)
	for _, path := range []string{"/", "/flush"} {
		for _, length := range []int64{exchange.Unknown, int64(4 + len(long))} {
			feed := newFeed(long[:100_000], long[100_000:])
			close(feed.pieces)
			x := upload(length, "head", feed)
			x.Req.Path = path
			if got := ask(t, u, x); got != "head"+long {
				t.Errorf("%s, length %d: got %d bytes %.40q, want %d", path, length, len(got), got, 4+len(long))
			}
			if want := int64(4 + len(long)); x.Received != want {
				t.Errorf("received: got %d, want %d", x.Received, want)
			}
			if feed.isClosed() {
				t.Error("a Source that was read to its end was closed by us")
			}
		}
	}
	if got := idle(u); got != 1 {
		t.Errorf("kept: got %d, want 1", got)
	}
}

func TestSlowContentWaitsAsLongAsTheClient(t *testing.T) {
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n")
		_, _ = w.request()
	})
	u := open(t, group(p.address))
	x, c := request("GET", "/events"), &client{}
	x.Client = c
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	failed := make(chan error)
	go func() { _, err := io.ReadAll(&x.Resp.Body); failed <- err }()
	eventually(t, "the client is looked after while an event is waited for", func() bool { return c.asked.Load() >= 2 })
	c.gone.Store(true)
	var f *fault.Fault
	if err := <-failed; !errors.As(err, &f) || f.Kind != fault.ClientGone {
		t.Errorf("got %v, want client_gone", err)
	}
	x.Resp.Reset()
}
