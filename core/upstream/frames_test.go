package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// framed is a server's end of an HTTP/2 connection that a test scripts frame by frame.
type framed struct {
	*http2.Framer
	t      testing.TB
	w      *wire
	number int64 // of the connection, from 1
}

// listenFrames starts a server that has done with the preface and the settings when serve is called.
func listenFrames(t testing.TB, serve func(*framed), settings ...http2.Setting) *peer {
	t.Helper()
	return listen(t, func(w *wire) {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(w.in, preface); err != nil || string(preface) != http2.ClientPreface {
			return
		}
		f := &framed{Framer: http2.NewFramer(w, w.in), t: t, w: w, number: w.number}
		f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		_ = f.WriteSettings(settings...)
		serve(f)
	})
}

// head reads up to the next request's head; nil when there is none.
func (f *framed) head() *http2.MetaHeadersFrame {
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return nil
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			return frame
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.PingFrame:
			_ = f.WritePing(true, frame.Data)
		}
	}
}

// content reads a stream's data to its end and returns it with the trailers, or how the stream was reset.
func (f *framed) content() string {
	var got strings.Builder
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return err.Error()
		}
		switch frame := frame.(type) {
		case *http2.DataFrame:
			got.Write(frame.Data())
			if frame.StreamEnded() {
				return got.String()
			}
		case *http2.MetaHeadersFrame:
			for _, field := range frame.Fields {
				fmt.Fprintf(&got, " %s: %s", field.Name, field.Value)
			}
			return got.String()
		case *http2.RSTStreamFrame:
			return got.String() + " reset: " + frame.ErrCode.String()
		}
	}
}

// answer sends a head; fields are names and values in turn.
func (f *framed) answer(stream uint32, end bool, fields ...string) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
}

// serveAll answers each request with 200.
func (f *framed) serveAll() {
	for h := f.head(); h != nil; h = f.head() {
		f.answer(h.StreamID, true, ":status", "200")
	}
}

// posting is a request that must not be sent twice once a server has acted on it.
func posting() *exchange.Exchange {
	x := request("POST", "/")
	x.Req.Body = exchange.Body{Length: 4, Held: []byte("once")}
	return x
}

// TestRefusedStreams: what the server says it has not acted on is sent again, whatever the method.
func TestRefusedStreams(t *testing.T) {
	noLeak(t)
	for _, times := range []int{1, 1000} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			heads := 0
			p := listenFrames(t, func(f *framed) {
				for h := f.head(); h != nil; h = f.head() {
					if heads++; heads <= times {
						_ = f.WriteRSTStream(h.StreamID, http2.ErrCodeRefusedStream)
						continue
					}
					f.answer(h.StreamID, true, ":status", "200")
				}
			})
			u := open(t, h2c(p.address))
			if times == 1 {
				x := posting()
				if ask(t, u, x); x.Tries != 1 {
					t.Errorf("%d tries", x.Tries)
				}
				return
			}
			if f := mustFail(t, u, posting(), Send{}, fault.BadGateway); !f.Retry || heads != maxRefusals {
				t.Errorf("got %v, retry %v, after %d heads", f, f.Retry, heads)
			}
		})
	}
}

// TestRefusedElsewhere: another endpoint takes what one refuses; but content that the client has sent and we do not have any more
// cannot be sent again.
func TestRefusedElsewhere(t *testing.T) {
	noLeak(t)
	p := listenFrames(t, func(f *framed) {
		for h := f.head(); h != nil; h = f.head() {
			if strings.HasSuffix(h.PseudoValue("path"), "upload") {
				f.content()
			}
			_ = f.WriteRSTStream(h.StreamID, http2.ErrCodeRefusedStream)
		}
	})
	good := listenFrames(t, (*framed).serveAll)
	o := h2c(p.address, good.address)
	o.Retries = 1
	u := open(t, o)
	for range 4 {
		ask(t, u, posting())
	}
	feed := newFeed("some")
	close(feed.pieces)
	u = open(t, h2c(p.address))
	if f := mustFail(t, u, upload(-1, "", feed), Send{}, fault.BadGateway); f.Retry {
		t.Errorf("got %v, which cannot be tried again", f)
	}
	_ = feed.Close()
}

// TestGoAway: streams up to the last one go on, those beyond are sent again on a new connection.
func TestGoAway(t *testing.T) {
	noLeak(t)
	both := make(chan bool)
	p := listenFrames(t, func(f *framed) {
		if f.number > 1 {
			f.serveAll()
			return
		}
		first := f.head()
		f.answer(first.StreamID, false, ":status", "200")
		_ = f.WriteData(first.StreamID, false, []byte("begun "))
		<-both
		f.head()
		_ = f.WriteGoAway(first.StreamID, http2.ErrCodeNo, nil)
		_ = f.WriteData(first.StreamID, true, []byte("and ended"))
		f.head()
	})
	u := open(t, h2c(p.address))
	x := request("GET", "/")
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	both <- true
	y := posting()
	if ask(t, u, y); y.Tries != 1 || y.Resp.Status != 200 {
		t.Errorf("got %d after %d tries", y.Resp.Status, y.Tries)
	}
	if got := readBody(t, &x.Resp.Body); got != "begun and ended" {
		t.Errorf("got %q", got)
	}
	x.Resp.Reset()
	if n := p.conns.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

// TestGoAwayThenClosed: a stream that the server may have acted on is sent again only if that does no harm.
func TestGoAwayThenClosed(t *testing.T) {
	noLeak(t)
	p := listenFrames(t, func(f *framed) {
		h := f.head()
		_ = f.WriteGoAway(h.StreamID, http2.ErrCodeNo, nil)
	})
	u := open(t, h2c(p.address))
	if f := mustFail(t, u, posting(), Send{}, fault.BadGateway); f.Retry {
		t.Errorf("got %v, retry", f)
	}
	if f := mustFail(t, u, request("GET", "/"), Send{}, fault.BadGateway); !f.Retry {
		t.Errorf("got %v, no retry", f)
	}
}

// TestSilentConnection: a connection on which nothing came in time is not used any more: its other end may have gone without a word.
func TestSilentConnection(t *testing.T) {
	noLeak(t)
	p := listenFrames(t, func(f *framed) {
		if f.number == 1 {
			silent(f.w)
			return
		}
		f.serveAll()
	})
	o := h2c(p.address)
	o.ResponseTimeout = 50 * time.Millisecond
	u := open(t, o)
	mustFail(t, u, request("GET", "/"), Send{}, fault.GatewayTimeout)
	u.transport.(*http2Transport).responseTimeout = time.Minute // nothing else is under way
	for range 3 {
		ask(t, u, request("GET", "/"))
	}
	if n := p.conns.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// TestResets: how a stream ends decides whether there is an answer.
func TestResets(t *testing.T) {
	noLeak(t)
	p := listenFrames(t, func(f *framed) {
		for h := f.head(); h != nil; h = f.head() {
			id := h.StreamID
			switch h.PseudoValue("path") {
			case "/none":
				_ = f.WriteRSTStream(id, http2.ErrCodeInternal)
			case "/middle":
				f.answer(id, false, ":status", "200")
				_ = f.WriteData(id, false, []byte("some"))
				_ = f.WriteRSTStream(id, http2.ErrCodeInternal)
			case "/complete":
				f.answer(id, false, ":status", "200", "content-length", "4")
				_ = f.WriteData(id, true, []byte("some"))
				_ = f.WriteRSTStream(id, http2.ErrCodeNo)
			case "/short":
				f.answer(id, false, ":status", "200", "content-length", "5")
				_ = f.WriteData(id, true, []byte("some"))
			case "/long":
				f.answer(id, false, ":status", "200", "content-length", "3")
				_ = f.WriteData(id, true, []byte("some"))
			}
		}
	})
	u := open(t, h2c(p.address))
	if f := mustFail(t, u, posting2("/none"), Send{}, fault.BadGateway); f.Retry {
		t.Errorf("got %v, retry", f)
	}
	if f := mustFail(t, u, request("GET", "/none"), Send{}, fault.BadGateway); !f.Retry {
		t.Errorf("got %v, no retry", f)
	}
	for path, ok := range map[string]bool{"/middle": false, "/complete": true, "/short": false, "/long": false} {
		x := request("GET", path)
		if f := u.Do(x, Send{}); f != nil {
			t.Fatal(f)
		}
		got, err := io.ReadAll(&x.Resp.Body)
		var f *fault.Fault
		if ok != (err == nil) || !ok && (!errors.As(err, &f) || f.Kind != fault.BadGateway) || ok && string(got) != "some" {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
		x.Resp.Reset()
	}
}

func posting2(path string) *exchange.Exchange {
	x := posting()
	x.Req.Path = path
	return x
}

// TestInvalidHeads: an answer that cannot be understood is 502 and not asked for again.
func TestInvalidHeads(t *testing.T) {
	noLeak(t)
	heads := map[string][]string{
		"/101": {":status", "101"}, "/none": {"a", "b"}, "/letters": {":status", "abc"}, "/small": {":status", "42"}, "/1000": {":status", "1000"},
		"/lengths": {":status", "200", "content-length", "1", "content-length", "2"}, "/length": {":status", "200", "content-length", "-1"},
		"/large": {":status", "200", "a", strings.Repeat("x", defaultHead+1000)},
	}
	p := listenFrames(t, func(f *framed) {
		for h := f.head(); h != nil; h = f.head() {
			f.answer(h.StreamID, false, heads[h.PseudoValue("path")]...)
		}
	})
	for path := range heads {
		f := mustFail(t, open(t, h2c(p.address)), request("GET", path), Send{}, fault.BadGateway)
		if f.Retry && path != "/large" && path != "/none" { // after these the connection is given up
			t.Errorf("%s: got %v, retry", path, f)
		}
	}
}

// TestTrailersOnTheWire: trailers that nobody announced follow the content.
func TestTrailersOnTheWire(t *testing.T) {
	noLeak(t)
	got := make(chan string, 1)
	p := listenFrames(t, func(f *framed) {
		for h := f.head(); h != nil; h = f.head() {
			got <- f.content()
			f.answer(h.StreamID, true, ":status", "200")
		}
	})
	u := open(t, h2c(p.address))
	feed := newFeed("cd")
	close(feed.pieces)
	x := upload(-1, "ab", feed)
	x.Req.Trailers.Add("X-Sum", "4")
	x.Req.Trailers.Add("Authorization", "no")
	ask(t, u, x)
	_ = x.Req.Body.Close()
	if got := <-got; got != "abcd x-sum: 4" {
		t.Errorf("got %q", got)
	}
	feed = newFeed("cd")
	feed.end = errors.New("broken off")
	close(feed.pieces)
	x = upload(-1, "ab", feed)
	mustFail(t, u, x, Send{}, fault.ClientGone)
	_ = x.Req.Body.Close()
	if got := <-got; !strings.HasSuffix(got, "reset: CANCEL") {
		t.Errorf("got %q", got)
	}
}

// TestHTTP2TrailersBehindAKnownLength: that content is announced by its length does not cost it the trailers.
func TestHTTP2TrailersBehindAKnownLength(t *testing.T) {
	seen := make(chan string, 1)
	p := listenFrames(t, func(f *framed) {
		h := f.head()
		seen <- f.content()
		f.answer(h.StreamID, true, ":status", "200")
		f.head()
	})
	for name, feed := range map[string]*feed{"at once": newFeed("abc"), "in pieces": newFeed("a", "bc")} {
		close(feed.pieces)
		u := open(t, h2c(p.address))
		x := upload(3, "", feed)
		x.Req.Protocol = exchange.HTTP2
		x.Req.Body.Source = &trailing{feed, x}
		if f := u.Do(x, Send{}); f != nil {
			t.Fatal(name, f)
		}
		x.Resp.Reset()
		if got, want := <-seen, "abc sum: 7"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// trailing is content behind which there is a trailer.
type trailing struct {
	*feed
	x *exchange.Exchange
}

func (s *trailing) Read(p []byte) (int, error) {
	n, err := s.feed.Read(p)
	if err == io.EOF {
		s.x.Req.Trailers.Add("Sum", "7")
	}
	return n, err
}
