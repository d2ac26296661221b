package upstream

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
)

// serveH2C starts a server of net/http that speaks HTTP/2 without TLS and nothing else.
func serveH2C(t testing.TB, config *http.HTTP2Config, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.HTTP2 = config
	s.Config.ErrorLog = quietLog()
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func h2c(addresses ...string) Options {
	o := group(addresses...)
	o.Protocol = "h2c"
	return o
}

func h2cServer(t testing.TB, handler http.HandlerFunc) *Upstream {
	t.Helper()
	return open(t, h2c(serveH2C(t, nil, handler).Listener.Addr().String()))
}

// noLeak fails the test when goroutines outlive it and what it closes; to be called before anything is opened.
func noLeak(t testing.TB) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		if !within(30*time.Second, func() bool { return runtime.NumGoroutine() <= before }) {
			stacks := make([]byte, 1<<18)
			t.Errorf("goroutines left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	})
}

// TestHTTP2Request: what the server sees of a request.
func TestHTTP2Request(t *testing.T) {
	noLeak(t)
	var got *http.Request
	u := h2cServer(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got = r
	})
	x := request("POST", "/a%2Fb/c")
	x.Req.Query = "q=1&r=%20"
	x.Req.Body = exchange.Body{Length: 4, Held: []byte("body")}
	for _, field := range []string{
		"Accept: */*", "x-many: 1", "X-Many: 2", "Cookie: a=b; c=d", "Content-Type: application/grpc+proto", "Connection: close", "Keep-Alive: 5",
		"Transfer-Encoding: chunked", "Upgrade: websocket", "Expect: 100-continue", "Content-Length: 99", "TE: gzip", "Proxy-Authorization: x", "bad name: x",
	} {
		name, value, _ := strings.Cut(field, ": ")
		x.Req.Fields.Add(name, value)
	}
	x.Req.Upgrade = "websocket"
	if f := u.Do(x, Send{Host: "api.example.com"}); f != nil {
		t.Fatal(f)
	}
	x.Resp.Reset()
	if got.Method != "POST" || got.RequestURI != "/a%2Fb/c?q=1&r=%20" || got.Host != "api.example.com" || got.ContentLength != 4 || got.ProtoMajor != 2 {
		t.Errorf("got %s %s %s, length %d", got.Method, got.RequestURI, got.Host, got.ContentLength)
	}
	want := http.Header{
		"Accept": {"*/*"}, "X-Many": {"1", "2"}, "Cookie": {"a=b; c=d"}, "Content-Type": {"application/grpc+proto"}, "Te": {"trailers"}, "Content-Length": {"4"},
	}
	if fmt.Sprint(got.Header) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got.Header, want)
	}
	if x.Times.Sent.IsZero() || x.Times.Answered.IsZero() || x.Received != 4 || x.Tries != 1 {
		t.Errorf("got %+v, %d received, %d tries", x.Times, x.Received, x.Tries)
	}
}

func TestHTTP2Methods(t *testing.T) {
	noLeak(t)
	u := h2cServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Line", r.Method+" "+r.RequestURI)
		w.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
		_, _ = io.WriteString(w, "content")
	})
	for _, test := range []struct{ method, path, line, length, content string }{
		{"GET", "/", "GET /", "0", "content"}, {"HEAD", "/", "HEAD /", "0", ""}, {"OPTIONS", "*", "OPTIONS *", "0", "content"},
		{"POST", "/", "POST /", "0", "content"}, {"PURGE", "/x y", "PURGE /x%20y", "0", "content"},
	} {
		x := request(test.method, test.path)
		got := ask(t, u, x)
		if line := x.Resp.Fields.Value("X-Line"); test.path != "*" && (line != test.line || got != test.content || x.Resp.Fields.Value("X-Length") != test.length) {
			t.Errorf("%s %s: got %q %q %v", test.method, test.path, line, got, x.Resp.Fields.All())
		}
		if test.method == "HEAD" && (x.Resp.Body.Length != 7 || x.Resp.Status != 200) {
			t.Errorf("HEAD: got %d, length %d", x.Resp.Status, x.Resp.Body.Length)
		}
	}
}

// TestHTTP2Response: what of an answer arrives, in its place.
func TestHTTP2Response(t *testing.T) {
	noLeak(t)
	u := h2cServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/trailers":
			w.Header().Set("Trailer", "Sum")
			_, _ = io.WriteString(w, "content")
			w.Header().Set("Sum", "7")
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
			w.Header().Set(http.TrailerPrefix+"Set-Cookie", "no=1")
		case "/trailers-only":
			w.Header().Set("Grpc-Status", "5")
		case "/nothing":
			w.WriteHeader(204)
		case "/unchanged":
			w.Header().Set("Content-Length", "7")
			w.WriteHeader(304)
		case "/large":
			w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
			_, _ = w.Write(make([]byte, 3<<20))
		}
	})
	for _, test := range []struct {
		path           string
		status, length int
		content        int
		fields         string
		trailers       string
	}{
		{"/trailers", 200, 7, 7, "", "Grpc-Status: 0, Sum: 7"},
		{"/trailers-only", 200, 0, 0, "Grpc-Status: 5", ""},
		{"/nothing", 204, 0, 0, "", ""},
		{"/unchanged", 304, 0, 0, "", ""},
		{"/large", 200, -1, 3 << 20, "Set-Cookie: a=1, Set-Cookie: b=2", ""},
	} {
		t.Run(test.path, func(t *testing.T) {
			x := request("GET", test.path)
			if f := u.Do(x, Send{}); f != nil {
				t.Fatal(f)
			}
			length := x.Resp.Body.Length
			content := readBody(t, &x.Resp.Body)
			_ = x.Resp.Body.Close()
			if x.Resp.Status != test.status || int(length) != test.length || len(content) != test.content {
				t.Errorf("got %d, length %d, %d bytes", x.Resp.Status, length, len(content))
			}
			x.Resp.Fields.Remove("Date")
			x.Resp.Fields.Remove("Content-Type")
			if got := listed(&x.Resp.Fields); got != test.fields {
				t.Errorf("fields: got %q, want %q", got, test.fields)
			}
			if got := listed(&x.Resp.Trailers); got != test.trailers {
				t.Errorf("trailers: got %q, want %q", got, test.trailers)
			}
		})
	}
}

func TestHTTP2Uploads(t *testing.T) {
	noLeak(t)
	u := h2cServer(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v %d %s", n, err, r.ContentLength, r.Trailer.Get("Sum"))
	})
	feedOf := func(pieces ...string) *feed {
		f := newFeed(pieces...)
		close(f.pieces)
		return f
	}
	large := strings.Repeat("x", 1<<20)
	whole := request("POST", "/")
	whole.Req.Body = exchange.Body{Length: 1 << 20, Held: []byte(large)}
	wholeTrailers := request("POST", "/")
	wholeTrailers.Req.Body = exchange.Body{Length: 4, Held: []byte("four")}
	wholeTrailers.Req.Trailers.Add("Sum", "4")
	noneTrailers := request("POST", "/")
	noneTrailers.Req.Trailers.Add("Sum", "0")
	unknown := upload(exchange.Unknown, "ab", feedOf("cd", large, "e"))
	for _, test := range []struct {
		name string
		x    *exchange.Exchange
		want string
	}{
		{"whole", whole, "1048576 <nil> 1048576 "},
		{"announced", upload(6, "ab", feedOf("cd", "ef")), "6 <nil> 6 "},
		{"unknown", unknown, "1048581 <nil> -1 "},
		{"whole, trailers", wholeTrailers, "4 <nil> 4 4"},
		{"none, trailers", noneTrailers, "0 <nil> -1 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := ask(t, u, test.x); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			_ = test.x.Req.Body.Close()
		})
	}
}

// TestHTTP2UploadFails: an upload that goes wrong is never taken for complete, and is blamed on who is to blame.
func TestHTTP2UploadFails(t *testing.T) {
	noLeak(t)
	reads := make(chan error, 1)
	u := h2cServer(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		reads <- err
	})
	broken := func(end error, pieces ...string) *feed {
		f := newFeed(pieces...)
		f.end = end
		close(f.pieces)
		return f
	}
	for _, test := range []struct {
		name string
		x    *exchange.Exchange
		most int64
		want fault.Kind
	}{
		{"client breaks off", upload(100, "ab", broken(errors.New("gone"), "cd")), 0, fault.ClientGone},
		{"client sends nonsense", upload(-1, "", broken(fault.New(fault.BadRequest, fault.Client, "chunk"), "cd")), 0, fault.BadRequest},
		{"too short", upload(100, "ab", broken(io.EOF, "cd")), 0, fault.ClientGone},
		{"too long", upload(3, "ab", broken(io.EOF, "cd")), 0, fault.ClientGone},
		{"too large", upload(-1, "ab", broken(io.EOF, "cd", "ef")), 5, fault.BodyTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := mustFail(t, u, test.x, Send{MaxBody: test.most}, test.want)
			if f.Side != fault.Client || f.Retry {
				t.Errorf("got %v, retry %v", f, f.Retry)
			}
			if err := <-reads; err == nil {
				t.Error("the server took it for complete")
			}
			_ = test.x.Req.Body.Close()
		})
	}
}

// TestHTTP2FullDuplex: the answer flows while the request does, and trailers come last.
func TestHTTP2FullDuplex(t *testing.T) {
	noLeak(t)
	u := h2cServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(http.TrailerPrefix+"End", fmt.Sprint(echo(w, r)))
	})
	f := newFeed()
	x := upload(-1, "", f)
	if fault := u.Do(x, Send{}); fault != nil {
		t.Fatal(fault)
	}
	p := make([]byte, 100)
	for i := range 50 {
		piece := fmt.Sprint("piece ", i)
		f.pieces <- piece
		n, err := io.ReadFull(&x.Resp.Body, p[:len(piece)])
		if string(p[:n]) != piece || err != nil {
			t.Fatalf("got %q, %v", p[:n], err)
		}
	}
	close(f.pieces)
	rest := readBody(t, &x.Resp.Body)
	x.Resp.Body.Close()
	if rest != "" || x.Resp.Trailers.Value("End") != "EOF" {
		t.Errorf("got %q, %v", rest, x.Resp.Trailers.All())
	}
	mustBeOver(t, x, f)
}

// echo sends content back as it comes and returns how it ended.
func echo(w http.ResponseWriter, r *http.Request) error {
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	p := make([]byte, 1000)
	for {
		n, err := r.Body.Read(p)
		_, _ = w.Write(p[:n])
		_ = flush.Flush()
		if err != nil {
			return err
		}
	}
}

// TestHTTP2EarlyEnd: a server that ends the stream while content is still on its way has answered.
func TestHTTP2EarlyEnd(t *testing.T) {
	noLeak(t)
	u := h2cServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.WriteHeader(401)
		}
		_, _ = io.WriteString(w, "enough")
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "8")
	})
	for _, path := range []string{"/", "/refused"} {
		f := newFeed("some")
		x := upload(-1, "", f)
		x.Req.Path = path
		if got := ask(t, u, x); got != "enough" || x.Resp.Trailers.Value("Grpc-Status") != "8" {
			t.Errorf("got %q, %v", got, x.Resp.Trailers.All())
		}
		mustBeOver(t, x, f)
	}
}

// TestHTTP2ClientGone: a client that goes away ends the stream at the server, before and after the head.
func TestHTTP2ClientGone(t *testing.T) {
	noLeak(t)
	ended := make(chan bool, 2)
	c := &client{}
	u := h2cServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			c.gone.Store(true) // now that the stream is there, which is to end
		}
		if r.URL.Path == "/head" {
			_, _ = io.WriteString(w, "some")
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
		ended <- true
	})
	x := request("GET", "/")
	x.Client = c
	mustFail(t, u, x, Send{}, fault.ClientGone)
	<-ended
	c.gone.Store(false)
	x = request("GET", "/head")
	x.Client = c
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	some := make([]byte, 4)
	if _, err := io.ReadFull(&x.Resp.Body, some); err != nil || string(some) != "some" {
		t.Errorf("got %q, %v", some, err)
	}
	c.gone.Store(true)
	got, err := io.ReadAll(&x.Resp.Body)
	var f *fault.Fault
	if len(got) != 0 || !errors.As(err, &f) || f.Kind != fault.ClientGone {
		t.Errorf("got %q, %v", got, err)
	}
	x.Resp.Reset()
	<-ended
}

// TestHTTP2Abandoned: closing an answer in the middle ends the stream at the server, and the connection goes on.
func TestHTTP2Abandoned(t *testing.T) {
	noLeak(t)
	ended := make(chan error, 1)
	s := serveH2C(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/next" {
			return
		}
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 1000))
		}
		ended <- err
	})
	u := open(t, h2c(s.Listener.Addr().String()))
	x := request("GET", "/")
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	x.Resp.Reset()
	if err := <-ended; err == nil {
		t.Error("the server wrote on")
	}
	ask(t, u, request("GET", "/next"))
	if n := idle(u); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestHTTP2TimesOut(t *testing.T) {
	noLeak(t)
	release := make(chan bool)
	u := func(change func(*Options)) *Upstream {
		o := h2c(serveH2C(t, nil, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/at-once" {
				return
			}
			if r.URL.Path == "/stall" {
				_, _ = io.WriteString(w, "some")
				_ = http.NewResponseController(w).Flush()
			}
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}).Listener.Addr().String())
		change(&o)
		return open(t, o)
	}
	defer close(release)
	t.Run("response", func(t *testing.T) {
		f := mustFail(t, u(func(o *Options) { o.ResponseTimeout = 30 * time.Millisecond }), request("GET", "/"), Send{}, fault.GatewayTimeout)
		if f.Retry || f.Side != fault.Upstream {
			t.Errorf("got %v", f)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		u := u(func(*Options) {})
		ask(t, u, request("GET", "/at-once")) // so that there is a connection
		mustFail(t, u, request("GET", "/"), Send{Deadline: time.Now().Add(200 * time.Millisecond)}, fault.GatewayTimeout)
	})
	t.Run("content", func(t *testing.T) {
		x := request("GET", "/stall")
		x.Idle = 500 * time.Millisecond
		if f := u(func(*Options) {}).Do(x, Send{}); f != nil {
			t.Fatal(f)
		}
		got, err := io.ReadAll(&x.Resp.Body)
		var f *fault.Fault
		if string(got) != "some" || !errors.As(err, &f) || f.Kind != fault.GatewayTimeout || f.Side != fault.Upstream {
			t.Errorf("got %q, %v", got, err)
		}
		x.Resp.Reset()
	})
	t.Run("upload", func(t *testing.T) { // the server does not read: flow control stops it
		x := request("POST", "/")
		x.Req.Body = exchange.Body{Length: 32 << 20, Held: make([]byte, 32<<20)}
		f := mustFail(t, u(func(o *Options) { o.ResponseTimeout = 100 * time.Millisecond }), x, Send{}, fault.GatewayTimeout)
		if !errors.Is(f, errStuck) {
			t.Errorf("got %v", f)
		}
	})
	t.Run("upload behind the head", func(t *testing.T) {
		x := request("POST", "/stall")
		x.Req.Body = exchange.Body{Length: 32 << 20, Held: make([]byte, 32<<20)}
		// The head has to be there by then.
		if f := u(func(o *Options) { o.ResponseTimeout = 500 * time.Millisecond }).Do(x, Send{}); f != nil {
			t.Fatal(f)
		}
		if _, err := io.ReadAll(&x.Resp.Body); !errors.Is(err, errStuck) {
			t.Errorf("got %v", err)
		}
		x.Resp.Reset()
	})
}

// TestIdleOverridesTheEngine: x.Idle holds for HTTP/1.1 as well.
func TestIdleOverridesTheEngine(t *testing.T) {
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome")
		silent(w)
	})
	x := request("GET", "/")
	x.Idle = 150 * time.Millisecond
	u := open(t, group(p.address))
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	if _, err := io.ReadAll(&x.Resp.Body); !errors.Is(err, errSlow) {
		t.Errorf("got %v", err)
	}
	x.Resp.Reset()
}

// TestHTTP2Killed: a server that dies in the middle of an answer leaves a fault, not an end.
func TestHTTP2Killed(t *testing.T) {
	noLeak(t)
	s := serveH2C(t, nil, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "some")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	u := open(t, h2c(s.Listener.Addr().String()))
	x := request("GET", "/")
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	p := make([]byte, 10)
	if n, err := x.Resp.Body.Read(p); string(p[:n]) != "some" || err != nil {
		t.Fatalf("got %q, %v", p[:n], err)
	}
	s.CloseClientConnections()
	_, err := io.ReadAll(&x.Resp.Body)
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.BadGateway || f.Side != fault.Upstream {
		t.Errorf("got %v", err)
	}
	x.Resp.Reset()
	mustBe(t, u, 0)
}

func mustBe(t testing.TB, u *Upstream, active int64) {
	t.Helper()
	if got := u.Endpoints()[0].Active; got != active {
		t.Errorf("%d in flight, want %d", got, active)
	}
}

// TestHTTP2CountsToTheEnd: an exchange is in flight until its content has been read or given up.
func TestHTTP2CountsToTheEnd(t *testing.T) {
	u := h2cServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "content") })
	x := request("GET", "/")
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	mustBe(t, u, 1)
	readBody(t, &x.Resp.Body)
	mustBe(t, u, 1)
	x.Resp.Body.Close()
	mustBe(t, u, 0)
}

func TestHTTP2Interim(t *testing.T) {
	noLeak(t)
	u := h2cServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n := 2
		if r.URL.Path == "/many" {
			n = maxInterim + 1
		}
		for i := range n {
			w.Header().Set("Link", fmt.Sprint(i))
			w.WriteHeader(103)
		}
		w.Header().Del("Link")
		w.WriteHeader(200)
	})
	c := &client{}
	x := request("POST", "/")
	x.Client = c
	x.Req.Body = exchange.Body{Length: 4, Held: []byte("body")}
	x.Req.Fields.Add("Expect", "100-continue")
	ask(t, u, x)
	if want := []string{"103 Link: 0", "103 Link: 1"}; !slices.Equal(c.interims, want) {
		t.Errorf("got %q, want %q", c.interims, want)
	}
	x = request("GET", "/many")
	x.Client = &client{}
	if f := mustFail(t, u, x, Send{}, fault.BadGateway); f.Retry {
		t.Errorf("got %v, which must not be tried again", f)
	}
	x = request("GET", "/")
	x.Client = &client{fails: true}
	mustFail(t, u, x, Send{}, fault.ClientGone)
}

// TestHTTP2OneConnection: many streams share one connection; where the server allows few, there are more connections.
func TestHTTP2OneConnection(t *testing.T) {
	noLeak(t)
	const exchanges = 40
	for most, want := range map[int]int{100: 1, 10: exchanges / 10} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			var together sync.WaitGroup
			together.Add(exchanges)
			s := serveH2C(t, &http.HTTP2Config{MaxConcurrentStreams: most}, func(http.ResponseWriter, *http.Request) {
				together.Done()
				together.Wait()
			})
			u := open(t, h2c(s.Listener.Addr().String()))
			var all sync.WaitGroup
			for range exchanges {
				all.Go(func() { ask(t, u, request("POST", "/")) })
			}
			all.Wait()
			if n := idle(u); n != want {
				t.Errorf("%d connections, want %d", n, want)
			}
		})
	}
}

// TestHTTP2Idle: a connection that nobody uses is closed after its time.
func TestHTTP2Idle(t *testing.T) {
	noLeak(t)
	o := h2c(serveH2C(t, nil, func(http.ResponseWriter, *http.Request) {}).Listener.Addr().String())
	o.IdleTimeout = 300 * time.Millisecond // which begins ahead of the first exchange
	u := open(t, o)
	ask(t, u, request("GET", "/"))
	eventually(t, "the connection is closed", func() bool { return idle(u) == 0 })
	ask(t, u, request("GET", "/"))
}

// TestHTTP2Close: what runs goes on after Close, and its connection is closed behind it.
func TestHTTP2Close(t *testing.T) {
	noLeak(t)
	s := serveH2C(t, nil, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(w, r.Body)
	})
	u := open(t, h2c(s.Listener.Addr().String()))
	f := newFeed("some")
	x := upload(-1, "", f)
	if fault := u.Do(x, Send{}); fault != nil {
		t.Fatal(fault)
	}
	u.Close()
	f.pieces <- "more"
	close(f.pieces)
	if got := readBody(t, &x.Resp.Body); got != "somemore" {
		t.Errorf("got %q", got)
	}
	x.Resp.Reset()
	eventually(t, "the connection is closed", func() bool { return idle(u) == 0 })
	ask(t, u, request("GET", "/")) // whoever still comes is served
	eventually(t, "the connection is closed", func() bool { return idle(u) == 0 })
}

func TestHTTP2CannotConnect(t *testing.T) {
	noLeak(t)
	dead := deadAddress(t)
	f := mustFail(t, open(t, h2c(dead)), request("POST", "/"), Send{}, fault.BadGateway)
	if !f.Retry {
		t.Error("another endpoint could have been tried")
	}
	s := serveH2C(t, nil, func(http.ResponseWriter, *http.Request) {})
	o := h2c(dead, s.Listener.Addr().String())
	o.Retries = 1
	u := open(t, o)
	for range 4 {
		ask(t, u, request("POST", "/"))
	}
	old := listen(t, always("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
	f = mustFail(t, open(t, h2c(old.address)), request("POST", "/"), Send{}, fault.BadGateway)
	if !errors.Is(f, errNotHTTP2) {
		t.Errorf("got %v", f)
	}
	mute := listen(t, silent)
	o = h2c(mute.address)
	o.ConnectTimeout = 300 * time.Millisecond // of which connecting takes a part
	mustFail(t, open(t, o), request("POST", "/"), Send{}, fault.BadGateway)
}

// TestHTTP2ALPN: a server that does not choose h2 gets no request.
func TestHTTP2ALPN(t *testing.T) {
	a := newAuthority(t)
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{a.issue("127.0.0.1", inAnHour())}, NextProtos: []string{"http/1.1"}}, "http/1.1", hello)
	mustFail(t, open(t, secureGroup("h2", TLSOptions{Roots: a.pool()}, address)), request("GET", "/"), Send{}, fault.BadGateway)
	plain := listenTLSWithoutALPN(t, a)
	f := mustFail(t, open(t, secureGroup("h2", TLSOptions{Roots: a.pool()}, plain)), request("GET", "/"), Send{}, fault.BadGateway)
	if !errors.Is(f, errALPN) {
		t.Errorf("got %v", f)
	}
}

func listenTLSWithoutALPN(t testing.TB, a *authority) string {
	config := &tls.Config{Certificates: []tls.Certificate{a.issue("127.0.0.1", inAnHour())}}
	return listen(t, func(w *wire) {
		var c net.Conn = tls.Server(w.TCPConn, config)
		_, _ = io.Copy(io.Discard, c)
	}).address
}

// TestHTTP2Hammer: two hundred streams at once, of every kind, some of which break off.
func TestHTTP2Hammer(t *testing.T) {
	noLeak(t)
	s := serveH2C(t, &http.HTTP2Config{MaxConcurrentStreams: 60}, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
		_ = echo(w, r)
		w.Header().Set(http.TrailerPrefix+"Sum", "x")
	})
	u := open(t, h2c(s.Listener.Addr().String()))
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			for j := range 10 {
				hammer(t, u, i+j)
			}
		})
	}
	all.Wait()
	mustBe(t, u, 0)
}

func hammer(t *testing.T, u *Upstream, kind int) {
	content := bytes.Repeat([]byte{'a' + byte(kind%26)}, 1+kind*97)
	f := newFeed(string(content[len(content)/2:]))
	x := upload(-1, string(content[:len(content)/2]), f)
	x.Client = &client{}
	if kind%5 == 0 {
		f.end = errors.New("gone")
	}
	if kind%7 != 0 {
		close(f.pieces)
	}
	if fault := u.Do(x, Send{}); fault != nil {
		if kind%5 != 0 {
			t.Errorf("%v", fault)
		}
		mustBeOver(t, x, f)
		return
	}
	p := make([]byte, len(content))
	n, err := io.ReadFull(&x.Resp.Body, p)
	if kind%5 != 0 && (err != nil || !bytes.Equal(p[:n], content)) {
		t.Errorf("got %d bytes, %v", n, err)
	}
	if kind%5 != 0 && kind%7 != 0 {
		if rest := readBody(t, &x.Resp.Body); rest != "" || x.Resp.Trailers.Value("Sum") != "x" {
			t.Errorf("got %q, %v", rest, x.Resp.Trailers.All())
		}
	}
	x.Resp.Reset()
	mustBeOver(t, x, f)
}

// listed writes fields sorted: HTTP/2 by way of net/http keeps the order within a name only.
func listed(fields *header.Fields) string {
	var list []string
	for _, field := range fields.All() {
		list = append(list, field.Name+": "+field.Value)
	}
	slices.SortStableFunc(list, func(a, b string) int {
		a, _, _ = strings.Cut(a, ":")
		b, _, _ = strings.Cut(b, ":")
		return strings.Compare(a, b)
	})
	return strings.Join(list, ", ")
}
