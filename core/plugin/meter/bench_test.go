package meter

import "testing"

// BenchmarkRewrite measures the meter itself on what a toolchain builds.
func BenchmarkRewrite(b *testing.B) {
	for _, c := range toolchains {
		b.Run(c.name, func(b *testing.B) {
			wasm := c.guest(b)
			b.SetBytes(int64(len(wasm)))
			b.ReportAllocs()
			var out int
			for b.Loop() {
				m, err := Rewrite(wasm, Limits{})
				if err != nil {
					b.Fatal(err)
				}
				out = len(m.Wasm)
			}
			b.ReportMetric(100*float64(out-len(wasm))/float64(len(wasm)), "%growth")
		})
	}
}

// BenchmarkGuest compares plain and metered work.
func BenchmarkGuest(b *testing.B) {
	for _, c := range toolchains {
		b.Run(c.name, func(b *testing.B) {
			wasm := c.guest(b)
			h := newHost(b)
			h.cfg = h.cfg.WithStartFunctions("_initialize")
			p, m := mustStart(b, h, wasm), mustStart(b, h, mustRewrite(b, wasm, Limits{}).Wasm)
			for _, w := range guestWork {
				b.Run(w.export+"/plain", func(b *testing.B) { work(b, p, w.export, w.size) })
				b.Run(w.export+"/metered", func(b *testing.B) { work(b, m, w.export, w.size) })
			}
		})
	}
}

// BenchmarkEmptyLoop counts to a million.
func BenchmarkEmptyLoop(b *testing.B) {
	h := newHost(b)
	wasm := fixture(b, "control")
	p, m := mustStart(b, h, wasm), mustStart(b, h, mustRewrite(b, wasm, Limits{}).Wasm)
	b.Run("plain", func(b *testing.B) { work(b, p, "loop", 1_000_000) })
	b.Run("metered", func(b *testing.B) { work(b, m, "loop", 1_000_000) })
}

// BenchmarkRefill is the price of one slice's end: the guest calls the host and comes back.
func BenchmarkRefill(b *testing.B) {
	h := newHost(b)
	h.slice = 1
	i := mustStart(b, h, mustRewrite(b, fixture(b, "control"), Limits{}).Wasm)
	const rounds = 1000
	for b.Loop() {
		if _, _, err := i.call("loop", rounds); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rounds, "ns/refill")
}

func work(b *testing.B, i *instance, export string, size uint64) {
	var spent int64
	for b.Loop() {
		var err error
		if _, spent, err = i.call(export, size); err != nil {
			b.Fatal(err)
		}
	}
	if spent > 0 {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(spent), "ns/unit")
	}
}
