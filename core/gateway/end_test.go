package gateway

import (
	"io"
	"log/slog"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
)

// watcher is a filter, and a Source: at its end, it notes whether it was closed before.
type watcher struct {
	closed int
	ends   []int
}

func (*watcher) Hooks() chain.Hooks { return chain.OnEnd }
func (*watcher) Request(*exchange.Exchange, int) (chain.Verdict, error) {
	return chain.Continue, nil
}
func (*watcher) Response(*exchange.Exchange, int) error { return nil }
func (w *watcher) End(*exchange.Exchange, int)          { w.ends = append(w.ends, w.closed) }
func (*watcher) Read([]byte) (int, error)               { return 0, io.EOF }
func (w *watcher) Close() error                         { w.closed++; return nil }

// A client that hangs up leaves a response that nobody has closed. The copier of the request's body ends with it, and until then
// what end hooks read, trailers above all, is being written.
func TestNothingIsUnderWayAtTheEnd(t *testing.T) {
	g := New(slog.New(slog.DiscardHandler))
	defer g.stopSweep()
	w := &watcher{}
	c, err := chain.Compile([]chain.Step{{Filter: w}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &Snapshot{}
	x := &exchange.Exchange{}
	s.pin(x.Shard)
	x.Pinned = &servedRoute{snapshot: s, chain: c}
	c.Request(x)
	x.Resp.Body.Source = w
	g.End(x)
	if len(w.ends) != 1 || w.ends[0] != 1 || w.closed != 1 {
		t.Errorf("closed before the ends: %v, in all: %d", w.ends, w.closed)
	}
}
