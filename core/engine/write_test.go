package engine

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
)

const getOne = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

func TestAnswers(t *testing.T) {
	large := strings.Repeat("0123456789", 5000)
	const head = "HTTP/1.1 200 OK\r\nDate: D\r\n"
	tests := []struct {
		name, input string
		body        exchange.Body
		pieces      []string
		trailers    bool
		want        string
		sent        int64
	}{
		{"held", getOne, exchange.Body{Length: 2, Held: []byte("ab")}, nil, false, head + "Content-Length: 2\r\n\r\nab", 2},
		{"empty", getOne, exchange.Body{}, nil, false, head + "Content-Length: 0\r\n\r\n", 0},
		{"large and held", getOne, exchange.Body{Length: 50000, Held: []byte(large)}, nil, false, head + "Content-Length: 50000\r\n\r\n" + large, 50000},
		{"known length", getOne, exchange.Body{Length: 5, Held: []byte("ab")}, []string{"c", "de"}, false, head + "Content-Length: 5\r\n\r\nabcde", 5},
		{"unknown length", getOne, exchange.Body{Length: -1, Held: []byte("ab")}, []string{"c", strings.Repeat("d", 20)}, false,
			head + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n14\r\n" + strings.Repeat("d", 20) + "\r\n0\r\n\r\n", 23},
		{"unknown length, none held", getOne, exchange.Body{Length: -1}, []string{"c"}, false,
			head + "Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n", 1},
		{"trailers", getOne, exchange.Body{Length: 2, Held: []byte("ab")}, nil, true,
			head + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: u\r\n\r\n", 2},
		{"large with trailers", getOne, exchange.Body{Length: 50000, Held: []byte(large)}, nil, true,
			head + "Transfer-Encoding: chunked\r\n\r\nc350\r\n" + large + "\r\n0\r\nT: u\r\n\r\n", 50000},
		{"HTTP/1.0, unknown length", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", exchange.Body{Length: -1}, []string{"c", "d"}, true,
			head + "Connection: close\r\n\r\ncd", 2},
		{"head, unknown length", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", exchange.Body{Length: -1}, []string{"c"}, false, head + "\r\n", 0},
		{"head, known length", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", exchange.Body{Length: 7}, []string{"c"}, false, head + "Content-Length: 7\r\n\r\n", 0},
		{"held beyond its length", getOne, exchange.Body{Length: 2, Held: []byte("abc")}, []string{"d"}, false, head + "Content-Length: 2\r\n\r\nab", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := &pieces{list: tt.pieces, err: io.EOF}
			sent := make(chan int64, 1)
			l, h := start(t, Options{}, func(x *exchange.Exchange) {
				answer200(x, "")
				x.Resp.Body = tt.body
				if tt.pieces != nil {
					x.Resp.Body.Source = source
				}
				if tt.trailers {
					x.Resp.Trailers.Add("T", "u")
				}
			})
			h.onEnd = func(x *exchange.Exchange) {
				if source.closed != 1 && tt.pieces != nil {
					t.Errorf("source closed %d times before End", source.closed)
				}
				sent <- x.Sent
			}
			if got := talk(t, l, tt.input); got != tt.want {
				t.Errorf("got  %.300q\nwant %.300q", got, tt.want)
			}
			if got := <-sent; got != tt.sent {
				t.Errorf("got %d bytes sent, want %d", got, tt.sent)
			}
		})
	}
}

// TestStatusWithoutContent checks that 204 and 304 never carry framing or content.
func TestStatusWithoutContent(t *testing.T) {
	l, _ := start(t, Options{}, func(x *exchange.Exchange) {
		answer200(x, "not to be sent")
		x.Resp.Status = 204
	})
	want := strings.Repeat("HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n", 2)
	if got := talk(t, l, getOne+getOne); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFailingSources(t *testing.T) {
	broken := errors.New("broken")
	gone := fault.New(fault.GatewayTimeout, fault.Upstream, "slow")
	tests := []struct {
		name   string
		length int64
		pieces []string
		err    error
		want   fault.Kind
		cause  error
	}{
		{"error in a known length", 10, []string{"ab"}, broken, fault.BadGateway, broken},
		{"error in chunks", -1, []string{"ab"}, broken, fault.BadGateway, broken},
		{"fault", -1, []string{"ab"}, gone, fault.GatewayTimeout, gone},
		{"too little", 10, []string{"ab"}, io.EOF, fault.BadGateway, errTooLittle},
		{"too much", 3, []string{"ab", "cd"}, io.EOF, fault.BadGateway, errTooMuch},
		{"no progress", -1, nil, nil, fault.BadGateway, io.ErrNoProgress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := &pieces{list: tt.pieces, err: tt.err}
			faults := make(chan *fault.Fault, 1)
			l, h := start(t, Options{}, func(x *exchange.Exchange) {
				answer200(x, "")
				x.Resp.Body = exchange.Body{Length: tt.length, Source: source}
			})
			h.onEnd = func(x *exchange.Exchange) { faults <- x.Fault }
			nc := dial(t, l)
			send(t, nc, getOne)
			got, err := io.ReadAll(nc)
			if err == nil {
				t.Errorf("ended without a reset after %q", got)
			}
			if bytes.Contains(got, []byte("0\r\n\r\n")) && tt.length < 0 {
				t.Errorf("got the last chunk: %q", got)
			}
			if f := <-faults; f == nil || f.Kind != tt.want || !errors.Is(f, tt.cause) {
				t.Errorf("got %v, want %v of %v", f, tt.want, tt.cause)
			}
			eventually(t, "the source is closed", func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				return len(l.conns) == 0
			})
			if source.closed != 1 {
				t.Errorf("closed %d times", source.closed)
			}
		})
	}
}

func TestNoAnswer(t *testing.T) {
	l, _ := start(t, Options{}, func(x *exchange.Exchange) {
		x.Resp.Status = 101 // nobody has asked for it
		x.Resp.Fields.Add("A", "b")
	})
	if got := talk(t, l, getOne); !strings.HasPrefix(got, "HTTP/1.1 500 ") || strings.Contains(got, "A: b") {
		t.Errorf("got %q", got)
	}
}

// waitingSource brings a piece each time it is let.
type waitingSource struct{ let chan string }

func (s waitingSource) Read(p []byte) (int, error) {
	piece, ok := <-s.let
	if !ok {
		return 0, io.EOF
	}
	return copy(p, piece), nil
}

func (s waitingSource) Close() error { return nil }

// TestStreamsAtOnce has the client see head and each piece before the next one exists.
func TestStreamsAtOnce(t *testing.T) {
	source := waitingSource{make(chan string)}
	l, _ := start(t, Options{}, func(x *exchange.Exchange) {
		answer200(x, "")
		x.Resp.Body = exchange.Body{Length: -1, Source: source}
	})
	nc := dial(t, l)
	send(t, nc, getOne)
	readTo(t, nc, "\r\n\r\n")
	for _, piece := range []string{"event 1", "event 2"} {
		source.let <- piece
		if want, got := "7\r\n"+piece+"\r\n", readTo(t, nc, piece+"\r\n"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	close(source.let)
	if got := readTo(t, nc, "0\r\n\r\n"); got != "0\r\n\r\n" {
		t.Errorf("got %q", got)
	}
}

func TestSlowReader(t *testing.T) {
	faults := make(chan *fault.Fault, 1)
	l, h := start(t, Options{BodyTimeout: 30 * time.Millisecond}, func(x *exchange.Exchange) {
		answer200(x, strings.Repeat("x", 64<<20)) // more than the kernel takes for a client that does not read
	})
	h.onEnd = func(x *exchange.Exchange) { faults <- x.Fault }
	send(t, dial(t, l), getOne)
	if f := <-faults; f == nil || f.Kind != fault.ClientGone {
		t.Errorf("got %v", f)
	}
}

func TestPanics(t *testing.T) {
	tests := []struct {
		name    string
		arrange func(x *exchange.Exchange)
		end     bool
	}{
		{"in Serve", func(*exchange.Exchange) { panic("ouch") }, false},
		{"in End", func(x *exchange.Exchange) { answer200(x, "") }, true},
		{"in a source", func(x *exchange.Exchange) {
			answer200(x, "")
			x.Resp.Body = exchange.Body{Length: -1, Source: waitingSource{nil}}
			x.Resp.Body.Source = panicking{}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log output.Text
			l, h := startLogging(t, Options{}, &log, tt.arrange)
			h.onEnd = func(x *exchange.Exchange) {
				if tt.end {
					panic("ouch")
				}
				if x.Fault == nil || x.Fault.Kind != fault.Internal {
					t.Errorf("got %v", x.Fault)
				}
			}
			nc := dial(t, l)
			send(t, nc, getOne+getOne)
			_, _ = io.ReadAll(nc) // it may end with a reset
			nc.Close()
			eventually(t, "the connection is closed", func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				return len(l.conns) == 0
			})
			if got := log.String(); strings.Count(got, "ouch") != 1 || !strings.Contains(got, "serve.go") {
				t.Errorf("log: %s", got)
			}
		})
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("ouch") }
func (panicking) Close() error             { return nil }
