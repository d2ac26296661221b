package plugin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
)

func TestBreaker(t *testing.T) {
	var b breaker
	now := time.Unix(1000, 0)
	clock := func() time.Time { return now }
	fail := func(times int) (pause time.Duration) {
		for range times {
			pause = b.failed(now)
		}
		return pause
	}
	if got := fail(failuresToOpen - 1); got != 0 || !b.pass(clock) {
		t.Fatalf("open after %d failures", failuresToOpen-1)
	}
	if got := fail(1); got != firstPause || b.pass(clock) {
		t.Fatalf("got a pause of %v, want %v and nothing passing", got, firstPause)
	}
	if got := fail(1); got != 0 {
		t.Errorf("a hook that was running lengthened the pause: %v", got)
	}
	now = now.Add(firstPause)
	if !b.pass(clock) || b.pass(clock) {
		t.Error("one hook must pass after the pause, and one only")
	}
	if got := fail(1); got != 2*firstPause || b.pass(clock) {
		t.Errorf("got a pause of %v after a failed trial, want %v", got, 2*firstPause)
	}
	for range 10 {
		now = now.Add(lastPause)
		if !b.pass(clock) {
			t.Fatal("nothing passes after the longest pause")
		}
		fail(1)
	}
	if b.pause != lastPause {
		t.Errorf("the pause grew to %v, want %v", b.pause, lastPause)
	}
	now = now.Add(lastPause)
	if !b.pass(clock) || !b.succeeded() || !b.pass(clock) || b.succeeded() {
		t.Error("a success must close it, once")
	}
	fail(failuresToOpen)
	now = now.Add(firstPause)
	if !b.pass(clock) {
		t.Fatal("nothing passes after the pause")
	}
	if b.abandoned(); !b.pass(clock) || !b.succeeded() {
		t.Error("a trial that never ran must leave room for the next")
	}
	if got := fail(failuresToOpen); got != firstPause {
		t.Errorf("got a pause of %v, want %v again", got, firstPause)
	}
}

func TestPluginThatKeepsFailingIsLeftAlone(t *testing.T) {
	pool, book := newPoolOf(t, "loop", Limits{Fuel: 2000, Slice: 1000})
	filter := pool.Filter("test", chain.Deny)
	for range failuresToOpen {
		if _, err := filter.Request(newExchange(), 0); err == nil {
			t.Fatal("no failure")
		}
	}
	pool.breaker.mu.Lock()
	pool.breaker.until = time.Now().Add(time.Hour) // the first pause is short, and the machine may be slow
	pool.breaker.mu.Unlock()
	calls := pool.Stats().Calls
	_, err := filter.Request(newExchange(), 0)
	if !errors.Is(err, errOpen) || pool.Stats().Calls != calls || !pool.Stats().Open {
		t.Errorf("got %v, stats %+v", err, pool.Stats())
	}
	warned := slices.ContainsFunc(book.lines(t), func(line map[string]any) bool {
		return strings.Contains(fmt.Sprint(line["msg"]), "keeps failing") && line["pause"] == firstPause.String()
	})
	if !warned {
		t.Errorf("the log does not tell, or not for how long: %v", book.lines(t))
	}
}
