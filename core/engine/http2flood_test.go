package engine

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/sallyport/sallyport/core/exchange"
)

// TestHTTP2Floods has clients do what costs them little, again and again, without reading what comes back. The connection must
// be closed, with only so many requests taken on the way; the rest of the gateway must not notice.
func TestHTTP2Floods(t *testing.T) {
	tests := []struct {
		name string
		// flood sends once more; it returns an error when the connection does not take it.
		flood func(c *http2Client, i int) error
	}{
		{"rapid reset", func(c *http2Client, i int) error {
			id := uint32(2*i + 1)
			block := c.block(":method: GET", ":scheme: http", ":authority: x", ":path: /wait")
			if err := c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true}); err != nil {
				return err
			}
			return c.frames.WriteRSTStream(id, http2.ErrCodeCancel)
		}},
		{"settings", func(c *http2Client, i int) error { return c.frames.WriteSettings() }},
		{"ping", func(c *http2Client, i int) error { return c.frames.WritePing(false, [8]byte{}) }},
		{"reset by protocol errors", func(c *http2Client, i int) error {
			id := uint32(2*i + 1)
			block := c.block(":method: GET", ":scheme: http", ":authority: x", ":path: /wait")
			if err := c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true}); err != nil {
				return err
			}
			return c.frames.WriteWindowUpdate(id, 0)
		}},
		{"continuation", func(c *http2Client, i int) error {
			if i == 0 {
				return c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.block(":method: GET")})
			}
			return c.frames.WriteContinuation(1, false, c.block("x: "+strings.Repeat("y", 1000)))
		}},
		{"empty continuation", func(c *http2Client, i int) error {
			if i == 0 {
				return c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.block(":method: GET")})
			}
			return c.frames.WriteContinuation(1, false, nil)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hold := make(chan struct{})
			l, h := start(t, Options{HTTP2: true, Streams: 10}, func(x *exchange.Exchange) {
				if x.Req.Path == "/wait" {
					<-hold
				}
				answer200(x, "ok")
			})
			defer close(hold)
			c := dialHTTP2(t, l)
			const enough = 1_000_000
			n := 0
			for n < enough && tt.flood(c, n) == nil {
				n++
			}
			if n == enough {
				t.Errorf("%d times were taken", n)
			}
			if taken := h.open(); taken > 10 {
				t.Errorf("%d requests are served at once", taken)
			}
			other := dialHTTP2(t, l)
			other.get(1, "/")
			if a := other.answer(1); a.content != "ok" {
				t.Errorf("another client got %+v", a)
			}
		})
	}
}

// TestHTTP2TooManyStreams: one more than the settings allow is refused, the others are served.
func TestHTTP2TooManyStreams(t *testing.T) {
	hold := make(chan struct{})
	l, h := start(t, Options{HTTP2: true, Streams: 2}, func(x *exchange.Exchange) { <-hold; answer200(x, "ok") })
	c := dialHTTP2(t, l)
	for id := uint32(1); id <= 5; id += 2 {
		c.get(id, "/")
	}
	if a := c.answer(5); a.reset == "" {
		t.Errorf("got %+v", a)
	}
	if n := h.open(); n > 2 {
		t.Errorf("%d are served", n)
	}
	close(hold)
	for _, id := range []uint32{1, 3} {
		if a := c.answer(id); a.content != "ok" {
			t.Errorf("got %+v", a)
		}
	}
}

// TestHTTP2LargeHead: what is somewhat too large is answered by the Handler, what is far too large ends the connection.
func TestHTTP2LargeHead(t *testing.T) {
	l, h := start(t, Options{HTTP2: true}, tell)
	c := dialHTTP2(t, l)
	c.get(1, "/", "a: "+strings.Repeat("a", 15_000), "b: "+strings.Repeat("b", 18_000))
	if a := c.answer(1); a.status() != "431" {
		t.Errorf("got %+v", a)
	}
	if h.open() != 0 || len(h.served) != 1 {
		t.Errorf("%d served", len(h.served))
	}
}

// TestHTTP2Unserved: what net/http refuses by itself is at least counted.
func TestHTTP2Unserved(t *testing.T) {
	l, h := start(t, Options{HTTP2: true}, tell)
	c := dialHTTP2(t, l)
	c.get(1, "/")
	c.get(3, "/", "connection: close")
	c.head(5, true, ":method: GET", ":scheme: http", ":path: no-slash", ":authority: x")
	c.post(7, "/")
	c.data(7, false, "a")
	c.head(7, true, "a: trailer")
	for id := uint32(1); id <= 7; id += 2 {
		c.answer(id)
	}
	c.get(9, "/", "a: "+strings.Repeat("a", 100_000))
	for c.next() { // net/http ends the connection over that
	}
	c.nc.Close()
	eventually(t, "the connection is closed", func() bool { return l.Unserved() > 0 })
	if got, want := l.Unserved(), uint64(5-len(h.served)); got != want || want < 2 {
		t.Errorf("got %d, want %d", got, want)
	}
}

// TestHTTP2GivenUp: a client that gives up most of what it asks for is cut off, one that gives up less is not.
func TestHTTP2GivenUp(t *testing.T) {
	entered := make(chan struct{})
	l, _ := start(t, Options{HTTP2: true}, func(x *exchange.Exchange) {
		if x.Req.Path == "/wait" {
			entered <- struct{}{}
			<-x.Client.(*http2Stream).r.Context().Done()
		}
		answer200(x, "ok")
	})
	for _, tt := range []struct {
		name    string
		answers int // for each that is given up
		cut     bool
	}{{"all", 0, true}, {"one of three", 2, false}} {
		t.Run(tt.name, func(t *testing.T) {
			c := dialHTTP2(t, l)
			id := uint32(1)
			for range maxGivenUp {
				c.get(id, "/wait")
				<-entered
				c.check(c.frames.WriteRSTStream(id, http2.ErrCodeCancel))
				for range tt.answers {
					id += 2
					c.get(id, "/")
					c.answer(id)
				}
				id += 2
			}
			// The next one is one too many.
			if err := c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndStream: true, EndHeaders: true,
				BlockFragment: c.block(":method: GET", ":scheme: http", ":authority: x", ":path: /wait")}); err == nil {
				<-entered
				_ = c.frames.WriteRSTStream(id, http2.ErrCodeCancel) // the connection shows below
			}
			if tt.cut {
				for {
					if _, err := c.frames.ReadFrame(); errors.Is(err, os.ErrDeadlineExceeded) {
						t.Fatal("the connection goes on")
					} else if err != nil {
						return
					}
				}
			}
			c.get(id+2, "/")
			if a := c.answer(id + 2); a.content != "ok" {
				t.Errorf("got %+v", a)
			}
		})
	}
}
