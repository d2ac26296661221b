//go:build !race

package gatewaytest

import (
	"testing"
)

const tracedRoute = `
[[routes]]
name = "plain"
path = "/orders/:id"
upstream = "b"
`

// Traces that are not sampled cost no allocation.
func TestTracingAllocationsPerRequest(t *testing.T) {
	c := startCollector(t, nil)
	for name, tracing := range map[string]string{"off": "", "not sampled": "[tracing]\nsample = 0\notlp.endpoint = \"" + c.grpc + "\"\n"} {
		g := Start(t, tracing+routes(bareBackend(t), tracedRoute))
		peer := newClient(t, g.Addr, smallRequest)
		for range 100 {
			peer.do()
		}
		if n := testing.AllocsPerRun(2000, peer.do); n > 1 {
			t.Errorf("%s: got %v allocations, want 1 at most", name, n)
		}
	}
}

func BenchmarkTracedRequest(b *testing.B) {
	c := startCollector(b, nil)
	for _, bb := range []struct{ name, tracing string }{
		{"off", ""}, {"none", "[tracing]\nsample = 0\notlp.endpoint = \"" + c.grpc + "\"\n"}, {"all", tracingTOML(c.grpc, "")},
	} {
		b.Run(bb.name, func(b *testing.B) {
			g := Start(b, bb.tracing+routes(bareBackend(b), tracedRoute))
			peer := newClient(b, g.Addr, smallRequest)
			b.ReportAllocs()
			for b.Loop() {
				peer.do()
			}
			b.StopTimer()
			if s := g.Status().Traces; s != nil {
				b.ReportMetric(float64(s.Dropped), "dropped")
			}
		})
	}
}
