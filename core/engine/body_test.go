package engine

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

func TestExpectContinue(t *testing.T) {
	l, _ := start(t, Options{}, tell)
	nc := dial(t, l)
	r := reader(nc)
	send(t, nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
	if got := readTo(t, r, "\r\n\r\n"); got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Errorf("got %q", got)
	}
	want := told(`POST /? x "abc"`)
	send(t, nc, "abcGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := readTo(t, r, want); got != want {
		t.Errorf("got %q", got)
	}
	if want, got := told(`GET /2? x ""`), readTo(t, r, `""`); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExpectNotWanted(t *testing.T) {
	l, _ := start(t, Options{}, func(x *exchange.Exchange) { answer200(x, "no") })
	nc := dial(t, l)
	send(t, nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
	if want, got := told("no", closing), readAll(t, nc); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInterim(t *testing.T) {
	serve := func(x *exchange.Exchange) {
		x.Resp.Fields.Add("Link", "l")
		for _, status := range []int{100, 101, 103} {
			if err := x.Client.Interim(status, &x.Resp.Fields); err != nil {
				t.Error(err)
			}
		}
		if err := x.Client.Interim(102, nil); err != nil {
			t.Error(err)
		}
		x.Resp.Fields.Reset()
		answer200(x, "a")
	}
	l, _ := start(t, Options{}, serve)
	want := "HTTP/1.1 103 Early Hints\r\nLink: l\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + told("a")
	if got := talk(t, l, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if want, got := told("a", closing), talk(t, l, "GET / HTTP/1.0\r\n\r\n"); got != want {
		t.Errorf("HTTP/1.0: got %q, want %q", got, want)
	}
}

func TestUnreadContent(t *testing.T) {
	large := strings.Repeat("x", 3<<20)
	tests := []struct {
		name, head string
		parts      []string
		keeps      bool
	}{
		{"small rest follows", "Content-Length: 10", []string{"01234", "56789"}, true},
		{"small chunked rest follows", "Transfer-Encoding: chunked", []string{"5\r\n01", "234\r\n0\r\n\r\n"}, true},
		{"large rest", "Content-Length: 3145728", []string{large}, false},
		{"large chunked rest", "Transfer-Encoding: chunked", []string{"300000\r\n" + large + "\r\n0\r\n\r\n"}, false},
		{"broken chunked rest", "Transfer-Encoding: chunked", []string{"5\r\n01", "234xx"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := start(t, Options{}, func(x *exchange.Exchange) { answer200(x, x.Req.Path) })
			nc := dial(t, l)
			r := reader(nc)
			// The content begins when the request is served, so that it cannot be in hand.
			send(t, nc, "POST /1 HTTP/1.1\r\nHost: x\r\n"+tt.head+"\r\n\r\n")
			got := readTo(t, r, "\n/1")
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for _, part := range tt.parts {
					if _, err := io.WriteString(nc, part); err != nil {
						return // closed at last, as it should be when there is too much
					}
				}
			}()
			if strings.Contains(got, closing) {
				if rest := readAll(t, r); rest != "" {
					t.Errorf("got %q behind the answer", rest)
				}
			}
			<-sent
			_, err := io.WriteString(nc, "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			rest, _ := io.ReadAll(r) // a reset is fine here: the answer was read
			if keeps := err == nil && string(rest) == told("/2", closing); keeps != tt.keeps {
				t.Errorf("got keeps %v, want %v: %q", keeps, tt.keeps, rest)
			}
		})
	}
}

// TestAnswerBeforeContent has a client write all of a large request before it reads: it must find the answer, not a reset.
func TestAnswerBeforeContent(t *testing.T) {
	l, _ := start(t, Options{}, func(x *exchange.Exchange) { answer200(x, "too large") })
	nc := dial(t, l)
	send(t, nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"+strings.Repeat("x", 800_000))
	if want, got := told("too large", closing), readAll(t, nc); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLargeContent(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 1<<16)
	received := make(chan int64, 1)
	l, h := start(t, Options{}, func(x *exchange.Exchange) {
		got, err := io.ReadAll(&x.Req.Body)
		if err != nil || string(got) != content {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		answer200(x, "ok")
	})
	h.onEnd = func(x *exchange.Exchange) { received <- x.Received }
	chunked := "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+content[:4096]+"\r\n", len(content)/4096) + "0\r\n\r\n"
	for _, rest := range []string{"Content-Length: 1048576\r\n\r\n" + content, chunked} {
		if want, got := told("ok"), talk(t, l, "POST / HTTP/1.1\r\nHost: x\r\n"+rest); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := <-received; got != 1<<20 {
			t.Errorf("received %d", got)
		}
	}
}

// TestCloseInterruptsRead has a Read wait in another goroutine, as the copier of a body does.
func TestCloseInterruptsRead(t *testing.T) {
	for _, framing := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
		t.Run(framing, func(t *testing.T) {
			var copied chan error
			ended := make(chan struct{})
			l, h := start(t, Options{}, func(x *exchange.Exchange) {
				copied = make(chan error, 1)
				go func(source io.Reader) {
					_, err := io.Copy(io.Discard, source)
					copied <- err
				}(x.Req.Body.Source)
				eventually(t, "the copier reads", x.Req.Body.Source.(*body).reading.Load)
				answer200(x, "early")
			})
			h.onEnd = func(x *exchange.Exchange) {
				defer close(ended)
				if err := x.Req.Body.Close(); err != nil {
					t.Error(err)
				}
				if err := <-copied; !errors.Is(err, errBodyClosed) {
					t.Errorf("got %v, want %v", err, errBodyClosed)
				}
			}
			nc := dial(t, l)
			send(t, nc, "POST / HTTP/1.1\r\nHost: x\r\n"+framing+"\r\n\r\n")
			if want, got := told("early"), readTo(t, nc, "early"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			<-ended
		})
	}
}

func TestSlowClients(t *testing.T) {
	const short = 20 * time.Millisecond
	serve := func(x *exchange.Exchange) {
		if x.Req.Path == "/idle" {
			x.Client.(*conn).listener.SetOptions(Options{IdleTimeout: short})
		}
		if x.Fault == nil {
			_, err := io.ReadAll(&x.Req.Body)
			x.Fault = fault.From(err)
		}
		if x.Fault != nil {
			x.Resp.Status = x.Fault.Kind.Status()
			x.Resp.Body.Set([]byte(x.Req.Method + x.Req.Path))
			return
		}
		answer200(x, "")
	}
	// Of the time-outs only the one in question is short: the input may take its time to come.
	idles, heads, bodies := Options{IdleTimeout: short}, Options{HeadTimeout: short}, Options{BodyTimeout: 5 * short}
	tests := []struct {
		name               string
		o                  Options
		input, status, end string
	}{
		{"idle from the start", idles, "", "", ""},
		{"idle after an answer", Options{}, "GET /idle HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "\r\n\r\n"},
		{"idle with an empty line", idles, "\r\n", "", ""},
		{"head", heads, "GET /slow HTTP/1.1\r\nHo", "HTTP/1.1 408", "GET"},
		{"content", bodies, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab", "HTTP/1.1 408", "POST/"},
		{"chunked content", bodies, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab", "HTTP/1.1 408", "POST/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := start(t, tt.o, serve)
			nc := dial(t, l)
			send(t, nc, tt.input)
			got := readAll(t, nc)
			if !strings.HasPrefix(got, tt.status) || !strings.HasSuffix(got, tt.end) || tt.status == "" && got != "" {
				t.Errorf("got %q, want %q…%q", got, tt.status, tt.end)
			}
		})
	}
}
