package engine

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

// startStaticTLS is startStatic over TLS.
func startStaticTLS(t testing.TB) (net.Conn, int) {
	pair := certs.New(t, "shop.example.com")
	l, err := New(static{make([]byte, 259)}, testLog(io.Discard)).Listen("127.0.0.1:0", Options{TLS: NewTLS(secureWith(pair))})
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	nc, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "shop.example.com", RootCAs: pair.Pool})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		nc.Close()
		drainNow(t, l)
	})
	buf := make([]byte, 4096)
	send(t, nc, typicalRequest)
	n, err := nc.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return nc, n
}

// TestExchangeOverTLSAllocates: crypto/tls allocates 24 bytes for each read of a socket, on either side of this connection.
func TestExchangeOverTLSAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	nc, size := startStaticTLS(t)
	request, answer := []byte(typicalRequest), make([]byte, size)
	exchange := func() {
		if _, err := nc.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(nc, answer); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 * enoughLooks {
		exchange()
	}
	if got := testing.AllocsPerRun(2000, exchange); got > 2 {
		t.Errorf("got %v allocations, want 2: the client's read and the server's", got)
	}
}

func BenchmarkExchangeOverTLS(b *testing.B) {
	nc, size := startStaticTLS(b)
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
