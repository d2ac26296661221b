package upstream

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestHammerChanges: endpoints come and go, are drained and put back, and fail, while many exchanges with all that an Upstream can do run.
// Each policy may serve them; nothing is counted in at the end, at endpoints that have gone either.
func TestHammerChanges(t *testing.T) {
	var turn atomic.Int64
	moody := func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			switch turn.Add(1) % 16 {
			case 0:
				w.reset()
				return
			case 1:
				w.say("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno")
			default:
				w.say(okAnswer)
			}
		}
	}
	server := listenAll(t, moody)
	for _, policy := range []string{"round_robin", "least_request", "ewma", "ring_hash"} {
		t.Run(policy, func(t *testing.T) { hammerChanges(t, policy, server) })
	}
}

func hammerChanges(t *testing.T, policy string, server *peer) {
	o := careful(server, 3)
	o.Policy, o.Retries = policy, 2
	o.Retry = &RetryOptions{On: []string{"connect", "reset", "timeout", "503"}, TryTimeout: time.Second, Backoff: time.Millisecond, MaxBackoff: time.Millisecond, Budget: 20}
	o.Limits = LimitOptions{MaxConnections: 3, MaxRequests: 8, MaxPending: 8, PendingTimeout: 50 * time.Millisecond}
	o.Breaker = &BreakerOptions{Failures: 2, Window: time.Second, MinRequests: 5, OpenFor: time.Millisecond, MaxOpenFor: 2 * time.Millisecond, Probes: 1, Statuses: []int{503}}
	o.Eject = &EjectOptions{ConsecutiveErrors: 2, Interval: 10 * time.Millisecond, BaseTime: time.Millisecond, MaxTime: 2 * time.Millisecond, MaxShare: 50}
	o.Balance = BalanceOptions{Sticky: &CookieOptions{Name: "s"}, SlowStart: 20 * time.Millisecond, Panic: 50}
	u := open(t, o)
	ever := map[*Endpoint]bool{}
	stop := make(chan struct{})
	var changing, asking sync.WaitGroup
	changing.Go(func() { changeEndpoints(t, u, o.Endpoints, ever, stop) })
	for range 16 {
		asking.Go(func() { askStickily(u, 150) })
	}
	asking.Wait()
	close(stop)
	changing.Wait()
	for e := range ever {
		if e.active.Load() != 0 || e.entered != 0 {
			t.Errorf("%s: %d in flight, %d in", e.address, e.active.Load(), e.entered)
		}
	}
	c := u.care
	if c.gate.requests != 0 || len(c.gate.queue) != 0 || c.gate.pending.Load() != 0 || c.budget.trying.Load() != 0 || u.State().Retrying != 0 {
		t.Errorf("at the end: %d requests, %d wait, %d try, %+v", c.gate.requests, len(c.gate.queue), c.budget.trying.Load(), u.State())
	}
	eventually(t, "no breaker stays open, no endpoint out", func() bool {
		askStickily(u, 1)
		for _, e := range u.Endpoints() {
			if e.Breaker != "closed" || !e.Standing.Usable {
				return false
			}
		}
		return true
	})
}

// changeEndpoints notes whom it has seen.
func changeEndpoints(t *testing.T, u *Upstream, list []EndpointOptions, ever map[*Endpoint]bool, stop chan struct{}) {
	for n := 0; ; n++ {
		for _, e := range u.all() {
			ever[e] = true
		}
		select {
		case <-stop:
			_ = u.Drain(list[0].Address, false)
			return
		case <-time.After(200 * time.Microsecond):
		}
		at := n % len(list)
		if err := u.Drain(list[at].Address, n%2 == 0); err != nil {
			t.Error(err)
		}
		some := append(append([]EndpointOptions(nil), list[:at]...), list[at+1:]...)
		if err := u.Update(some); err != nil {
			t.Error(err)
		}
		if err := u.Update(list); err != nil {
			t.Error(err)
		}
	}
}

// askStickily comes back with the cookie that it was given.
func askStickily(u *Upstream, times int) {
	cookie := ""
	for range times {
		x := request("GET", "/")
		if cookie != "" {
			x.Req.Fields.Add("Cookie", cookie)
		}
		if f := u.Do(x, Send{}); f != nil {
			continue // there may be no room, or nobody left
		}
		if set, ok := x.Resp.Fields.Get("Set-Cookie"); ok {
			cookie, _, _ = strings.Cut(set, ";")
		}
		x.Resp.Reset()
	}
}
