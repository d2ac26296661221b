package plugin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
)

func TestFailuresAreRemembered(t *testing.T) {
	pool, _ := newPoolOf(t, "flaky", Limits{MaxInstances: 1})
	filter := pool.Filter("routes[0].filters[1]", chain.Deny)
	p := pool.Plugin()
	if got := p.Failures(); got != nil {
		t.Errorf("before any: %v", got)
	}
	began := time.Now()
	const failed = keptFailures + 3 // each but the first hook
	for n := range failed + 1 {
		x := newExchange()
		x.ID = fmt.Sprint("req-", n)
		if _, err := filter.Request(x, 0); err != nil {
			t.Fatal(err)
		}
	}
	got := p.Failures()
	if len(got) != keptFailures {
		t.Fatalf("%d failures are remembered, want %d", len(got), keptFailures)
	}
	for i, r := range got {
		if want := fmt.Sprint("req-", failed-i); r.RequestID != want {
			t.Errorf("failure %d is of %s, want %s", i, r.RequestID, want)
		}
	}
	r := got[0]
	if r.Time.Before(began) || r.Route != "orders" || r.Where != "routes[0].filters[1]" || r.Export != "on_request" || r.Cause != Trap || !r.Retried {
		t.Errorf("got %+v", r)
	}
	if strings.Contains(r.Error, "\n") || !strings.Contains(r.Error, "on_request failed (trap)") || !strings.Contains(r.Stack, "wasm stack trace") {
		t.Errorf("error %q, stack %q", r.Error, r.Stack)
	}
}
