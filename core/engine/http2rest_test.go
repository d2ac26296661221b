package engine

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/sallyport/sallyport/core/exchange"
)

// TestHTTP2TakesTheRestOfShortContent: who answers without having read a request's content must not have the stream reset while that is on
// its way. It may be (RFC 9113, section 8.1), but then some clients (curl 7.88) see no answer at all.
func TestHTTP2TakesTheRestOfShortContent(t *testing.T) {
	for _, tt := range []struct {
		name    string
		length  int
		content string
		reset   string
	}{
		{"short", 5, "hello", ""},
		{"in all there may be", drainBytes, strings.Repeat("x", 16<<10), ""},
		{"too long", drainBytes + 1, strings.Repeat("x", 16<<10), "NO_ERROR"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := start(t, http2Options, func(x *exchange.Exchange) { answer200(x, "no") })
			c := dialHTTP2(t, l)
			c.post(1, "/", "content-length: "+strconv.Itoa(tt.length))
			a := c.on(1)
			c.wait("an answer ahead of the content", func() bool { return a.content == "no" })
			if tt.reset == "" {
				for sent := 0; sent < tt.length; sent += len(tt.content) {
					c.data(1, sent+len(tt.content) >= tt.length, tt.content)
				}
			}
			c.wait("its end", func() bool { return a.ended })
			c.check(c.frames.WritePing(false, [8]byte{}))
			c.wait("what came behind it", func() bool { return c.pings == 1 })
			if a.reset != tt.reset {
				t.Errorf("got the reset %q, want %q", a.reset, tt.reset)
			}
		})
	}
}

// A client that does not send what it has announced is not waited for.
func TestHTTP2RestThatDoesNotCome(t *testing.T) {
	l, h := start(t, http2Options, func(x *exchange.Exchange) { answer200(x, "no") })
	c := dialHTTP2(t, l)
	c.post(1, "/", "content-length: 5")
	a := c.on(1)
	c.wait("the end", func() bool { return a.ended })
	eventually(t, "it has ended", func() bool { return h.open() == 0 })
}

// Who asks whether to send is not told to when the answer is there, with content or without; and one without ends with its head, which is how
// gRPC tells errors.
func TestHTTP2RestThatIsNotWanted(t *testing.T) {
	for content, frames := range map[string]int{"": 0, "no": 2} {
		l, _ := start(t, http2Options, func(x *exchange.Exchange) { answer200(x, content) })
		c := dialHTTP2(t, l)
		c.post(1, "/", "content-length: 5", "expect: 100-continue")
		a := c.on(1)
		c.wait("the end", func() bool { return a.ended })
		if len(a.interim) != 0 || a.content != content || a.frames != frames {
			t.Errorf("content %q: got %q ahead of the answer, %q in %d frames", content, a.interim, a.content, a.frames)
		}
	}
}

// Content that comes with a head which is refused is taken as well.
func TestHTTP2RestBehindARefusedHead(t *testing.T) {
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		answer200(x, "refused")
		if x.Fault == nil {
			t.Error("the head is not refused")
		}
	})
	c := dialHTTP2(t, l)
	c.post(1, "/a%00b", "content-length: 5")
	a := c.on(1)
	c.wait("an answer ahead of the content", func() bool { return a.content == "refused" })
	c.data(1, true, "hello")
	c.wait("its end", func() bool { return a.ended })
	c.check(c.frames.WritePing(false, [8]byte{}))
	c.wait("what came behind it", func() bool { return c.pings == 1 })
	if a.reset != "" {
		t.Errorf("got the reset %q", a.reset)
	}
}

// A client that does not take the answer, which goes out ahead of the rest, is given no more time than any other.
func TestHTTP2RestBehindAnAnswerThatNobodyTakes(t *testing.T) {
	l, h := start(t, Options{HTTP2: true, BodyTimeout: 200 * time.Millisecond}, func(x *exchange.Exchange) { answer200(x, "no") })
	c := dialHTTP2(t, l, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	c.post(1, "/", "content-length: 5")
	if a := c.answer(1); a.reset == "" || a.content != "" {
		t.Errorf("got %+v, want a reset", a)
	}
	eventually(t, "it has ended", func() bool { return h.open() == 0 })
}
