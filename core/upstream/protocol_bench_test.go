//go:build unix

package upstream

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// serveLean answers each stream at the least cost: 200 and 259 bytes.
func serveLean(w io.Writer, in io.Reader) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(in, preface); err != nil {
		return
	}
	out := bufio.NewWriter(w)
	f := http2.NewFramer(out, in)
	f.SetReuseFrames()
	_ = f.WriteSettings()
	_ = out.Flush()
	content := []byte(strings.Repeat("x", 259))
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: frame.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true})
			_ = f.WriteData(frame.StreamID, true, content)
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.PingFrame:
			_ = f.WritePing(true, frame.Data)
		}
		_ = out.Flush()
	}
}

const leanAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 259\r\n\r\n"

// BenchmarkProtocols compares what an exchange costs by the upstream's protocol, its lean server included: one at a time, and 64
// together.
func BenchmarkProtocols(b *testing.B) {
	a := newAuthority(b)
	answer := leanAnswer + strings.Repeat("x", 259)
	config := func(protocol string) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{a.issue("127.0.0.1", inAnHour())}, NextProtos: []string{protocol}}
	}
	secure := TLSOptions{Roots: a.pool()}
	for name, o := range map[string]Options{
		"http1": group(listen(b, always(answer)).address),
		"http1-tls": secureGroup("http/1.1", secure, listen(b, func(w *wire) {
			c := tls.Server(w.TCPConn, config("http/1.1"))
			for in := bufio.NewReader(c); skipHead(in) == nil; {
				_, _ = io.WriteString(c, answer)
			}
		}).address),
		"h2c": h2c(listen(b, func(w *wire) { serveLean(w, w.in) }).address),
		"h2": secureGroup("h2", secure, listen(b, func(w *wire) {
			c := tls.Server(w.TCPConn, config("h2"))
			serveLean(c, bufio.NewReader(c))
		}).address),
	} {
		for _, together := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, together), func(b *testing.B) { benchmarkProtocol(b, o, together) })
		}
	}
}

func benchmarkProtocol(b *testing.B, o Options, together int) {
	u := open(b, o)
	ask(b, u, request("GET", "/"))
	b.ReportAllocs()
	b.ResetTimer()
	began := cpuTime()
	var all sync.WaitGroup
	for i := range together {
		all.Go(func() {
			x, p := request("GET", "/orders/42"), make([]byte, 1024)
			for _, field := range []string{"User-Agent", "Accept", "X-Api-Key"} {
				x.Req.Fields.Add(field, "something")
			}
			for range (b.N + i) / together {
				if f := u.Do(x, Send{Host: "api.example.com"}); f != nil {
					b.Error(f)
					return
				}
				for err := error(nil); err == nil; {
					_, err = x.Resp.Body.Read(p)
				}
				x.Resp.Reset()
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// cpuTime returns what the process has used.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
