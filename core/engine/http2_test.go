package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

func TestHTTP2Preface(t *testing.T) {
	l, _ := start(t, http2Options, tell)
	input := http2Preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for split := 1; split < len(input); split++ {
		c := startHTTP2(t, dial(t, l))
		send(t, c.nc, input[:split])
		send(t, c.nc, input[split:])
		c.get(1, "/a?b")
		if a := c.answer(1); a.content != `GET /a?b x ""` {
			t.Fatalf("split at %d: got %+v", split, a)
		}
		c.nc.Close()
	}
	for input, want := range map[string]string{
		"PATCH / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n": told(`PATCH /? x ""`, closing),
		"PRI * HTTP/2.0\r\n\r\n":                                   "", // the rest never comes
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + http2Preface: told(`GET /? x ""`) +
			"HTTP/1.1 505 HTTP Version Not Supported\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	} {
		if got := talk(t, l, input); got != want {
			t.Errorf("%q: got %q, want %q", input, got, want)
		}
	}
	l.SetOptions(Options{})
	if got := talk(t, l, http2Preface); !strings.HasPrefix(got, "HTTP/1.1 505 ") {
		t.Errorf("turned off: got %q", got)
	}
}

func TestHTTP2Answers(t *testing.T) {
	tests := []struct {
		name   string
		method string
		serve  func(x *exchange.Exchange)
		want   http2Answer
	}{
		{"held", "GET", func(x *exchange.Exchange) { answer200(x, "abc") },
			http2Answer{head: ":status: 200\ndate: D\ncontent-length: 3\n", content: "abc", frames: 1}},
		{"empty", "GET", func(x *exchange.Exchange) { answer200(x, "") },
			http2Answer{head: ":status: 200\ndate: D\ncontent-length: 0\n", frames: 0}},
		{"head", "HEAD", func(x *exchange.Exchange) { answer200(x, "abc") },
			http2Answer{head: ":status: 200\ndate: D\ncontent-length: 3\n"}},
		{"head of unknown length", "HEAD", func(x *exchange.Exchange) {
			answer200(x, "")
			x.Resp.Body = exchange.Body{Length: exchange.Unknown}
		}, http2Answer{head: ":status: 200\ndate: D\n"}},
		{"204", "GET", func(x *exchange.Exchange) { answer200(x, "abc"); x.Resp.Status = 204 }, http2Answer{head: ":status: 204\ndate: D\n"}},
		{"304", "GET", func(x *exchange.Exchange) { answer200(x, "abc"); x.Resp.Status = 304 }, http2Answer{head: ":status: 304\ndate: D\n"}},
		{"fields", "GET", func(x *exchange.Exchange) {
			answer200(x, "a")
			for _, field := range []header.Field{{Name: "set-cookie", Value: "1"}, {Name: "Set-Cookie", Value: "2"}, {Name: "Connection", Value: "close"},
				{Name: "transfer-Encoding", Value: "chunked"}, {Name: "Content-length", Value: "7"}, {Name: "Keep-Alive", Value: "1"},
				{Name: "Upgrade", Value: "u"}, {Name: "bad name", Value: "b"}, {Name: "bad", Value: "b\r\nc"}, {Name: "Content-Type", Value: "t"}} {
				x.Resp.Fields.Add(field.Name, field.Value)
			}
		}, http2Answer{head: ":status: 200\ncontent-type: t\ndate: D\nset-cookie: 1\nset-cookie: 2\ncontent-length: 1\n", content: "a", frames: 1}},
		{"no status", "GET", func(x *exchange.Exchange) { x.Resp.Fields.Add("A", "b") }, http2Answer{head: ":status: 500\ncontent-length: 0\n"}},
		{"stream of known length", "GET", func(x *exchange.Exchange) {
			answer200(x, "ab")
			x.Resp.Body.Length, x.Resp.Body.Source = 6, &pieces{list: []string{"cd", "ef"}, err: io.EOF}
		}, http2Answer{head: ":status: 200\ndate: D\ncontent-length: 6\n", content: "abcdef", frames: 4}},
		{"stream with trailers", "GET", func(x *exchange.Exchange) {
			answer200(x, "")
			x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: script{close: func() {}, read: func([]byte) (int, error) {
				for _, name := range []string{"Grpc-Status", "grpc-message", "Content-Length", "Connection", "X-A"} {
					x.Resp.Trailers.Add(name, name[:1])
				}
				return 0, io.EOF
			}}}
		}, http2Answer{head: ":status: 200\ndate: D\n", trailers: "grpc-message: g\ngrpc-status: G\nx-a: X\n"}},
		{"held with trailers", "GET", func(x *exchange.Exchange) { answer200(x, "abc"); x.Resp.Trailers.Add("T", "u") },
			http2Answer{head: ":status: 200\ndate: D\ncontent-length: 3\n", content: "abc", trailers: "t: u\n", frames: 1}},
		{"early hints", "GET", func(x *exchange.Exchange) {
			var fields header.Fields
			fields.Add("Link", "l")
			for _, status := range []int{100, 101, 103} {
				if err := x.Client.Interim(status, &fields); err != nil {
					t.Error(err)
				}
			}
			answer200(x, "a")
		}, http2Answer{interim: []string{":status: 103\nlink: l\n"}, head: ":status: 200\ndate: D\ncontent-length: 1\n", content: "a", frames: 1}},
		{"cut short", "GET", func(x *exchange.Exchange) {
			answer200(x, "ab")
			x.Resp.Body.Length, x.Resp.Body.Source = 6, &pieces{list: []string{"cd"}, err: io.EOF}
		}, http2Answer{head: ":status: 200\ndate: D\ncontent-length: 6\n", content: "abcd", frames: 2, reset: "INTERNAL_ERROR"}},
		{"cut short, length unknown", "GET", func(x *exchange.Exchange) {
			answer200(x, "ab")
			x.Resp.Body.Length, x.Resp.Body.Source = -1, &pieces{list: []string{"cd"}, err: errors.New("broken")}
		}, http2Answer{head: ":status: 200\ndate: D\n", content: "abcd", frames: 2, reset: "INTERNAL_ERROR"}},
		{"too long", "GET", func(x *exchange.Exchange) {
			answer200(x, "ab")
			x.Resp.Body.Length, x.Resp.Body.Source = 3, &pieces{list: []string{"cd"}, err: io.EOF}
		}, http2Answer{head: ":status: 200\ndate: D\ncontent-length: 3\n", content: "ab", frames: 1, reset: "INTERNAL_ERROR"}},
		{"panic", "GET", func(x *exchange.Exchange) { panic("no") }, http2Answer{reset: "INTERNAL_ERROR"}},
		{"panic in a source", "GET", func(x *exchange.Exchange) {
			answer200(x, "ab")
			x.Resp.Body.Length, x.Resp.Body.Source = -1, script{read: func([]byte) (int, error) { panic("no") }, close: func() {}}
		}, http2Answer{head: ":status: 200\ndate: D\n", content: "ab", frames: 1, reset: "INTERNAL_ERROR"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := start(t, http2Options, tt.serve)
			c := dialHTTP2(t, l)
			c.head(1, true, ":method: "+tt.method, ":scheme: http", ":authority: x", ":path: /")
			got := *c.answer(1)
			got.frames -= strings.Count(got.head, "length: 0") // net/http may end an empty answer with a frame of its own
			got.frames = max(got.frames, 0)
			head, date, _ := strings.Cut(got.head, "date: ")
			if !strings.HasPrefix(date, "D\n") && date != "" {
				_, date, _ = strings.Cut(date, "\n")
				got.head = head + date
			}
			tt.want.ended = tt.want.reset == ""
			if tt.want.frames > 0 && got.frames == tt.want.frames+1 {
				got.frames-- // the end may come in a frame without content
			}
			if got, want := sortedHead(got), sortedHead(tt.want); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// sortedHead describes an answer, its fields in order.
func sortedHead(a http2Answer) string {
	a.head = sortLines(a.head)
	return fmt.Sprintf("%+v", a)
}

func TestHTTP2Request(t *testing.T) {
	var got exchange.Exchange
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		got.Req.Method, got.Req.Scheme, got.Req.Protocol, got.Addr, got.Peer = x.Req.Method, x.Req.Scheme, x.Req.Protocol, x.Addr, x.Peer
		got.Req.Fields.CopyFrom(&x.Req.Fields)
		tell(x)
	})
	c := dialHTTP2(t, l)
	c.head(1, false, ":method: POST", ":scheme: https", ":authority: X:80", ":path: /b/../a%41?q", "cookie: a=1", "x-b: 1", "te: trailers",
		"cookie: b=2", "x_b: 2", "a: 3", "x-b: 4", "host: x:80", "content-length: 5", "trailer: t, u", "proxy-authorization: p", "x-forwarded-for: 1.2.3.4")
	c.data(1, false, "abc")
	c.data(1, false, "de")
	c.head(1, true, "u: 1", "t: 2", "v: 3", "u: 4")
	if got, want := c.answer(1).content, `POST /aA?q x:80 "abcde" T=2 U=1 U=4`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	const want = "[POST http HTTP/2.0 127.0.0.1 [{A 3} {Cookie a=1; b=2} {X-B 1} {X-B 4} {X_b 2}" +
		" {X-Forwarded-For 127.0.0.1} {X-Forwarded-Proto http} {X-Forwarded-Host x:80}]]"
	if text := fmt.Sprint([]any{got.Req.Method, got.Req.Scheme, got.Req.Protocol, got.Addr, got.Req.Fields.All()}); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if got.Peer.Addr().String() != "127.0.0.1" || got.Peer.Port() == 0 {
		t.Errorf("peer %v", got.Peer)
	}
}

func TestHTTP2Expect(t *testing.T) {
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		if x.Req.Path == "/no" {
			answer200(x, "no")
			return
		}
		tell(x)
	})
	c := dialHTTP2(t, l)
	c.post(1, "/", "expect: 100-continue", "content-length: 2")
	c.wait("100", func() bool { return len(c.on(1).interim) == 1 })
	c.data(1, true, "ab")
	if a := c.answer(1); a.content != `POST /? x "ab"` || a.interim[0] != ":status: 100\n" {
		t.Errorf("got %+v", a)
	}
	c.post(3, "/no", "expect: 100-continue", "content-length: 2")
	if a := c.answer(3); a.content != "no" || len(a.interim) != 0 {
		t.Errorf("got %+v", a)
	}
}

// TestHTTP2EarlyAnswer answers while the content is still to come, as gRPC servers and 413 do.
func TestHTTP2EarlyAnswer(t *testing.T) {
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		if x.Req.Path == "/reading" { // by another goroutine, that Close ends
			content, done := x.Req.Body.Source, make(chan struct{})
			go func() { _, _ = io.Copy(io.Discard, content); close(done) }()
			x.Resp.Body = exchange.Body{Length: -1, Source: script{
				read:  func([]byte) (int, error) { return 0, io.EOF },
				close: func() { _ = content.Close(); <-done },
			}}
			x.Resp.Status = 200
			x.Resp.Trailers.Add("Grpc-Status", "8")
			return
		}
		answer200(x, "early")
	})
	c := dialHTTP2(t, l)
	c.post(1, "/")
	c.post(3, "/reading")
	c.data(3, false, "some")
	for _, id := range []uint32{1, 3} {
		a := c.answer(id)
		c.wait("the reset", func() bool { return a.reset != "" })
		if a.reset != "NO_ERROR" || !a.ended || id == 3 && a.trailers != "grpc-status: 8\n" {
			t.Errorf("got %+v", a)
		}
	}
}

// TestHTTP2FlushesEachRead has the next piece come only when the client has the one before.
func TestHTTP2FlushesEachRead(t *testing.T) {
	next := make(chan string)
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		x.Resp.Status = 200
		x.Resp.Body = exchange.Body{Length: -1, Source: script{close: func() {}, read: func(p []byte) (int, error) {
			s, ok := <-next
			if !ok {
				return 0, io.EOF
			}
			return copy(p, s), nil
		}}}
	})
	c := dialHTTP2(t, l)
	c.get(1, "/")
	a := c.on(1)
	c.wait("the head", func() bool { return a.head != "" })
	want := ""
	for i := range 5 {
		s := strings.Repeat("x", 1+i*3000)
		want += s
		next <- s
		c.wait("a piece", func() bool { return a.content == want })
	}
	close(next)
	c.answer(1)
}

func TestHTTP2ClientReset(t *testing.T) {
	serving := make(chan struct{})
	l, h := start(t, http2Options, func(x *exchange.Exchange) {
		if x.Client.Gone() {
			t.Error("gone before it went")
		}
		close(serving)
		eventually(t, "the client is gone", x.Client.Gone)
		answer200(x, "too late")
	})
	c := dialHTTP2(t, l)
	c.get(1, "/")
	<-serving
	c.check(c.frames.WriteRSTStream(1, http2.ErrCodeCancel))
	eventually(t, "the exchange has ended", func() bool { return h.open() == 0 })
	c.check(c.frames.WritePing(false, [8]byte{}))
	c.wait("the connection goes on", func() bool { return c.pings == 1 })
}

// TestHTTP2BodyFaults: the fault says whose mistake it was.
func TestHTTP2BodyFaults(t *testing.T) {
	faults := make(chan *fault.Fault, 1)
	reading := make(chan struct{}, 1)
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		if x.Req.Path == "/silence" {
			bodyTimeout(x, 50*time.Millisecond)
		}
		reading <- struct{}{}
		_, err := io.ReadAll(&x.Req.Body)
		faults <- fault.From(err)
		answer200(x, "")
	})
	tests := []struct {
		name string
		then func(c *http2Client)
		want fault.Kind
	}{
		{"reset", func(c *http2Client) { c.check(c.frames.WriteRSTStream(1, http2.ErrCodeCancel)) }, fault.ClientGone},
		{"connection closed", func(c *http2Client) { c.nc.Close() }, fault.ClientGone},
		{"less than Content-Length", func(c *http2Client) { c.data(1, true, "") }, fault.BadRequest},
		{"silence", func(*http2Client) {}, fault.RequestTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dialHTTP2(t, l)
			c.settle()
			c.post(1, "/"+strings.ReplaceAll(tt.name, " ", "-"), "content-length: 5")
			c.data(1, false, "ab")
			<-reading
			tt.then(c)
			if got := <-faults; got.Kind != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// bodyTimeout sets it for the exchange's listener: from the beginning, it would hold for what the server writes then, too.
func bodyTimeout(x *exchange.Exchange, d time.Duration) {
	x.Client.(*http2Stream).conn.listener.SetOptions(Options{HTTP2: true, BodyTimeout: d})
}

// TestHTTP2Conversation: a client that only listens is not too slow.
func TestHTTP2Conversation(t *testing.T) {
	faults := make(chan *fault.Fault, 1)
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		bodyTimeout(x, 5*time.Millisecond)
		x.Duplex, x.Idle = true, 80*time.Millisecond
		began := time.Now()
		_, err := io.ReadAll(&x.Req.Body)
		if silent := time.Since(began); silent < x.Idle {
			t.Errorf("gave up after %v, want %v", silent, x.Idle)
		}
		faults <- fault.From(err)
		answer200(x, "")
	})
	c := dialHTTP2(t, l)
	c.settle()
	c.post(1, "/")
	if got := <-faults; got.Kind != fault.RequestTimeout {
		t.Errorf("got %v, want a timeout", got)
	}
}

// TestHTTP2SlowReaders has clients that never take the answer: neither the streams' windows nor the connection's bytes.
func TestHTTP2SlowReaders(t *testing.T) {
	if raceEnabled {
		t.Skip("with time-outs this short, what is slow under the race detector is not the readers alone")
	}
	large := strings.Repeat("x", 4<<20)
	l, h := start(t, Options{HTTP2: true, BodyTimeout: 200 * time.Millisecond}, func(x *exchange.Exchange) {
		switch x.Req.Path {
		case "/small":
			answer200(x, "small")
		case "/large":
			answer200(x, large)
		default:
			x.Resp.Status = 200
			x.Resp.Body = exchange.Body{Length: -1, Source: &pieces{list: []string{"a piece", "and another"}, err: io.EOF}}
		}
	})
	for _, path := range []string{"/small", "/large", "/stream"} {
		c := dialHTTP2(t, l, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		c.get(1, path)
		if a := c.answer(1); a.reset == "" {
			t.Errorf("%s: got %+v", path, a)
		}
	}
	eventually(t, "every exchange has ended", func() bool { return h.open() == 0 })

	others := openHTTP2(l)
	deaf := dialHTTP2(t, l, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})
	deaf.check(deaf.frames.WriteWindowUpdate(0, 1<<30))
	// On a slow machine answers are given up before they fill what the kernel holds, hence one more each time.
	id := uint32(1)
	eventually(t, "the connection is closed", func() bool {
		for c := range openHTTP2(l) {
			if _, there := others[c]; !there {
				get := deaf.block(":method: GET", ":scheme: http", ":authority: x", ":path: /large")
				_ = deaf.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: get, EndStream: true, EndHeaders: true}) // it may just have been closed
				id += 2
				return false
			}
		}
		return id > 1
	})
	eventually(t, "every exchange has ended", func() bool { return h.open() == 0 })
}

func openHTTP2(l *Listener) map[*http2Conn]struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.http2)
}

func TestHTTP2IdleTimeout(t *testing.T) {
	soon := Options{HTTP2: true, IdleTimeout: 20 * time.Millisecond}
	for name, begin := range map[string]func(l *Listener) *http2Client{
		"from the start": func(l *Listener) *http2Client {
			c := startHTTP2(t, dial(t, l))
			eventually(t, "it is accepted", func() bool { return idleConns(l) == 1 })
			l.SetOptions(soon) // which the connection finds when it has seen what it is
			send(t, c.nc, http2Preface)
			c.check(c.frames.WriteSettings())
			return c
		},
		"behind a stream": func(l *Listener) *http2Client {
			c := dialHTTP2(t, l)
			c.get(1, "/")
			c.answer(1)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := start(t, http2Options, func(x *exchange.Exchange) {
				x.Client.(*http2Stream).conn.listener.SetOptions(soon)
				tell(x)
			})
			c := begin(l)
			c.wait("GOAWAY", func() bool { return len(c.goAways) == 1 })
			for c.next() {
			}
			eventually(t, "it is gone", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.conns) == 0 })
		})
	}
}

// TestHTTP2Drain: a stream that crosses the first GOAWAY is served, running ones finish, then the connection closes.
func TestHTTP2Drain(t *testing.T) {
	serving, answer := make(chan struct{}), make(chan struct{})
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		if x.Req.Path == "/wait" {
			serving <- struct{}{}
			<-answer
		}
		answer200(x, "ok")
	})
	c := dialHTTP2(t, l)
	c.get(1, "/wait")
	<-serving
	drained := make(chan error)
	go func() { drained <- l.Drain(context.Background()) }()
	c.wait("the first GOAWAY", func() bool { return len(c.goAways) == 1 })
	c.get(3, "/")
	if a := c.answer(3); a.content != "ok" {
		t.Errorf("got %+v", a)
	}
	c.wait("the second GOAWAY", func() bool { return len(c.goAways) == 2 })
	if got := c.goAways; got[0].LastStreamID != 1<<31-1 || got[1].LastStreamID != 3 || got[0].ErrCode != 0 || got[1].ErrCode != 0 {
		t.Errorf("got %+v", got)
	}
	close(answer)
	if a := c.answer(1); a.content != "ok" {
		t.Errorf("got %+v", a)
	}
	for c.next() {
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestHTTP2DrainCutsOff(t *testing.T) {
	serving := make(chan struct{})
	l, h := start(t, http2Options, func(x *exchange.Exchange) {
		close(serving)
		eventually(t, "the client is gone", x.Client.Gone)
		answer200(x, "too late")
	})
	c := dialHTTP2(t, l)
	c.get(1, "/")
	<-serving
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	eventually(t, "the exchange has ended", func() bool { return h.open() == 0 })
}

func TestHTTP2SetOptions(t *testing.T) {
	l, _ := start(t, http2Options, tell)
	c := dialHTTP2(t, l)
	path := "/" + strings.Repeat("a", 200)
	c.get(1, path)
	if a := c.answer(1); a.status() != "200" {
		t.Errorf("got %+v", a)
	}
	l.SetOptions(Options{HTTP2: true, Limits: http1.Limits{Head: 512, URI: 128}})
	c.get(3, path)
	if a := c.answer(3); a.status() != "414" {
		t.Errorf("got %+v", a)
	}
}

// TestHTTP2WithNetHTTPClient has many streams at once on few connections, some with content both ways.
func TestHTTP2WithNetHTTPClient(t *testing.T) {
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		x.Resp.Status = 200
		x.Resp.Body = exchange.Body{Length: -1, Source: script{read: x.Req.Body.Read, close: func() {}}}
	})
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &protocols}}
	defer client.CloseIdleConnections()
	failed := make(chan error)
	const n = 100
	for i := range n {
		go func() {
			want := strings.Repeat(fmt.Sprint(i), 1+i*700)
			resp, err := client.Post("http://"+l.Addr().String()+"/", "text/plain", strings.NewReader(want))
			if err != nil {
				failed <- err
				return
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil && string(got) != want {
				err = fmt.Errorf("got %d bytes, want %d", len(got), len(want))
			}
			failed <- err
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}
