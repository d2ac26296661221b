package plugin

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// bodyReaders are the builds of a plugin that reads the request's body through its SDK.
var bodyReaders = []struct {
	name  string
	build func(t testing.TB) []byte
}{
	{"TinyGo", func(t testing.TB) []byte { return toolchain.TinyGo(t, "testdata/body-go") }},
	{"Go", func(t testing.TB) []byte { return toolchain.StockGo(t, "testdata/body-go") }},
	{"Rust", func(t testing.TB) []byte { return toolchain.Rust(t, "testdata/body-rust") }},
}

// newBodyReader returns a filter of that build, and an exchange whose body of n bytes is held.
func newBodyReader(t testing.TB, wasm []byte, n int) (chain.Filter, *exchange.Exchange) {
	t.Helper()
	h, _ := newHost(t)
	h.log = slog.New(slog.DiscardHandler)
	p, err := h.Load("body", wasm, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	x := newExchange()
	x.Req.Body = exchange.Body{Length: int64(n), Held: []byte(strings.Repeat("x", n))}
	return configure(t, p, nil).Filter("test", chain.Deny), x
}

func TestReadingABodyDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations differ under the race detector")
	}
	for _, reader := range bodyReaders {
		t.Run(reader.name, func(t *testing.T) {
			filter, x := newBodyReader(t, reader.build(t), 4<<10)
			got := testing.AllocsPerRun(1000, func() {
				if verdict, err := filter.Request(x, 0); err != nil || verdict != chain.Continue {
					t.Fatal(verdict, err)
				}
			})
			if got != 0 {
				t.Errorf("%v allocations, want none", got)
			}
		})
	}
}

func BenchmarkHookReadsBody(b *testing.B) {
	for _, reader := range bodyReaders {
		b.Run(reader.name, func(b *testing.B) {
			filter, x := newBodyReader(b, reader.build(b), 4<<10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.Request(x, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
