package plugin

import (
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
)

// burst has so many exchanges at once pass a plugin, and returns how many instances there are then.
func burst(t testing.TB, pool *Pool, n int) int {
	filter := pool.Filter("test", chain.Deny)
	var ready, all sync.WaitGroup
	start := make(chan struct{})
	for range n {
		ready.Add(1)
		all.Go(func() {
			x := newExchange()
			ready.Done()
			<-start
			if _, err := filter.Request(x, 0); err != nil {
				t.Error(err)
			}
		})
	}
	ready.Wait()
	close(start)
	all.Wait()
	return pool.Stats().Instances
}

// BenchmarkBurst tells how many instances there are after 10 000 exchanges have come at once.
func BenchmarkBurst(b *testing.B) {
	for _, reader := range bodyReaders {
		b.Run(reader.name, func(b *testing.B) {
			wasm, instances := reader.build(b), 0
			h, _ := newHost(b)
			for b.Loop() {
				b.StopTimer()
				p, err := h.Load("body", wasm, Limits{})
				if err != nil {
					b.Fatal(err)
				}
				pool := configure(b, p, nil)
				b.StartTimer()
				instances += burst(b, pool, 10_000)
				b.StopTimer()
				p.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(instances)/float64(b.N), "instances")
		})
	}
}
