package upstream

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// boundClient is a client whose engine bounds how long a body may make no progress.
type boundClient struct {
	client
	bound time.Duration
}

func (c *boundClient) BodyTimeout() time.Duration { return c.bound }

// TestContentThatStalls: an upstream that stops in the middle of an answer must not hold an exchange for ever.
func TestContentThatStalls(t *testing.T) {
	for name, framing := range map[string]string{
		"length":    "Content-Length: 100\r\n\r\nsome",
		"chunks":    "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n",
		"extension": "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n5;nev",
		"to close":  "\r\nsome",
	} {
		t.Run(name, func(t *testing.T) {
			cut := make(chan bool)
			p := listen(t, func(w *wire) {
				_, _ = w.request()
				w.say("HTTP/1.1 200 OK\r\n" + framing)
				silent(w)
				close(cut)
			})
			u := open(t, group(p.address))
			x := request("GET", "/")
			x.Client = &boundClient{bound: 150 * time.Millisecond} // longer than a slice
			if f := u.Do(x, Send{}); f != nil {
				t.Fatal(f)
			}
			got, err := io.ReadAll(&x.Resp.Body)
			var f *fault.Fault
			if !errors.As(err, &f) || f.Kind != fault.GatewayTimeout || f.Side != fault.Upstream || string(got) != "some" {
				t.Errorf("got %q, %v; want some and the upstream's time-out", got, err)
			}
			x.Resp.Reset()
			<-cut
		})
	}
}

// askedClient tells when it was asked whether it is still there: then somebody waits.
type askedClient struct {
	boundClient
	waits chan struct{}
}

func (c *askedClient) Gone() bool {
	select {
	case c.waits <- struct{}{}:
	default: // it has been told already
	}
	return false
}

// TestSlowContentIsNoStall: what bounds a body is the time without progress, not the whole.
func TestSlowContentIsNoStall(t *testing.T) {
	c := &askedClient{boundClient{bound: 2 * time.Second}, make(chan struct{}, 1)}
	const pieces = 24 // one after each slice: that is longer than the bound
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", pieces))
		for range pieces {
			<-c.waits
			w.say("x")
		}
	})
	x := request("GET", "/")
	x.Client = c
	if got := ask(t, open(t, group(p.address)), x); got != strings.Repeat("x", pieces) {
		t.Errorf("got %q, want all %d", got, pieces)
	}
}

// TestContentWaitsAsLongAsTheExchangeSays: events may be minutes apart where a client's own body may not stall for seconds.
func TestContentWaitsAsLongAsTheExchangeSays(t *testing.T) {
	c := &askedClient{boundClient{bound: time.Millisecond}, make(chan struct{}, 1)}
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")
		<-c.waits
		<-c.waits // a slice later the client's own time is over
		w.say("y")
	})
	x := request("GET", "/events")
	x.Client, x.Idle = c, time.Hour
	if got := ask(t, open(t, group(p.address)), x); got != "xy" {
		t.Errorf("got %q, want xy", got)
	}
}

func TestContentStallsAsTheExchangeSays(t *testing.T) {
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")
		silent(w)
	})
	x := request("GET", "/events")
	x.Client, x.Idle = &boundClient{bound: time.Hour}, 150*time.Millisecond
	if f := open(t, group(p.address)).Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	got, err := io.ReadAll(&x.Resp.Body)
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.GatewayTimeout || string(got) != "x" {
		t.Errorf("got %q, %v; want x and the upstream's time-out", got, err)
	}
	x.Resp.Reset()
}

// TestUploadThatStalls: where a response may take any time, the request's content still has to make progress.
func TestUploadThatStalls(t *testing.T) {
	release := make(chan bool)
	p := listen(t, func(*wire) { <-release })
	o := group(p.address)
	o.ResponseTimeout = 0
	u := open(t, o)
	x := request("PUT", "/")
	x.Client = &boundClient{bound: 20 * time.Millisecond}
	x.Req.Body = exchange.Body{Length: 32 << 20, Held: make([]byte, 32<<20)}
	mustFail(t, u, x, Send{}, fault.GatewayTimeout)
	close(release)
}

// TestAnswerThatWaitsForTheUpload: a silent upstream is not at fault while the request is still on its way to it.
func TestAnswerThatWaitsForTheUpload(t *testing.T) {
	c := &boundClient{bound: 2 * time.Second}
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
		if _, err := io.CopyN(io.Discard, w.in, 4); err == nil {
			w.say("ok")
		}
		silent(w)
	})
	feed := newFeed()
	x := upload(4, "", feed)
	x.Client = c
	u := open(t, group(p.address))
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	go func() {
		timer := time.NewTimer(2500 * time.Millisecond) // more than the bound, in which nothing happens
		<-timer.C
		feed.pieces <- "four"
		close(feed.pieces)
	}()
	if got := readBody(t, &x.Resp.Body); got != "ok" {
		t.Errorf("got %q, want ok", got)
	}
	x.Resp.Reset()
	mustBeOver(t, x, feed)
}

// TestTrailersOfAHeldBody: a small upload's trailers go upstream as those of a large one do.
func TestTrailersOfAHeldBody(t *testing.T) {
	for _, size := range []int{0, 4, maxKeptBuffer - 200, 2 * maxKeptBuffer} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			p := listen(t, func(w *wire) {
				head, _ := w.request()
				var body strings.Builder
				for !strings.HasSuffix(body.String(), "0\r\nSum: 3\r\n\r\n") {
					c, err := w.in.ReadByte()
					if err != nil {
						t.Errorf("got %q %q", head, body.String())
						return
					}
					body.WriteByte(c)
				}
				if !strings.Contains(head, "Transfer-Encoding: chunked\r\n") || strings.Count(body.String(), "x") != size {
					t.Errorf("got %q and %d bytes", head, body.Len())
				}
				w.say(okAnswer)
				_, _ = w.in.ReadByte()
			})
			u := open(t, group(p.address))
			x := request("POST", "/")
			x.Req.Body = exchange.Body{Length: int64(size), Held: []byte(strings.Repeat("x", size))}
			x.Req.Trailers.Add("Sum", "3")
			if got := ask(t, u, x); got != "ok" || idle(u) != 1 {
				t.Errorf("got %q, %d kept", got, idle(u))
			}
		})
	}
}

// TestTooManyFields: the room for an answer's fields stays with the pooled Exchange, so it is bounded.
func TestTooManyFields(t *testing.T) {
	p := listen(t, always("HTTP/1.1 200 OK\r\n"+strings.Repeat("a:\r\n", 5000)+"Content-Length: 0\r\n\r\n"))
	mustFail(t, open(t, group(p.address)), request("GET", "/"), Send{}, fault.BadGateway)
}
