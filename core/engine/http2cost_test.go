package engine

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/sallyport/sallyport/core/exchange"
)

// BenchmarkHTTP2 has one connection with 64 streams at any time. The client is as lean as can be, so that what is measured is the
// server: it sends prepared heads, and looks only at the frames' types.
func BenchmarkHTTP2(b *testing.B) {
	b.Run("sallyport", func(b *testing.B) {
		l, err := New(static{make([]byte, 259)}, testLog(io.Discard)).Listen("127.0.0.1:0", http2Options)
		if err != nil {
			b.Fatal(err)
		}
		l.Start()
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer nc.Close()
		benchmarkHTTP2(b, nc)
	})
	b.Run("net-http", func(b *testing.B) {
		content := make([]byte, 259)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = []string{"application/json"}
			_, _ = w.Write(content)
		}))
		var protocols http.Protocols
		protocols.SetUnencryptedHTTP2(true)
		s.Config.Protocols = &protocols
		s.Start()
		defer s.Close()
		nc, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer nc.Close()
		benchmarkHTTP2(b, nc)
	})
}

// benchmarkHTTP2 reports the CPU of both ends together.
func benchmarkHTTP2(b *testing.B, nc net.Conn) {
	const streams = 64
	c := startHTTP2(b, nc)
	send(b, nc, http2Preface)
	c.check(c.frames.WriteSettings())
	c.check(c.frames.WriteWindowUpdate(0, 1<<30))
	frames := http2.NewFramer(nc, nc)
	request := append([]byte(nil), c.block(":method: GET", ":scheme: http", ":authority: shop.example.com", ":path: /api/orders/4711?expand=items",
		"user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101", "accept: application/json, text/plain, */*",
		"accept-language: en-GB,en;q=0.5", "accept-encoding: gzip, deflate, br", "cookie: session=5f2b1c9d0e8a")...)
	// From the second on, all is in the compression's table.
	again := append([]byte(nil), c.block(":method: GET", ":scheme: http", ":authority: shop.example.com", ":path: /api/orders/4711?expand=items",
		"user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101", "accept: application/json, text/plain, */*",
		"accept-language: en-GB,en;q=0.5", "accept-encoding: gzip, deflate, br", "cookie: session=5f2b1c9d0e8a")...)
	id := uint32(1)
	ask := func() {
		c.check(frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: request, EndStream: true, EndHeaders: true}))
		id, request = id+2, again
	}
	for range streams {
		ask()
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for done, received := 0, 0; done < b.N; {
		f, err := frames.ReadFrame()
		if err != nil {
			b.Fatal(err)
		}
		if received += int(f.Header().Length); received > 1<<20 {
			c.check(frames.WriteWindowUpdate(0, uint32(received)))
			received = 0
		}
		if f.Header().Type == http2.FrameData && f.Header().Flags.Has(http2.FlagDataEndStream) {
			done++
			ask()
		}
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime returns how long this process has run on a processor.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // it cannot fail
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// TestHTTP2Allocates bounds what our side adds to net/http's own allocations, which are many.
func TestHTTP2Allocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l, err := New(static{make([]byte, 259)}, testLog(io.Discard)).Listen("127.0.0.1:0", http2Options)
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	nc := dial(t, l)
	frames := http2.NewFramer(nc, nc)
	send(t, nc, http2Preface)
	if err := frames.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := frames.WriteWindowUpdate(0, 1<<30); err != nil {
		t.Fatal(err)
	}
	block := append([]byte(nil), startHTTP2(t, nc).block(":method: GET", ":scheme: http", ":authority: x", ":path: /")...)
	id := uint32(1)
	got := testing.AllocsPerRun(1000, func() {
		if err := frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true}); err != nil {
			t.Fatal(err)
		}
		id += 2
		for {
			f, err := frames.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if f.Header().Flags.Has(http2.FlagDataEndStream) && f.Header().Type == http2.FrameData {
				return
			}
		}
	})
	if got > 75 {
		t.Errorf("got %v allocations, want at most 75", got)
	}
	t.Logf("%v allocations", got)
	nc.Close()
	if err := l.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHTTP2WithTLS hands over a connection as the TLS listener does.
func TestHTTP2WithTLS(t *testing.T) {
	l, _ := start(t, http2Options, func(x *exchange.Exchange) {
		if x.TLS == nil || x.TLS.NegotiatedProtocol != "h2" || x.Req.Scheme != "https" || !x.Req.Fields.Has("X-Forwarded-Proto") {
			t.Errorf("TLS %v, scheme %s", x.TLS, x.Req.Scheme)
		}
		tell(x)
	})
	s := httptest.NewUnstartedServer(nil) // only its certificate is wanted
	s.StartTLS()
	defer s.Close()
	config := &tls.Config{Certificates: s.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		nc, err := listener.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		if err := nc.(*tls.Conn).HandshakeContext(t.Context()); err != nil {
			t.Error(err)
			return
		}
		l.serveHTTP2(nc, nil)
	}()
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = true
	resp, err := transport.RoundTrip(httptest.NewRequest("GET", "https://"+listener.Addr().String()+"/a", nil))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasPrefix(string(got), "GET /a? ") || resp.ProtoMajor != 2 {
		t.Errorf("got %q, %v, %s", got, err, resp.Proto)
	}
	resp.Body.Close()
	transport.CloseIdleConnections()
	<-ended
}
