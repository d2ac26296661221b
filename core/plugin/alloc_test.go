package plugin

import (
	"log/slog"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

func TestHooksDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations differ under the race detector")
	}
	for _, tt := range []struct {
		name string
		want float64
	}{
		{"bare", 0},
		{"twocalls", 0},
		{"writes", 0}, // amortised: texts are cut off a chunk
	} {
		t.Run(tt.name, func(t *testing.T) {
			pool, _ := newPoolOf(t, tt.name, Limits{})
			filter, x := pool.Filter("test", chain.Deny), newExchange()
			got := testing.AllocsPerRun(2000, func() {
				if _, err := filter.Request(x, 0); err != nil {
					t.Fatal(err)
				}
			})
			if got > tt.want {
				t.Errorf("%v allocations, want %v", got, tt.want)
			}
		})
	}
}

func benchmark(b *testing.B, name string) {
	h, _ := newHost(b)
	h.log = slog.New(slog.DiscardHandler)
	pool := configure(b, load(b, h, name, Limits{}), nil)
	filter, x := pool.Filter("bench", chain.Deny), newExchange()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := filter.Request(x, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHookBare(b *testing.B)     { benchmark(b, "bare") }
func BenchmarkHookTwoCalls(b *testing.B) { benchmark(b, "twocalls") }
func BenchmarkHookWrites(b *testing.B)   { benchmark(b, "writes") }

func BenchmarkLease(b *testing.B) {
	pool, _ := newPoolOf(b, "bare", Limits{})
	b.ReportAllocs()
	for b.Loop() {
		i, err := pool.lease()
		if err != nil {
			b.Fatal(err)
		}
		pool.give(i)
	}
}

func BenchmarkStartInstance(b *testing.B) {
	pool, _ := newPoolOf(b, "bare", Limits{})
	b.ReportAllocs()
	for b.Loop() {
		i, err := startInstance(pool)
		if err != nil {
			b.Fatal(err)
		}
		i.close()
	}
}

// benchmarkCall runs a hook of one host call.
func benchmarkCall(b *testing.B, call step) {
	s := script{hooks: abi.HookRequest, request: []step{call}}
	g := newGrants(b)
	_ = g.Stores[""].Set("key", "value", 0)
	filter, x := newProbeWith(b, &s, g).Filter("bench", chain.Deny), newExchange()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := filter.Request(x, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallExchange(b *testing.B) { benchmarkCall(b, do("exchange")) }
func BenchmarkCallKVGet(b *testing.B)    { benchmarkCall(b, do("kv_get", "", "key", buf(64))) }
func BenchmarkCallKVAdd(b *testing.B) {
	benchmarkCall(b, do("kv_add", "", "n", int64(1), 0, pointer{}))
}
func BenchmarkCallMetricAdd(b *testing.B) {
	benchmarkCall(b, do("metric_add", "requests", labels("code", "200", "a", "b"), int64(1)))
}
