package upstream

import (
	"io"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
)

const jsonAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: test\r\nContent-Length: 28\r\n\r\n{\"order\":1,\"state\":\"ready\"}\n"

// answering says the same for every read: a request is small enough to come at once.
func answering(answer string) func(*wire) {
	return func(w *wire) {
		out, in := []byte(answer), make([]byte, 64<<10)
		for {
			if _, err := w.Read(in); err != nil {
				return
			}
			if _, err := w.Write(out); err != nil {
				return
			}
		}
	}
}

func prepared(method string, body string) *exchange.Exchange {
	x := request(method, "/orders/17")
	x.Req.Fields.Add("Accept", "application/json")
	x.Req.Fields.Add("User-Agent", "test")
	if body != "" {
		x.Req.Body.Set([]byte(body))
	}
	x.Client = &client{}
	return x
}

func TestKeptConnectionAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	tests := []struct{ name, method, body, answer string }{
		{"length", "GET", "", jsonAnswer},
		{"chunks", "GET", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		{"body", "POST", "some content", jsonAnswer},
		{"empty", "HEAD", "", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := listen(t, answering(test.answer))
			u := open(t, group(p.address))
			x := prepared(test.method, test.body)
			got := testing.AllocsPerRun(500, func() {
				if f := u.Do(x, Send{}); f != nil {
					t.Error(f)
				}
				x.Resp.Reset()
			})
			// A head's string is cut off a chunk of 16 KiB: that is one allocation in a hundred exchanges, rounded down to none.
			if got != 0 {
				t.Errorf("got %v allocations, want 0", got)
			}
			if conns := p.conns.Load(); conns != 1 {
				t.Errorf("got %d connections, want 1", conns)
			}
		})
	}
}

func BenchmarkDo(b *testing.B) {
	benchmarks := []struct {
		name, method, body, answer string
	}{
		{"GET", "GET", "", jsonAnswer},
		{"POST", "POST", "{\"order\":17}", jsonAnswer},
		{"chunks", "GET", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
	}
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			u := open(b, group(listen(b, answering(bench.answer)).address))
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				x := prepared(bench.method, bench.body)
				for pb.Next() {
					if f := u.Do(x, Send{}); f != nil {
						b.Error(f)
						return
					}
					x.Resp.Reset()
				}
			})
		})
	}
}

func BenchmarkStream(b *testing.B) {
	const size = 1 << 20
	p := listen(b, func(w *wire) {
		content := make([]byte, size)
		for {
			if _, err := w.request(); err != nil {
				return
			}
			w.say("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n")
			_, _ = w.Write(content)
		}
	})
	u, x, room := open(b, group(p.address)), prepared("GET", ""), make([]byte, 32<<10)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if f := u.Do(x, Send{}); f != nil {
			b.Fatal(f)
		}
		for {
			if _, err := x.Resp.Body.Read(room); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		x.Resp.Reset()
	}
}
