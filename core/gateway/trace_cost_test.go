//go:build !race

package gateway

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/telemetry"
	"github.com/sallyport/sallyport/core/trace"
)

const someParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"

// traced has an exchange begin, enter a route and end, as often as it is called.
func traced(sink *telemetry.Traces, share float64, parent string) (once func()) {
	t := &tracing{sink: sink, share: trace.NewShare(share), trustsAll: true}
	x := (&exchange.Pool{}).Get()
	r := &servedRoute{pattern: "/a/:b"}
	return func() {
		x.Trace = trace.Trace{}
		x.Times.Start = time.Unix(1, 0)
		x.Times.End = x.Times.Start
		f := &x.Req.Fields
		f.Reset()
		f.Add("Accept", "*/*")
		f.Add("User-Agent", "test")
		f.Add("Accept-Encoding", "identity")
		f.Add("X-Request-Id", "0af7651916cd43dd8448eb211c80319c")
		f.Add("X-Forwarded-For", "127.0.0.1")
		f.Add("X-Forwarded-Proto", "http")
		if parent != "" {
			f.Add("traceparent", parent)
			f.Add("tracestate", "a=1,b@c=2")
		}
		t.begin(x)
		t.enter(x, r)
		endTrace(x)
	}
}

func TestTracingAllocates(t *testing.T) {
	tests := []struct {
		name   string
		share  float64
		parent string
		most   float64
	}{
		{"a new trace, not sampled", 0, "", 0.1}, // the room of texts is taken 16 KiB at once
		{"not sampled by the caller", 0, someParent + "0", 0.1},
		{"sampled", 1, "", 3.1}, // its name and its texts; nobody takes the spans
		{"sampled by the caller", 0, someParent + "1", 3.1},
	}
	for _, tt := range tests {
		once := traced(&telemetry.Traces{}, tt.share, tt.parent)
		once()
		n := 0.0
		for range 10 { // AllocsPerRun rounds down
			n += testing.AllocsPerRun(1, func() {
				for range 1000 {
					once()
				}
			})
		}
		if n /= 10_000; n > tt.most {
			t.Errorf("%s: got %v allocations, want at most %v", tt.name, n, tt.most)
		}
	}
}

func BenchmarkTracing(b *testing.B) {
	for _, bb := range []struct {
		name, parent string
		share        float64
	}{{"none", "", 0}, {"parent", someParent + "0", 0}, {"sampled", "", 1}} {
		b.Run(bb.name, func(b *testing.B) {
			once := traced(&telemetry.Traces{}, bb.share, bb.parent)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
	b.Run("without", func(b *testing.B) { // what the benchmark itself costs
		x := (&exchange.Pool{}).Get()
		f := &x.Req.Fields
		for b.Loop() {
			f.Reset()
			for _, name := range []string{"Accept", "User-Agent", "Accept-Encoding", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Proto"} {
				f.Add(name, "x")
			}
		}
	})
}
