package plugin

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// atOnce answers fetches without any work.
type atOnce struct{}

func (atOnce) Fetch(x *exchange.Exchange, _ time.Time) *fault.Fault {
	x.Resp.Status = 200
	x.Resp.Fields.Add("X-User", "jo")
	return nil
}

// benchmarkRequests runs a filter's request hook over fresh exchanges.
func benchmarkRequests(b *testing.B, filter chain.Filter) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		x := newExchange()
		if _, err := filter.Request(x, 0); err != nil {
			b.Fatal(err)
		}
		exchanges.Put(x)
	}
}

// BenchmarkHookFetches is a hook that does nothing but wait for a fetch in place; none is the same hook without it.
func BenchmarkHookFetches(b *testing.B) {
	for name, steps := range map[string][]step{"none": nil, "one": {do("fetch", "auth", "", "", 0)}} {
		b.Run(name, func(b *testing.B) {
			pool, _ := newFetchingProbe(b, &script{hooks: abi.HookRequest, request: steps}, map[string]Fetcher{"auth": atOnce{}})
			benchmarkRequests(b, pool.Filter("test", chain.Deny))
		})
	}
}

// sdkFilter configures a plugin that is built with an SDK.
func sdkFilter(t testing.TB, wasm []byte) *filter {
	t.Helper()
	h, _ := newHost(t)
	h.log = slog.New(slog.DiscardHandler)
	p, err := h.Load("sdk", wasm, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	pool := configure(t, p, nil)
	pool.grants.Upstreams = map[string]Fetcher{"auth": atOnce{}}
	return pool.Filter("test", chain.Deny).(*filter)
}

// BenchmarkExtAuth is what that example costs: two fetches at once, a wait, and a decision.
func BenchmarkExtAuth(b *testing.B) {
	const golang, rust = "../../examples/ext-auth-go", "../gatewaytest/testdata/ext-auth-rust"
	b.Run("TinyGo", func(b *testing.B) { benchmarkRequests(b, sdkFilter(b, toolchain.TinyGo(b, golang))) })
	b.Run("Go", func(b *testing.B) { benchmarkRequests(b, sdkFilter(b, toolchain.StockGo(b, golang))) })
	b.Run("Rust", func(b *testing.B) { benchmarkRequests(b, sdkFilter(b, toolchain.Rust(b, rust))) })
}

// chunkPlugins are the builds of a plugin that masks digits.
var chunkPlugins = []struct {
	name  string
	build func(t testing.TB) []byte
}{
	{"TinyGo", func(t testing.TB) []byte { return toolchain.TinyGo(t, "../gatewaytest/testdata/stream-go") }},
	{"Go", func(t testing.TB) []byte { return toolchain.StockGo(t, "../gatewaytest/testdata/stream-go") }},
	{"Rust", func(t testing.TB) []byte { return toolchain.Rust(t, "../gatewaytest/testdata/stream-rust") }},
}

// passing returns a function that has a piece of a body pass a filter's hook.
func passing(t testing.TB, f *filter, text string) func() {
	x, piece := newExchange(), []byte(text)
	c := &chunk{hook: onResponseChunk}
	return func() {
		c.bytes = piece
		if _, err := f.run(task{hook: c.hook, x: x, chunk: c}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChunkHooksDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations differ under the race detector")
	}
	for _, p := range chunkPlugins {
		t.Run(p.name, func(t *testing.T) {
			pass := passing(t, sdkFilter(t, p.build(t)), strings.Repeat("7", chunkSize))
			if got := testing.AllocsPerRun(100, pass); got != 0 {
				t.Errorf("%v allocations, want none", got)
			}
		})
	}
}

// BenchmarkChunk has 16 KiB masked, copies included; one byte that the probe has left out shows what the hook itself costs.
func BenchmarkChunk(b *testing.B) {
	bench := func(b *testing.B, f *filter, text string) {
		pass := passing(b, f, text)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			pass()
		}
	}
	for _, p := range chunkPlugins {
		b.Run(p.name, func(b *testing.B) { bench(b, sdkFilter(b, p.build(b)), strings.Repeat("7", chunkSize)) })
	}
	b.Run("one byte", func(b *testing.B) {
		pool, _ := newProbe(b, &script{hooks: abi.HookResponseChunks})
		bench(b, pool.Filter("test", chain.Deny).(*filter), "-")
	})
}
