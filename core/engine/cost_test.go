package engine

import (
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
)

func testLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// static answers every request the same, and allocates nothing.
type static struct{ content []byte }

func (s static) Serve(x *exchange.Exchange) {
	x.Resp.Status = 200
	x.Resp.Fields.Add("Content-Type", "application/json")
	x.Resp.Body = exchange.Body{Length: int64(len(s.content)), Held: s.content}
}

func (static) End(*exchange.Exchange) {}

const typicalRequest = "GET /api/orders/4711?expand=items HTTP/1.1\r\nHost: shop.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101\r\nAccept: application/json, text/plain, */*\r\n" +
	"Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nCookie: session=5f2b1c9d0e8a\r\n\r\n"

// startStatic returns a connection to a server of static answers and the length of each.
func startStatic(t testing.TB) (net.Conn, int) {
	l, err := New(static{make([]byte, 259)}, testLog(io.Discard)).Listen("127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		nc.Close()
		if err := l.Drain(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	buf := make([]byte, 4096)
	send(t, nc, typicalRequest)
	n, err := nc.Read(buf) // an answer is one write
	if err != nil {
		t.Fatal(err)
	}
	return nc, n
}

func TestExchangeAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	nc, size := startStatic(t)
	request, answer := []byte(typicalRequest), make([]byte, size)
	got := testing.AllocsPerRun(2000, func() {
		if _, err := nc.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(nc, answer); err != nil {
			t.Fatal(err)
		}
	})
	if got > 0 { // AllocsPerRun rounds down: the chunks that heads are copied to are 1/40 each
		t.Errorf("got %v allocations, want 0", got)
	}
}

// BenchmarkExchange is a whole keep-alive request and its answer over loopback, with both ends' system calls.
func BenchmarkExchange(b *testing.B) {
	nc, size := startStatic(b)
	request, answer := []byte(typicalRequest), make([]byte, size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nc.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(nc, answer); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPipelined sends 32 requests at once, so that system calls weigh less: the engine's own work.
func BenchmarkPipelined(b *testing.B) {
	nc, size := startStatic(b)
	const n = 32
	var request []byte
	for range n {
		request = append(request, typicalRequest...)
	}
	answer := make([]byte, n*size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nc.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(nc, answer); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/request")
}
