package upstream

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

// probing has the breakers of endpoints let probes through.
func probing(u *Upstream, places ...int) {
	for _, place := range places {
		b := u.all()[place].breaker
		b.mu.Lock()
		b.open(time.Now().Add(-b.openFor))
		b.mu.Unlock()
	}
}

func patientBreaker() *BreakerOptions {
	return &BreakerOptions{Failures: 3, OpenFor: time.Minute, MaxOpenFor: time.Minute, Probes: 1}
}

// TestProbeAlone: while one exchange tries an endpoint out, those that come too are told so, whether there are limits or not.
func TestProbeAlone(t *testing.T) {
	for name, limits := range map[string]LimitOptions{"without limits": {}, "with limits": {MaxRequests: 10}} {
		t.Run(name, func(t *testing.T) {
			release := make(chan bool)
			o := group(listen(t, holding(release)).address)
			o.Breaker, o.Limits = patientBreaker(), limits
			u := open(t, o)
			probing(u, 0)
			var answered sync.WaitGroup
			answered.Go(func() { ask(t, u, request("GET", "/")) })
			eventually(t, "the probe is out", func() bool { return active(u) == 1 })
			f := mustFail(t, u, request("GET", "/"), Send{}, fault.Unavailable)
			if !strings.HasPrefix(f.Reason, "circuit open") {
				t.Errorf("got %v", f)
			}
			close(release)
			answered.Wait()
			ask(t, u, request("GET", "/"))
		})
	}
}

// TestWaitBesideProbe: room is waited for no longer than it may be, also when an endpoint that is tried out has some.
func TestWaitBesideProbe(t *testing.T) {
	release := make(chan bool)
	o := group(listen(t, holding(release)).address, listen(t, holding(release)).address)
	o.Breaker, o.Limits = patientBreaker(), LimitOptions{MaxConnections: 2, MaxPending: 5, PendingTimeout: 20 * time.Millisecond}
	u := open(t, o)
	probing(u, 0)
	var answered sync.WaitGroup
	for range 3 {
		answered.Go(func() { ask(t, u, request("GET", "/")) })
		eventually(t, "they are in", func() bool { return active(u) > 0 })
	}
	eventually(t, "one is full and one is tried out", func() bool {
		e := u.Endpoints()
		return e[0].Active == 1 && e[1].Active == 2
	})
	refused := make(chan *fault.Fault)
	go func() { refused <- u.Do(request("GET", "/"), Send{}) }()
	select {
	case f := <-refused:
		if f == nil || !strings.HasPrefix(f.Reason, "upstream overflow") {
			t.Errorf("got %v", f)
		}
	case <-time.After(3 * time.Second):
		t.Error("it waits on")
		defer func() { <-refused }()
	}
	close(release)
	answered.Wait()
	for _, e := range u.all() {
		if e.entered != 0 {
			t.Errorf("%s: %d are in at the end", e.address, e.entered)
		}
	}
}
