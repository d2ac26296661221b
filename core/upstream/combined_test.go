package upstream

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
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
	case <-time.After(30 * time.Second):
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

// TestReloadGoesOn: an Upstream that is made anew, since another option has changed, goes on where the former one was: a weight that rises
// rises on, an open breaker stays open, and who joins at that moment begins as small as ever.
func TestReloadGoesOn(t *testing.T) {
	o := group("127.0.0.1:1", "127.0.0.1:2")
	o.Policy, o.Balance.SlowStart, o.Breaker = "ewma", time.Hour, patientBreaker()
	former := open(t, o)
	list := append(o.Endpoints, EndpointOptions{Address: "127.0.0.1:3"})
	if err := former.Update(list); err != nil {
		t.Fatal(err)
	}
	b := former.all()[0].breaker
	b.mu.Lock()
	b.open(time.Now())
	b.mu.Unlock()
	former.all()[1].latency.Observe(time.Second, time.Now().UnixNano())

	o.Former, o.Endpoints, o.MaxIdle = former, append(list, EndpointOptions{Address: "127.0.0.1:4"}), 1
	next := open(t, o)
	e := next.Endpoints()
	for i, want := range []bool{true, true, false, false} {
		if whole := e[i].Effective == 1; whole != want {
			t.Errorf("%s: a weight of %g", e[i].Address, e[i].Effective)
		}
	}
	if e[0].Breaker != "open" || e[0].Opened != 1 || e[1].Breaker != "closed" || !next.all()[0].breaker.reopens().Equal(b.reopens()) {
		t.Errorf("breakers: %+v", e[:2])
	}
	if next.all()[1].latency.At(time.Now().UnixNano()) == 0 {
		t.Error("the latency is forgotten")
	}
}

// TestProbeOverReload: a breaker that is tried out when its Upstream is made anew lets another probe through.
func TestProbeOverReload(t *testing.T) {
	release := make(chan bool)
	o := group(listen(t, holding(release)).address)
	o.Breaker = patientBreaker()
	former := open(t, o)
	probing(former, 0)
	var answered sync.WaitGroup
	answered.Go(func() { ask(t, former, request("GET", "/")) })
	eventually(t, "the probe is out", func() bool { return active(former) == 1 })
	o.Former = former
	next := open(t, o)
	if got := next.Endpoints()[0].Breaker; got != "half_open" {
		t.Errorf("it is %s, want half_open", got)
	}
	close(release)
	answered.Wait()
	ask(t, next, request("GET", "/"))
	if got := next.Endpoints()[0].Breaker; got != "closed" {
		t.Errorf("it is %s, want closed", got)
	}
}

// TestRetryAfterChange: whom a retry goes to is chosen among the endpoints that there are by then, not among those of the first try.
func TestRetryAfterChange(t *testing.T) {
	for name, retry := range map[string]*RetryOptions{"plain": nil, "with care": {On: []string{"reset"}, Backoff: time.Millisecond, MaxBackoff: time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			fresh := listen(t, always(okAnswer)).address
			dead := deadAddress(t)
			var u *Upstream
			first := listen(t, func(w *wire) {
				_, _ = w.request()
				if err := u.Update(group(fresh).Endpoints); err != nil {
					t.Error(err)
				}
				w.reset()
			}).address
			o := group(first, dead)
			o.Retries, o.Retry = 1, retry
			u = open(t, o)
			if got := ask(t, u, request("GET", "/")); got != "ok" {
				t.Errorf("got %q", got)
			}
			if s := u.Endpoints(); len(s) != 1 || s[0].Requests != 1 {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// TestWaitAfterChange: an endpoint that joins has room for those who wait for it elsewhere.
func TestWaitAfterChange(t *testing.T) {
	release := make(chan bool)
	o := group(listen(t, holding(release)).address)
	o.Limits = LimitOptions{MaxConnections: 1, MaxPending: 5, PendingTimeout: time.Minute}
	u := open(t, o)
	var answered sync.WaitGroup
	answered.Go(func() { ask(t, u, request("GET", "/")) })
	eventually(t, "the first is in", func() bool { return active(u) == 1 })
	waiting := make(chan string)
	go func() { waiting <- ask(t, u, request("GET", "/")) }()
	eventually(t, "the second waits", func() bool { return u.State().Pending == 1 })
	if err := u.Update(append(o.Endpoints, group(listen(t, always(okAnswer)).address).Endpoints...)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-waiting:
	case <-time.After(30 * time.Second):
		t.Error("it waits on")
		defer func() { <-waiting }()
	}
	close(release)
	answered.Wait()
}

// bomb is a client whose engine breaks.
type bomb struct{ client }

func (*bomb) Interim(int, *header.Fields) error { panic("broken") }

// TestPanicGivesRoomBack: an exchange that breaks on its way holds nothing of the limits, the budget or the breaker afterwards.
func TestPanicGivesRoomBack(t *testing.T) {
	o := group(listen(t, always("HTTP/1.1 103 Early Hints\r\n\r\n"+okAnswer)).address)
	o.Limits, o.Breaker = LimitOptions{MaxConnections: 1, MaxRequests: 1}, patientBreaker()
	u := open(t, o)
	probing(u, 0)
	x := request("GET", "/")
	x.Client = &bomb{}
	func() {
		defer func() { _ = recover() }()
		_ = u.Do(x, Send{})
		t.Error("it did not break")
	}()
	if got := ask(t, u, request("GET", "/")); got != "ok" || active(u) != 0 || u.care.budget.trying.Load() != 0 {
		t.Errorf("got %q, %d in flight", got, active(u))
	}
}
