package gateway

import (
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
)

func TestShelf(t *testing.T) {
	var s shelf[int]
	built, closed := 0, 0
	build := func() (int, error) { built++; return built, nil }
	closing := func(int) { closed++ }
	first, release1, _ := s.take("k", build, closing)
	again, release2, _ := s.take("k", build, closing)
	if first != again || built != 1 || len(s.all()) != 1 {
		t.Errorf("an equal key was built anew: %d, %d", first, again)
	}
	release1()
	if closed != 0 {
		t.Error("closed while somebody uses it")
	}
	release2()
	if closed != 1 || len(s.all()) != 0 {
		t.Errorf("closed %d times after the last user had gone", closed)
	}
	if third, _, _ := s.take("k", build, closing); third == first {
		t.Error("a closed thing was given out")
	}
	if _, _, err := s.take("bad", func() (int, error) { return 0, errors.New("no") }, closing); err == nil || len(s.all()) != 1 {
		t.Error("what could not be built is on the shelf")
	}
}

// A Snapshot is never closed while an exchange has it pinned, and always once the last one has ended.
func TestPinWhileSwapping(t *testing.T) {
	g := New(slog.New(slog.DiscardHandler))
	defer g.stopSweep()
	var opened, closed atomic.Int64
	var gone sync.Map // of the closed ones
	publish := func() *Snapshot {
		s := &Snapshot{}
		s.releases = append(s.releases, func() { gone.Store(s, true); closed.Add(1) })
		opened.Add(1)
		return s
	}
	isGone := func(s *Snapshot) bool { _, ok := gone.Load(s); return ok }
	g.current.Store(publish())
	var stop atomic.Bool
	var wait sync.WaitGroup
	for shard := range uint32(8) {
		wait.Go(func() {
			x := &exchange.Exchange{Shard: shard}
			for !stop.Load() {
				s := g.pin(x)
				if isGone(s) {
					t.Error("a closed Snapshot was pinned")
					return
				}
				runtime.Gosched()
				if isGone(s) {
					t.Error("a pinned Snapshot was closed")
					return
				}
				g.unpin(x)
				g.unpin(x) // a second time does nothing
			}
		})
	}
	for range 3000 {
		g.current.Swap(publish()).retire()
	}
	stop.Store(true)
	wait.Wait()
	g.current.Load().retire()
	for closed.Load() != opened.Load() {
		runtime.Gosched()
	}
}
