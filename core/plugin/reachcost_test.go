package plugin

import (
	"log/slog"
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
func sdkFilter(b *testing.B, wasm []byte) *filter {
	b.Helper()
	h, _ := newHost(b)
	h.log = slog.New(slog.DiscardHandler)
	p, err := h.Load("sdk", wasm, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	pool := configure(b, p, nil)
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

// BenchmarkChunk has 16 KiB masked, which is what the guest does with them.
func BenchmarkChunk(b *testing.B) {
	const golang, rust = "../gatewaytest/testdata/stream-go", "../gatewaytest/testdata/stream-rust"
	run := func(b *testing.B, wasm []byte) {
		f, x := sdkFilter(b, wasm), newExchange()
		c := &chunk{hook: onResponseChunk}
		piece := make([]byte, chunkSize)
		b.SetBytes(chunkSize)
		b.ReportAllocs()
		for b.Loop() {
			c.bytes = piece
			if _, err := f.run(task{hook: c.hook, x: x, chunk: c}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("TinyGo", func(b *testing.B) { run(b, toolchain.TinyGo(b, golang)) })
	b.Run("Go", func(b *testing.B) { run(b, toolchain.StockGo(b, golang)) })
	b.Run("Rust", func(b *testing.B) { run(b, toolchain.Rust(b, rust)) })
	b.Run("one byte, dropped", func(b *testing.B) {
		pool, _ := newProbe(b, &script{hooks: abi.HookResponseChunks})
		f, x := pool.Filter("test", chain.Deny).(*filter), newExchange()
		c := &chunk{hook: onResponseChunk}
		dropped := []byte("-") // the probe looks at the first byte and has the piece left out
		b.ReportAllocs()
		for b.Loop() {
			c.bytes = dropped
			if _, err := f.run(task{hook: c.hook, x: x, chunk: c}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
