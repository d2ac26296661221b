package upstream

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, p := hospital(t, func(o *Options) { o.Eject = plainEject() }, "a:1", "b:1")
		drain := func(address string, drained bool) {
			t.Helper()
			if err := u.Drain(address, drained); err != nil {
				t.Fatal(err)
			}
		}
		drain("a:1", true)
		wantUsable(t, u, "b")
		drain("a:1", true)
		p.set("a:1", true)
		time.Sleep(5 * time.Second)
		if why := u.Endpoints()[0].Standing.Why; !slices.Equal(why, []string{"check_failed", "drained"}) {
			t.Errorf("a is out for %v, want check_failed and drained", why)
		}
		drain("a:1", false)
		wantUsable(t, u, "b") // it is still sick
		p.set("a:1", false)
		time.Sleep(15 * time.Second)
		wantUsable(t, u, "a b")
		if err := u.Drain("c:1", true); err == nil {
			t.Error("draining an endpoint that there is not: want an error")
		}
		drain("a:1", true)
		drain("b:1", true)
		if f := u.Do(request("GET", "/"), Send{}); f == nil || f.Kind != fault.Unavailable || f.Reason != "no usable endpoint" {
			t.Errorf("got %v, want 503 with a reason of its own", f)
		}
		update(t, u)
		if f := u.Do(request("GET", "/"), Send{}); f == nil || f.Kind != fault.Unavailable || f.Reason != "no endpoint" {
			t.Errorf("got %v, want 503 and that there is no endpoint", f)
		}
	})
}

// A change of weight is no change of standing.
func TestStandingStaysWithTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, p := hospital(t, func(o *Options) { o.Eject = plainEject() }, "a:1", "b:1", "c:1")
		time.Sleep(soon)
		joined := u.Endpoints()[0].Standing.Joined
		tries(u, "a:1", 5, outcomeConnect)
		p.set("b:1", true)
		time.Sleep(3 * time.Second)
		wantUsable(t, u, "c")
		list := group("a:1", "b:1", "c:1").Endpoints
		for i := range list {
			list[i].Weight = 7
		}
		if err := u.Update(list); err != nil {
			t.Fatal(err)
		}
		wantUsable(t, u, "c")
		if got := u.Endpoints()[0]; got.Weight != 7 || got.Standing.Joined != joined {
			t.Errorf("got %+v, want the new weight and the old standing", got)
		}
		asked := p.count("c:1")
		time.Sleep(10 * time.Second)
		if n := p.count("c:1") - asked; n < 9 || n > 11 {
			t.Errorf("%d checks in ten seconds, want one a second as before", n)
		}
		time.Sleep(30 * time.Second)
		wantUsable(t, u, "a c")
	})
}

// A new Upstream of the name goes on from what the former knows.
func TestStandingSurvivesReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		former, p := hospital(t, func(o *Options) { o.Eject = plainEject() }, "a:1", "b:1", "c:1", "d:1", "gone:1")
		time.Sleep(soon)
		p.set("a:1", true)
		if err := former.Drain("b:1", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		tries(former, "c:1", 5, outcomeTimeout)
		tries(former, "d:1", 4, outcomeTimeout)
		wantUsable(t, former, "d gone")

		o := group()
		o.Health, o.Eject, o.Former, o.Policy = plainHealth(), plainEject(), former, "least_request"
		o.Health.Interval, o.Health.UnhealthyInterval = time.Second, 10*time.Second
		next := admit(t, o, p, "a:1", "b:1", "c:1", "d:1", "new:1")
		former.Close()
		wantUsable(t, next, "d")
		for i, want := range []string{"check_failed", "drained", "ejected", "", "unchecked"} {
			state := next.Endpoints()[i]
			if why := append(state.Standing.Why, "")[0]; why != want {
				t.Errorf("%s is out for %q, want %q", state.Address, why, want)
			}
			if was := former.Endpoints()[i].Standing; i < 4 && (state.Standing.Joined != was.Joined || state.Standing.Since != was.Since) {
				t.Errorf("%s: got %+v, want what was known: %+v", state.Address, state.Standing, was)
			}
		}
		gone := p.count("gone:1")
		tries(next, "d:1", 1, outcomeTimeout) // the fifth, but others are as good as none
		wantUsable(t, next, "d")
		p.set("a:1", false)
		time.Sleep(20 * time.Second)
		wantUsable(t, next, "a d new")
		time.Sleep(20 * time.Second) // the ejection is over when it would have been
		wantUsable(t, next, "a c d new")
		if p.count("gone:1") != gone {
			t.Error("an endpoint that is not there any more was checked")
		}
		next.Close()

		plain := admit(t, Options{Name: "test", Policy: "round_robin", Former: next}, nil, "a:1", "b:1")
		wantUsable(t, plain, "a") // the operator's word does not need a table
		again := admit(t, Options{Name: "test", Policy: "round_robin"}, nil, "a:1", "b:1")
		again.TakeDrains(plain)
		wantUsable(t, again, "a")
	})
}

// Without its table, nothing would ever undo what it did.
func TestStandingWithoutTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		former, p := hospital(t, func(o *Options) { o.Eject = plainEject() }, "a:1", "b:1", "c:1")
		p.set("a:1", true)
		tries(former, "b:1", 5, outcomeBroken)
		time.Sleep(5 * time.Second)
		wantUsable(t, former, "c")
		next := admit(t, Options{Name: "test", Policy: "round_robin", Former: former}, nil, "a:1", "b:1", "c:1")
		wantUsable(t, next, "a b c")
	})
}

// Everything at once, for the race detector; at the end all are usable and nothing hangs.
func TestStandingHammer(t *testing.T) {
	o := group()
	o.Health, o.Eject = plainHealth(), plainEject()
	o.Health.Interval, o.Health.UnhealthyInterval, o.Health.Unhealthy = time.Millisecond, time.Millisecond, 1
	o.Eject.BaseTime, o.Eject.MaxTime, o.Eject.Interval = time.Millisecond, 2*time.Millisecond, time.Millisecond
	o.Eject.SuccessRate = &RateOptions{Factor: 0.5, MinRequests: 5, MinHosts: 2}
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	var calm atomic.Bool
	var asked atomic.Int64
	u.checker.ask = func(*check) error {
		if asked.Add(1)%3 == 0 && !calm.Load() {
			return errSick
		}
		return nil
	}
	transport := &fading{}
	transport.fails.Store(true)
	u.transport = transport
	update(t, u, "a:1", "a:2", "b:1", "b:2")
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range 2000 {
				x := request("GET", "/")
				if f := u.Do(x, Send{}); f != nil && f.Kind != fault.BadGateway && f.Kind != fault.Unavailable {
					t.Errorf("got %v", f)
				}
			}
		})
	}
	running.Go(func() {
		for i := range 200 {
			update(t, u, [][]string{{"a:1", "a:2", "b:1", "b:2"}, {"a:1", "b:1", "c:1"}, {"b:1"}}[i%3]...)
			_ = u.Drain("b:1", i%2 == 0)
			_ = u.Endpoints()
		}
	})
	running.Wait()
	calm.Store(true)
	transport.fails.Store(false)
	if err := u.Drain("b:1", false); err != nil {
		t.Fatal(err)
	}
	update(t, u, "a:1", "b:1", "c:1")
	eventually(t, "all are usable", func() bool { return usable(u) == "a b c" })
}

// Readers of the log expect a list where there may be one.
func TestNoReasonIsAnEmptyList(t *testing.T) {
	if got := reasonNames(0); got == nil || len(got) != 0 {
		t.Errorf("got %#v, want an empty list", got)
	}
}
