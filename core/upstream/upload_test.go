package upstream

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// keeping sends everything that a peer reads to a channel when the connection ends.
func keeping(got chan<- string) func(*wire) {
	return func(w *wire) {
		content, _ := io.ReadAll(w.in)
		got <- string(content)
	}
}

func TestUploadOnTheWire(t *testing.T) {
	tests := []struct {
		name, held string
		length     int64
		pieces     []string
		trailer    bool
		want       string
	}{
		{"whole", "all", 3, nil, false, "Content-Length: 3\r\n\r\nall"},
		{"length", "so", 7, []string{"me", "ore"}, false, "Content-Length: 7\r\n\r\nsomeore"},
		{"nothing held", "", 4, []string{"some"}, false, "Content-Length: 4\r\n\r\nsome"},
		{"chunked", "held", -1, []string{"abc", "0123456789abcdefg"}, false, "chunked\r\n\r\n4\r\nheld\r\n3\r\nabc\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n"},
		{"trailers", "", -1, []string{"abc"}, true, "chunked\r\n\r\n3\r\nabc\r\n0\r\nSum: 3\r\n\r\n"},
		{"no chunk", "", -1, nil, false, "chunked\r\n\r\n0\r\n\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := listen(t, func(w *wire) {
				var got strings.Builder
				for !strings.HasSuffix(got.String(), test.want) {
					c, err := w.in.ReadByte()
					if err != nil {
						t.Errorf("got %q, want an end of %q", got.String(), test.want)
						return
					}
					got.WriteByte(c)
				}
				w.say(okAnswer)
				_, _ = w.in.ReadByte()
			})
			u := open(t, group(p.address))
			feed := newFeed(test.pieces...)
			close(feed.pieces)
			x := upload(test.length, test.held, feed)
			if test.trailer {
				x.Req.Trailers.Add("Sum", "3")
			}
			if got := ask(t, u, x); got != "ok" {
				t.Errorf("got %q, want ok", got)
			}
			if got := idle(u); got != 1 {
				t.Errorf("kept: got %d, want 1", got)
			}
			if got, want := x.Received, int64(len(test.held+strings.Join(test.pieces, ""))); got != want {
				t.Errorf("received: got %d, want %d", got, want)
			}
		})
	}
}

// TestLargeHeldBody is more than one write takes, but can all the same be sent again.
func TestLargeHeldBody(t *testing.T) {
	const size = 4 << 20
	p := listen(t, func(w *wire) {
		for n := 1; ; n++ {
			if _, err := w.request(); err != nil {
				return
			}
			if w.number == 1 && n == 2 {
				w.reset()
				return
			}
			if _, err := io.CopyN(io.Discard, w.in, size); err != nil {
				return
			}
			w.say(okAnswer)
		}
	})
	u := open(t, group(p.address))
	for range 3 {
		x := request("PUT", "/")
		x.Req.Body.Set(make([]byte, size))
		if got := ask(t, u, x); got != "ok" || x.Received != size {
			t.Errorf("got %q after %d bytes, want ok after %d", got, x.Received, size)
		}
	}
	if got := p.conns.Load(); got != 2 {
		t.Errorf("got %d connections, want 2: the second for the replay", got)
	}
}

func TestEarlyAnswer(t *testing.T) {
	const refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!"
	tests := []struct {
		name  string
		serve func(*wire)
	}{
		{"and waits", func(w *wire) { _, _ = w.request(); w.say(refusal); _, _ = io.Copy(io.Discard, w.in) }},
		{"and reads no more", func(w *wire) {
			_, _ = w.request()
			w.say(refusal)
			_ = w.CloseWrite()
			_, _ = io.Copy(io.Discard, w.in)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := open(t, group(listen(t, test.serve).address))
			feed := newFeed(strings.Repeat("x", 100_000)) // and no end
			x := upload(exchange.Unknown, "", feed)
			if f := u.Do(x, Send{}); f != nil {
				t.Fatal(f)
			}
			if got := readBody(t, &x.Resp.Body); got != "no!" || x.Resp.Status != 413 {
				t.Errorf("got %d %q, want the 413", x.Resp.Status, got)
			}
			if feed.isClosed() {
				t.Error("the upload was cut before the answer was read")
			}
			x.Resp.Reset()
			mustBeOver(t, x, feed)
			if got := idle(u); got != 0 {
				t.Errorf("kept: got %d, want 0", got)
			}
		})
	}
}

// mustBeOver fails when somebody else still uses the request's body. A copier that was interrupted while it read has had
// the Source closed, one that ended otherwise leaves that to the exchange; twice would panic.
func mustBeOver(t *testing.T, x *exchange.Exchange, f *feed) {
	t.Helper()
	if f.reading.Load() {
		t.Error("the request's body is still being read")
	}
	_ = x.Req.Body.Close()
	if !f.isClosed() {
		t.Error("the request's body was never closed")
	}
}

func TestEarlyAnswerWithoutContent(t *testing.T) {
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
		silent(w)
	})
	u := open(t, group(p.address))
	feed := newFeed("some")
	x := upload(1000, "", feed)
	if got := ask(t, u, x); got != "" || x.Resp.Status != 401 {
		t.Errorf("got %d %q, want an empty 401", x.Resp.Status, got)
	}
	mustBeOver(t, x, feed)
	if x.Received > 4 {
		t.Errorf("received: got %d, want 4 at most", x.Received)
	}
}

// TestUploadThatFails must be seen by the upstream as cut off, never as complete.
func TestUploadThatFails(t *testing.T) {
	malformed := fault.New(fault.BadRequest, fault.Client, "invalid chunk")
	tests := []struct {
		name   string
		length int64
		pieces []string
		end    error
		most   int64
		want   fault.Kind
		side   fault.Side
	}{
		{"malformed", exchange.Unknown, []string{"some"}, malformed, 0, fault.BadRequest, fault.Client},
		{"slow", 10, []string{"some"}, fault.New(fault.RequestTimeout, fault.Client, ""), 0, fault.RequestTimeout, fault.Client},
		{"cut off", 10, []string{"some"}, io.ErrUnexpectedEOF, 0, fault.ClientGone, fault.Client},
		{"short", 10, []string{"some"}, nil, 0, fault.ClientGone, fault.Client},
		{"long", 6, []string{"some", "more"}, nil, 0, fault.ClientGone, fault.Client},
		{"too large", exchange.Unknown, []string{"some", "more", "!"}, nil, 12, fault.BodyTooLarge, fault.Client},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := make(chan string, 1)
			u := open(t, group(listen(t, keeping(got)).address))
			feed := newFeed(test.pieces...)
			feed.end = test.end
			close(feed.pieces)
			held := "held"
			if test.length >= 0 {
				held = ""
			}
			x := upload(test.length, held, feed)
			f := mustFail(t, u, x, Send{MaxBody: test.most}, test.want)
			if f.Side != test.side || f.Retry {
				t.Errorf("got %+v, want side %v and no retry", f, test.side)
			}
			head, content, _ := strings.Cut(<-got, "\r\n\r\n")
			if test.length < 0 && strings.Contains(content, "0\r\n\r\n") || int64(len(content)) == test.length {
				t.Errorf("the upstream got a complete request:\n%s\n\n%s", head, content)
			}
			if failures := u.Endpoints()[0].Failures; failures != 0 {
				t.Errorf("the endpoint is blamed %d times", failures)
			}
		})
	}
}

func TestBodyKnownToBeTooLarge(t *testing.T) {
	p := listen(t, silent)
	u := open(t, group(p.address))
	x := upload(1000, "some", newFeed())
	f := mustFail(t, u, x, Send{MaxBody: 999}, fault.BodyTooLarge)
	if f.Side != fault.Client || p.conns.Load() != 0 || x.Tries != 0 {
		t.Errorf("got %v with %d connections, want a refusal without any", f, p.conns.Load())
	}
}

// TestUploadFailsAfterAnswerBegan: what is still to come of the answer ends with the client's fault.
func TestUploadFailsAfterAnswerBegan(t *testing.T) {
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		w.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
		silent(w)
	})
	u := open(t, group(p.address))
	feed := newFeed()
	feed.end = fault.New(fault.BadRequest, fault.Client, "invalid chunk")
	x := upload(exchange.Unknown, "held", feed)
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	close(feed.pieces)
	_, err := io.ReadAll(&x.Resp.Body)
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.BadRequest {
		t.Errorf("got %v, want the upload's fault", err)
	}
	x.Resp.Reset()
}

func TestResponseTimeRunsFromTheUploadsEnd(t *testing.T) {
	p := listen(t, silent)
	o := group(p.address)
	o.ResponseTimeout = 30 * time.Millisecond
	u := open(t, o)
	feed := newFeed("some")
	x, c := upload(exchange.Unknown, "", feed), &client{}
	x.Client = c
	ended := make(chan *fault.Fault, 1)
	go func() { ended <- u.Do(x, Send{}) }()
	timer := time.NewTimer(5 * o.ResponseTimeout)
	defer timer.Stop()
	select {
	case f := <-ended:
		t.Fatalf("the exchange ended while the upload ran: %v", f)
	case <-timer.C:
	}
	close(feed.pieces)
	if f := <-ended; f == nil || f.Kind != fault.GatewayTimeout {
		t.Errorf("got %v, want gateway_timeout", f)
	}
}

func TestDeadlineCutsUpload(t *testing.T) {
	u := open(t, group(listen(t, silent).address))
	feed := newFeed("some")
	x := upload(exchange.Unknown, "", feed)
	// The deadline is long enough for what there is to have been read by then.
	mustFail(t, u, x, Send{Deadline: time.Now().Add(time.Second)}, fault.GatewayTimeout)
	mustBeOver(t, x, feed)
	if x.Received != 4 {
		t.Errorf("received: got %d, want 4", x.Received)
	}
}

// TestUpstreamDiesDuringUpload: what has been taken from the client cannot be sent again.
func TestUpstreamDiesDuringUpload(t *testing.T) {
	good := listen(t, always(okAnswer))
	bad := listen(t, func(w *wire) { _, _ = w.request(); w.reset() })
	o := group(bad.address, good.address)
	o.Retries = 1
	u := open(t, o)
	x := upload(exchange.Unknown, "", newFeed("some"))
	x.Req.Method = "PUT"
	f := mustFail(t, u, x, Send{}, fault.BadGateway)
	if f.Retry || x.Tries != 1 {
		t.Errorf("got %+v after %d tries, want no retry", f, x.Tries)
	}
}

func TestUploadSurvivesConnectFailure(t *testing.T) {
	got := make(chan string, 1)
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		content := make([]byte, 8)
		_, _ = io.ReadFull(w.in, content)
		got <- string(content)
		w.say(okAnswer)
		silent(w)
	})
	o := group(deadAddress(t), p.address)
	o.Retries = 1
	feed := newFeed("more")
	close(feed.pieces)
	x := upload(8, "some", feed)
	ask(t, open(t, o), x)
	if content := <-got; content != "somemore" || x.Received != 8 {
		t.Errorf("got %q, %d bytes; want somemore, 8", content, x.Received)
	}
}

// TestHeldReleaser: a Source behind a body that is wholly held is none of our business.
func TestHeldReleaser(t *testing.T) {
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		_, _ = io.CopyN(io.Discard, w.in, 4)
		w.say(okAnswer)
		silent(w)
	})
	feed := newFeed()
	x := upload(4, "some", feed)
	ask(t, open(t, group(p.address)), x)
	if feed.isClosed() || x.Req.Body.Source != feed {
		t.Error("the Source of a held body was closed or dropped")
	}
}
