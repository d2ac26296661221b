package gatewaytest

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// added is what the gateway adds to a request with Host a.
const added = "X-Request-Id: r\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"

// plainSaw is what an upstream sees of a GET / without anything special.
const plainSaw = "GET / HTTP/1.1\r\nHost: a\r\n" + added + "\r\n"

const (
	get       = "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: r\r\n\r\n"
	getClose  = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: r\r\n\r\n"
	head      = "HEAD / HTTP/1.1\r\nHost: a\r\nX-Request-Id: r\r\n\r\n"
	headSaw   = "HEAD / HTTP/1.1\r\nHost: a\r\n" + added + "\r\n"
	get10     = "GET / HTTP/1.0\r\nHost: a\r\nX-Request-Id: r\r\n\r\n"
	get10Keep = "GET / HTTP/1.0\r\nHost: a\r\nX-Request-Id: r\r\nConnection: keep-alive\r\n\r\n"
	post      = "POST / HTTP/1.1\r\nHost: a\r\nX-Request-Id: r\r\n"
	postSaw   = "POST / HTTP/1.1\r\nHost: a\r\n" + added
	ok200     = "HTTP/1.1 200 OK\r\nDate: D\r\n"
)

// bothEnds are exchanges as they are on the wire at either end.
var bothEnds = []struct {
	name    string
	client  string // sends
	saw     string // the upstream
	answer  string // of the upstream
	closes  bool   // the upstream, behind its answer
	got     string // the client
	ends    bool   // the client's connection is closed behind that
	dropped bool   // the upstream's connection is not used again, although it stays open
}{
	{name: "plain", client: get, saw: plainSaw, answer: ok200 + "Content-Length: 2\r\n\r\nok", got: ok200 + "Content-Length: 2\r\n\r\nok"},
	{name: "client closes", client: getClose, saw: plainSaw, answer: ok200 + "Content-Length: 2\r\n\r\nok",
		got: ok200 + "Content-Length: 2\r\nConnection: close\r\n\r\nok", ends: true},
	{name: "upstream closes", client: get, saw: plainSaw, answer: ok200 + "Content-Length: 2\r\nConnection: close\r\n\r\nok", closes: true,
		got: ok200 + "Content-Length: 2\r\n\r\nok"},
	{name: "upstream says it closes and does not", client: get, saw: plainSaw, answer: ok200 + "Content-Length: 2\r\nConnection: close\r\n\r\nok",
		got: ok200 + "Content-Length: 2\r\n\r\nok", dropped: true},
	{name: "connection options", client: "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Request-Id: r\r\n\r\n", saw: plainSaw,
		answer: ok200 + "Connection: X-Back\r\nX-Back: 1\r\nContent-Length: 0\r\n\r\n", got: ok200 + "Content-Length: 0\r\n\r\n"},

	{name: "HEAD with a length", client: head, saw: headSaw, answer: ok200 + "Content-Length: 9\r\n\r\n", got: ok200 + "Content-Length: 9\r\n\r\n"},
	{name: "HEAD without", client: head, saw: headSaw, answer: ok200 + "\r\n", got: ok200 + "\r\n"},
	{name: "HEAD of chunks", client: head, saw: headSaw, answer: ok200 + "Transfer-Encoding: chunked\r\n\r\n", got: ok200 + "\r\n"},
	{name: "HEAD with content", client: head, saw: headSaw, answer: ok200 + "Content-Length: 2\r\n\r\nok", got: ok200 + "Content-Length: 2\r\n\r\n", dropped: true},
	{name: "204", client: get, saw: plainSaw, answer: "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n", got: "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n"},
	{name: "204 with a length", client: get, saw: plainSaw, answer: "HTTP/1.1 204 No Content\r\nDate: D\r\nContent-Length: 0\r\n\r\n", got: "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n"},
	{name: "204 with content", client: get, saw: plainSaw, answer: "HTTP/1.1 204 No Content\r\nDate: D\r\nContent-Length: 2\r\n\r\nok", got: "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n", dropped: true},
	{name: "304", client: get, saw: plainSaw, answer: "HTTP/1.1 304 Not Modified\r\nDate: D\r\n\r\n", got: "HTTP/1.1 304 Not Modified\r\nDate: D\r\n\r\n"},
	{name: "304 with content", client: get, saw: plainSaw, answer: "HTTP/1.1 304 Not Modified\r\nDate: D\r\nContent-Length: 2\r\n\r\nok", got: "HTTP/1.1 304 Not Modified\r\nDate: D\r\n\r\n", dropped: true},

	{name: "HTTP/1.0 client", client: get10, saw: plainSaw, answer: ok200 + "Content-Length: 2\r\n\r\nok",
		got: ok200 + "Content-Length: 2\r\nConnection: close\r\n\r\nok", ends: true},
	{name: "HTTP/1.0 client, keep-alive", client: get10Keep, saw: plainSaw, answer: ok200 + "Content-Length: 2\r\n\r\nok",
		got: ok200 + "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok"},
	{name: "HTTP/1.0 client, keep-alive, long chunks", client: get10Keep, saw: plainSaw, answer: ok200 + "Transfer-Encoding: chunked\r\n\r\n8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n0\r\n\r\n",
		got: ok200 + "Connection: close\r\n\r\n" + strings.Repeat("x", 0x8000), ends: true},
	{name: "HTTP/1.0 client, trailers", client: get10, saw: plainSaw, answer: ok200 + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
		got: ok200 + "Connection: close\r\n\r\nok", ends: true},
	{name: "HTTP/1.0 upstream", client: get, saw: plainSaw, answer: "HTTP/1.0 200 OK\r\nDate: D\r\n\r\nok", closes: true,
		got: ok200 + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
	{name: "HTTP/1.0 upstream with a length", client: get, saw: plainSaw, answer: "HTTP/1.0 200 OK\r\nDate: D\r\nContent-Length: 2\r\n\r\nok", closes: true,
		got: ok200 + "Content-Length: 2\r\n\r\nok"},
	{name: "HTTP/1.0 upstream, keep-alive", client: get, saw: plainSaw, answer: "HTTP/1.0 200 OK\r\nDate: D\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
		got: ok200 + "Content-Length: 2\r\n\r\nok"},
	{name: "HTTP/1.0 both", client: get10, saw: plainSaw, answer: "HTTP/1.0 200 OK\r\nDate: D\r\n\r\nok", closes: true,
		got: ok200 + "Connection: close\r\n\r\nok", ends: true},

	{name: "chunks of an answer in hand", client: get, saw: plainSaw, answer: ok200 + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\n\r\n",
		got: ok200 + "Content-Length: 2\r\n\r\nok"},
	{name: "trailers of an answer", client: get, saw: plainSaw, answer: ok200 + "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nContent-Length: 7\r\n\r\n",
		got: ok200 + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"},
	{name: "trailers of a request", client: post + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\nHost: evil\r\nTransfer-Encoding: x\r\n\r\n",
		saw: postSaw + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n", answer: ok200 + "Content-Length: 0\r\n\r\n", got: ok200 + "Content-Length: 0\r\n\r\n"},
	{name: "chunks in hand", client: post + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
		saw: postSaw + "Content-Length: 2\r\n\r\nab", answer: ok200 + "Content-Length: 0\r\n\r\n", got: ok200 + "Content-Length: 0\r\n\r\n"},
	{name: "no content", client: post + "Content-Length: 0\r\n\r\n", saw: postSaw + "Content-Length: 0\r\n\r\n", answer: ok200 + "Content-Length: 0\r\n\r\n", got: ok200 + "Content-Length: 0\r\n\r\n"},
	{name: "expects, and content is there", client: post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab", saw: postSaw + "Content-Length: 2\r\n\r\nab",
		answer: ok200 + "Content-Length: 0\r\n\r\n", got: ok200 + "Content-Length: 0\r\n\r\n"},

	{name: "103", client: get, saw: plainSaw, answer: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok200 + "Content-Length: 2\r\n\r\nok",
		got: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok200 + "Content-Length: 2\r\n\r\nok"},
	{name: "103 for HTTP/1.0", client: get10Keep, saw: plainSaw, answer: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok200 + "Content-Length: 2\r\n\r\nok",
		got: ok200 + "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok"},
	{name: "100 that nobody waits for", client: get, saw: plainSaw, answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok200 + "Content-Length: 0\r\n\r\n", got: ok200 + "Content-Length: 0\r\n\r\n"},
	{name: "102 and 103", client: get, saw: plainSaw, answer: "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + ok200 + "Content-Length: 0\r\n\r\n",
		got: "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + ok200 + "Content-Length: 0\r\n\r\n"},
}

func TestBothEnds(t *testing.T) {
	for _, test := range bothEnds {
		t.Run(test.name, func(t *testing.T) {
			behind := make(chan string, 1)
			g := Start(t, routes(bytesServer(t, test.saw, test.answer, test.closes, behind), allToB))
			c := dialRaw(t, g, test.client)
			got := make([]byte, len(test.got))
			n, err := io.ReadFull(c, got)
			if string(got[:n]) != test.got {
				t.Errorf("the client got %.300q, %v\nwant %.300q", got[:n], err, test.got)
			}
			if !test.ends {
				if err := c.CloseWrite(); err != nil {
					t.Errorf("the client's connection is closed: %v", err)
				}
			}
			if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil && test.ends {
				t.Errorf("behind the answer the client got %q, %v", rest, err)
			}
			idle := func() int { return g.Status().Upstreams["b"][0].Idle }
			if want := !test.closes && !test.dropped; want {
				Until(t, "the upstream's connection is kept", func() bool { return idle() == 1 })
			} else {
				if more := <-behind; more != "" {
					t.Errorf("behind the request the upstream saw %q", more)
				}
				Until(t, "the upstream's connection is let go", func() bool { return g.inFlight() == 0 && idle() == 0 })
			}
		})
	}
}

// bytesServer plays an upstream that compares what it sees with saw, and tells what is behind that.
func bytesServer(t *testing.T, saw, answer string, closes bool, behind chan<- string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // whatever happens, the test ends
		got := make([]byte, len(saw))
		if n, err := io.ReadFull(c, got); string(got[:n]) != saw {
			t.Errorf("the upstream saw %q, %v\nwant %q", got[:n], err, saw)
		}
		io.WriteString(c, answer)
		if closes {
			_ = c.(*net.TCPConn).CloseWrite()
		}
		more, _ := io.ReadAll(c)
		behind <- string(more)
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

// step of a conversation that goes over both connections: what one end says, and what the other must hear before the next step.
type step struct {
	from string // "client" or "upstream"
	says string
	hear string
}

// converse runs the steps: each is heard before the next is said, so nothing may be held back.
func converse(t *testing.T, toml, opening, opened string, steps []step) {
	t.Helper()
	upstream := make(chan *net.TCPConn, 1)
	ended := make(chan struct{})
	g := Start(t, routes(rawUpstream(t, upstream, ended), toml))
	defer close(ended)
	client := dialRaw(t, g, opening)
	var up *net.TCPConn
	if opened != "" {
		up = <-upstream
		hear(t, "upstream", up, opened)
	}
	for _, s := range steps {
		from, to, other := net.Conn(client), net.Conn(up), "upstream"
		if s.from == "upstream" {
			from, to, other = up, client, "client"
		}
		if _, err := io.WriteString(from, s.says); err != nil {
			t.Fatal(err)
		}
		hear(t, other, to, s.hear)
	}
}

func hear(t *testing.T, who string, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); string(got[:n]) != want {
		t.Fatalf("the %s heard %q, %v; want %q", who, got[:n], err, want)
	}
}

// rawUpstream hands the first connection that it gets to the test, until that has ended.
func rawUpstream(t *testing.T, conns chan<- *net.TCPConn, ended <-chan struct{}) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // whatever happens, the test ends
		conns <- c.(*net.TCPConn)
		<-ended
	}()
	return l.Addr().String()
}

func TestEventsPassOneByOne(t *testing.T) {
	sse := "Content-Type: text/event-stream\r\n"
	chunk := func(event string) step { return step{"upstream", event, event} }
	for name, test := range map[string]struct {
		head, gets string
		steps      []step
	}{
		"SSE in chunks": {ok200 + sse + "Transfer-Encoding: chunked\r\n\r\n", ok200 + sse + "Transfer-Encoding: chunked\r\n\r\n",
			[]step{chunk("8\r\ndata: 1\n\r\n"), chunk("1\r\n\n\r\n"), chunk("8\r\ndata: 2\n\r\n"), chunk("0\r\n\r\n")}},
		"SSE to the close": {ok200 + sse + "\r\n", ok200 + sse + "Transfer-Encoding: chunked\r\n\r\n",
			[]step{{"upstream", "data: 1\n\n", "9\r\ndata: 1\n\n\r\n"}, {"upstream", "data: 2\n\n", "9\r\ndata: 2\n\n\r\n"}}},
		"NDJSON": {ok200 + "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n", ok200 + "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
			[]step{chunk("3\r\n{}\n\r\n"), chunk("3\r\n[]\n\r\n")}},
		"half a chunk": {ok200 + "Transfer-Encoding: chunked\r\n\r\n", ok200 + "Transfer-Encoding: chunked\r\n\r\n",
			[]step{{"upstream", "6\r\nabc", "3\r\nabc\r\n"}, {"upstream", "def\r\n", "3\r\ndef\r\n"}}},
		"known length":       {ok200 + "Content-Length: 6\r\n\r\n", ok200 + "Content-Length: 6\r\n\r\n", []step{chunk("ab"), chunk("cd"), chunk("ef")}},
		"large known length": {ok200 + "Content-Length: 1000000\r\n\r\n", ok200 + "Content-Length: 1000000\r\n\r\n", []step{chunk("ab"), chunk("cd"), chunk("ef")}},
	} {
		t.Run(name, func(t *testing.T) {
			converse(t, allToB, get, plainSaw, append([]step{{"upstream", test.head, test.gets}}, test.steps...))
		})
	}
}

func TestRequestsPassPieceByPiece(t *testing.T) {
	same := func(s string) step { return step{"client", s, s} }
	for name, test := range map[string]struct {
		framing string
		steps   []step
	}{
		"chunks":             {"Transfer-Encoding: chunked\r\n\r\n", []step{same("1\r\na\r\n"), same("2\r\nbc\r\n"), {"client", "4\r\nde", "2\r\nde\r\n"}, {"client", "fg\r\n", "2\r\nfg\r\n"}, same("0\r\n\r\n")}},
		"known length":       {"Content-Length: 4\r\n\r\n", []step{same("ab"), same("c"), same("d")}},
		"large known length": {"Content-Length: 1000000\r\n\r\n", []step{same("ab"), same("c")}},
		"both ways":          {"Transfer-Encoding: chunked\r\n\r\n", []step{same("1\r\na\r\n"), {"upstream", ok200 + "Transfer-Encoding: chunked\r\n\r\n", ok200 + "Transfer-Encoding: chunked\r\n\r\n"}, {"upstream", "1\r\nA\r\n", "1\r\nA\r\n"}, same("1\r\nb\r\n"), {"upstream", "1\r\nB\r\n", "1\r\nB\r\n"}}},
	} {
		t.Run(name, func(t *testing.T) {
			converse(t, allToB, post+test.framing, postSaw+test.framing, test.steps)
		})
	}
}

const (
	goOn  = "HTTP/1.1 100 Continue\r\n\r\n"
	asked = "Expect: 100-continue\r\n\r\n" // the end of a head that asks for it
)

func TestExpect(t *testing.T) {
	expects := post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
	t.Run("accepted", func(t *testing.T) {
		upstream, ended := make(chan *net.TCPConn, 1), make(chan struct{})
		defer close(ended)
		g := Start(t, routes(rawUpstream(t, upstream, ended), allToB))
		c := dialRaw(t, g, expects)
		up := <-upstream
		hear(t, "upstream", up, postSaw+"Content-Length: 2\r\n"+asked)
		io.WriteString(up, goOn)
		hear(t, "client", c, goOn)
		io.WriteString(c, "ab")
		hear(t, "upstream", up, "ab")
		io.WriteString(up, goOn+ok200+"Content-Length: 0\r\n\r\n") // no second one passes
		hear(t, "client", c, ok200+"Content-Length: 0\r\n\r\n")
	})
	t.Run("accepted, large", func(t *testing.T) {
		const framing = "Content-Length: 1000000\r\n"
		upstream, ended := make(chan *net.TCPConn, 1), make(chan struct{})
		defer close(ended)
		g := Start(t, routes(rawUpstream(t, upstream, ended), allToB))
		c := dialRaw(t, g, post+"Expect: 100-continue\r\n"+framing+"\r\n")
		up := <-upstream
		hear(t, "upstream", up, postSaw+framing+asked)
		io.WriteString(up, goOn)
		hear(t, "client", c, goOn)
		content := strings.Repeat("x", 1_000_000)
		go io.WriteString(c, content)
		hear(t, "upstream", up, content)
		io.WriteString(up, ok200+"Content-Length: 0\r\n\r\n")
		hear(t, "client", c, ok200+"Content-Length: 0\r\n\r\n")
	})
	t.Run("refused by the chain", func(t *testing.T) {
		answer := raw(t, Start(t, "[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = { status = 401, body = \"no\" }\n").Addr, expects)
		if !strings.HasPrefix(answer, "HTTP/1.1 401 ") || strings.Contains(answer, " 100 ") || !strings.HasSuffix(answer, "Connection: close\r\n\r\nno") {
			t.Errorf("got %q", answer)
		}
	})
	t.Run("refused by a filter", func(t *testing.T) {
		g := Start(t, routes(Backend(t, Echo), allToB+"filters = [{ use = \"ratelimit\", rate = \"1/d\" }]\n"))
		if status, _, _ := g.Get("/"); status != 200 {
			t.Fatalf("got %d", status)
		}
		if answer := raw(t, g.Addr, expects); !strings.HasPrefix(answer, "HTTP/1.1 429 ") || strings.Contains(answer, " 100 ") {
			t.Errorf("got %q", answer)
		}
	})
	t.Run("refused by max_body", func(t *testing.T) {
		g := Start(t, routes(bytesServer(t, "", "", true, make(chan string, 1)), allToB+"max_body = \"1B\"\n"))
		if answer := raw(t, g.Addr, expects); !strings.HasPrefix(answer, "HTTP/1.1 413 ") || strings.Contains(answer, " 100 ") {
			t.Errorf("got %q", answer)
		}
	})
	t.Run("not wanted by the upstream", func(t *testing.T) {
		upstream, ended := make(chan *net.TCPConn, 1), make(chan struct{})
		defer close(ended)
		g := Start(t, routes(rawUpstream(t, upstream, ended), allToB))
		c := dialRaw(t, g, expects)
		up := <-upstream
		hear(t, "upstream", up, postSaw+"Content-Length: 2\r\n"+asked)
		no413 := strings.Replace(ok200, "200 OK", "413 Content Too Large", 1)
		io.WriteString(up, no413+"Content-Length: 2\r\n\r\nno")
		hear(t, "client", c, no413+"Content-Length: 2\r\nConnection: close\r\n\r\nno")
		if n, err := up.Read(make([]byte, 1)); err == nil {
			t.Errorf("the upstream's connection carried on: %d bytes", n)
		}
	})
	t.Run("an upstream that says nothing", func(t *testing.T) {
		upstream, ended := make(chan *net.TCPConn, 1), make(chan struct{})
		defer close(ended)
		g := Start(t, routes(rawUpstream(t, upstream, ended), allToB))
		c := dialRaw(t, g, expects)
		up := <-upstream
		hear(t, "upstream", up, postSaw+"Content-Length: 2\r\n"+asked)
		hear(t, "client", c, goOn)
		io.WriteString(c, "ab")
		hear(t, "upstream", up, "ab")
		io.WriteString(up, ok200+"Content-Length: 0\r\n\r\n")
		hear(t, "client", c, ok200+"Content-Length: 0\r\n\r\n")
	})
	t.Run("an upstream that hints, and then says nothing", func(t *testing.T) {
		upstream, ended := make(chan *net.TCPConn, 1), make(chan struct{})
		defer close(ended)
		g := Start(t, routes(rawUpstream(t, upstream, ended), allToB))
		c := dialRaw(t, g, expects)
		up := <-upstream
		hear(t, "upstream", up, postSaw+"Content-Length: 2\r\n"+asked)
		const hints = "HTTP/1.1 103 Early Hints\r\nLink: l\r\n\r\n"
		io.WriteString(up, hints+"HTTP/1.1 20") // and the beginning of its answer
		hear(t, "client", c, hints+goOn)
		io.WriteString(c, "ab")
		hear(t, "upstream", up, "ab")
		io.WriteString(up, ok200[len("HTTP/1.1 20"):]+"Content-Length: 0\r\n\r\n")
		hear(t, "client", c, ok200+"Content-Length: 0\r\n\r\n")
	})
	t.Run("HTTP/1.0 clients know nothing of it", func(t *testing.T) {
		upstream, ended := make(chan *net.TCPConn, 1), make(chan struct{})
		defer close(ended)
		g := Start(t, routes(rawUpstream(t, upstream, ended), allToB))
		c := dialRaw(t, g, "POST / HTTP/1.0\r\nHost: a\r\nX-Request-Id: r\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
		up := <-upstream
		hear(t, "upstream", up, postSaw+"Content-Length: 2\r\n\r\n")
		io.WriteString(c, "ab")
		hear(t, "upstream", up, "ab")
		io.WriteString(up, ok200+"Content-Length: 0\r\n\r\n")
		hear(t, "client", c, ok200+"Content-Length: 0\r\nConnection: close\r\n\r\n")
	})
}
