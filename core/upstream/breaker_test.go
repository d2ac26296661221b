package upstream

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

func testBreaker(o BreakerOptions) *breaker {
	if o.Window == 0 {
		o.Window = 10 * time.Second
	}
	o.OpenFor, o.MaxOpenFor, o.Probes = 5*time.Second, 12*time.Second, max(o.Probes, 1)
	return newBreaker(&o, "test", nil)
}

// TestBreaker plays scripts: + and - are exchanges that go well and wrong, one a millisecond after the other, ? one that says nothing;
// a number, which ends with a point, lets so many seconds pass. Behind each script stands the state that it leads to.
func TestBreaker(t *testing.T) {
	tests := []struct {
		name   string
		o      BreakerOptions
		script string
		want   string
		opens  uint64
	}{
		{"in a row", BreakerOptions{Failures: 3}, "---", "open", 1},
		{"not in a row", BreakerOptions{Failures: 3}, "--+--+--", "closed", 0},
		{"what says nothing is no interruption", BreakerOptions{Failures: 3}, "--?-", "open", 1},
		{"share", BreakerOptions{Ratio: 50, MinRequests: 8}, "+-+-+-+-", "open", 1},
		{"share, too few", BreakerOptions{Ratio: 50, MinRequests: 9}, "+-+-+-+-", "closed", 0},
		{"share, below", BreakerOptions{Ratio: 60, MinRequests: 4}, "+-+-+-+-+-+-", "closed", 0},
		{"share, out of the window", BreakerOptions{Ratio: 50, MinRequests: 8}, "+-+-+-9.+9.-", "closed", 0},
		{"neither", BreakerOptions{}, "--------------", "closed", 0},
		{"open for a while", BreakerOptions{Failures: 1}, "-4.+", "open", 1},
		{"a probe goes well", BreakerOptions{Failures: 1}, "-5.+", "closed", 1},
		{"two probes are asked for", BreakerOptions{Failures: 1, Probes: 2}, "-5.+", "half_open", 1},
		{"two probes go well", BreakerOptions{Failures: 1, Probes: 2}, "-5.++", "closed", 1},
		{"a probe goes wrong", BreakerOptions{Failures: 1}, "-5.-", "open", 2},
		{"twice as long", BreakerOptions{Failures: 1}, "-5.-9.+", "open", 2},
		{"twice as long is over", BreakerOptions{Failures: 1}, "-5.-10.+", "closed", 2},
		{"to a bound", BreakerOptions{Failures: 1}, "-5.-10.-12.-12.+", "closed", 4},
		{"and from the beginning once closed", BreakerOptions{Failures: 1}, "-5.-10.+-5.+", "closed", 3},
		{"a probe that says nothing", BreakerOptions{Failures: 1}, "-5.?+", "closed", 1},
		{"what went well lately does not count when it is half open", BreakerOptions{Ratio: 50, MinRequests: 4}, "----5.+", "closed", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := testBreaker(test.o)
			now, seconds := time.Unix(1_000_000, 0), 0
			for _, c := range test.script {
				if '0' <= c && c <= '9' {
					seconds = 10*seconds + int(c-'0')
					continue
				}
				if c == '.' {
					continue
				}
				now, seconds = now.Add(time.Duration(seconds)*time.Second+time.Millisecond), 0
				if era, ok := b.enter(now); ok {
					b.note(era, map[rune]effect{'+': went, '-': wentWrong, '?': nothingSaid}[c], now)
				}
			}
			if got := breakerName(b.state.Load()); got != test.want || b.opens.Load() != test.opens {
				t.Errorf("%s: got %s, opened %d times, want %s, %d times", test.script, got, b.opens.Load(), test.want, test.opens)
			}
		})
	}
}

// TestBreakerBoundsProbes: no more are out at once than are asked for, what comes late says nothing, and probes that stay away for too
// long do not leave it half open for ever.
func TestBreakerBoundsProbes(t *testing.T) {
	b, now := testBreaker(BreakerOptions{Failures: 1, Probes: 2}), time.Unix(1_000_000, 0)
	early, _ := b.enter(now)
	b.note(early, wentWrong, now)
	if _, ok := b.enter(now); ok {
		t.Error("it lets through while open")
	}
	now = now.Add(5 * time.Second)
	first, one := b.enter(now)
	_, two := b.enter(now)
	_, three := b.enter(now)
	if !one || !two || three {
		t.Errorf("probes: %v, %v, %v, want two", one, two, three)
	}
	b.note(early, went, now)
	b.note(early, went, now)
	if b.isClosed() {
		t.Error("what was begun before it opened has closed it")
	}
	now = now.Add(5 * time.Second)
	if _, ok := b.enter(now); !ok {
		t.Error("probes that never came back keep it half open")
	}
	b.note(first, wentWrong, now)
	if b.state.Load() != halfOpen {
		t.Error("a probe given up long ago has opened it")
	}
}

func TestBreakerOutcome(t *testing.T) {
	o := BreakerOptions{Statuses: []int{502, 503, 504}}
	tests := []struct {
		name   string
		f      *fault.Fault
		status int
		grpc   string
		want   effect
	}{
		{"200", nil, 200, "", went}, {"201", nil, 201, "", went}, {"404", nil, 404, "", went}, {"500", nil, 500, "", went}, {"503", nil, 503, "", wentWrong},
		{"grpc unavailable", nil, 200, "14", wentWrong}, {"grpc not found", nil, 200, "5", went},
		{"reset", fault.New(fault.BadGateway, fault.Upstream, ""), 0, "", wentWrong}, {"client gone", fault.New(fault.ClientGone, fault.Client, ""), 0, "", nothingSaid},
		{"no room", fault.New(fault.Unavailable, fault.Gateway, ""), 0, "", nothingSaid},
	}
	for _, test := range tests {
		r := exchange.Response{Status: test.status}
		if test.grpc != "" {
			r.Fields.Add("Grpc-Status", test.grpc)
		}
		if got := o.effect(test.f, &r); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

// TestOpenEndpointIsLeftAlone: the others get what it would have got; with all of them open nobody is asked, and the client is told so.
func TestOpenEndpointIsLeftAlone(t *testing.T) {
	var asked, healthy atomic.Int64
	bad := func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			asked.Add(1)
			if healthy.Load() == 0 {
				w.say(status(503, ""))
			} else {
				w.say(okAnswer)
			}
		}
	}
	for _, policy := range []string{"round_robin", "least_request"} {
		t.Run(policy, func(t *testing.T) {
			asked.Store(0)
			healthy.Store(0)
			good := listen(t, always(okAnswer))
			var log bytes.Buffer
			o := group(listen(t, bad).address, listen(t, bad).address, good.address, listen(t, bad).address)
			o.Policy = policy
			o.Breaker = &BreakerOptions{Failures: 2, OpenFor: time.Hour, MaxOpenFor: time.Hour, Probes: 1, Statuses: []int{503}}
			o.Log = slog.New(slog.NewTextHandler(&log, nil))
			u := open(t, o)
			for range 200 {
				x := request("GET", "/")
				if f := u.Do(x, Send{}); f != nil {
					t.Fatal(f)
				}
				x.Resp.Reset()
			}
			if got := asked.Load(); got != 6 {
				t.Errorf("the bad ones were asked %d times, want 6", got)
			}
			for i, e := range u.Endpoints() {
				if want := map[bool]string{true: "closed", false: "open"}[i == 2]; e.Breaker != want {
					t.Errorf("endpoint %d is %s, want %s", i, e.Breaker, want)
				}
			}
			if n := strings.Count(log.String(), "to=open"); n != 3 {
				t.Errorf("the log tells of %d that opened, want 3:\n%s", n, log.String())
			}
		})
	}
}

func TestAllOpen(t *testing.T) {
	var healthy atomic.Bool
	p := listenAll(t, func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			if healthy.Load() {
				w.say(okAnswer)
			} else {
				w.say(status(503, ""))
			}
		}
	})
	o := careful(p, 3)
	o.Retry = nil
	o.Breaker = &BreakerOptions{Failures: 1, OpenFor: time.Hour, MaxOpenFor: time.Hour, Probes: 1, Statuses: []int{503}}
	u := open(t, o)
	for range 3 {
		x := request("GET", "/")
		if f := u.Do(x, Send{}); f != nil {
			t.Fatal(f)
		}
		x.Resp.Reset()
	}
	f := mustFail(t, u, request("GET", "/"), Send{}, fault.Unavailable)
	if !strings.HasPrefix(f.Reason, "circuit open") || f.RetryAfter < time.Second || u.State().Unserved != 1 {
		t.Errorf("got %+v, %+v, want an open circuit", f, u.State())
	}
	healthy.Store(true)
	probing(u, 0, 1, 2)
	eventually(t, "all have closed", func() bool {
		x := request("GET", "/")
		_ = u.Do(x, Send{})
		x.Resp.Reset()
		for _, e := range u.Endpoints() {
			if e.Breaker != "closed" {
				return false
			}
		}
		return true
	})
}

// TestBreakerHammer: endpoints that come and go, under many at once: whatever happened, at the end all are served again.
func TestBreakerHammer(t *testing.T) {
	var sick atomic.Int64
	p := listenAll(t, func(w *wire) {
		for {
			if _, err := w.request(); err != nil {
				return
			}
			switch {
			case strings.HasPrefix(w.LocalAddr().String(), fmt.Sprintf("127.0.0.%d:", sick.Load())):
				w.say(status(503, ""))
			default:
				w.say(okAnswer)
			}
		}
	})
	o := careful(p, 4, "503", "connect", "reset")
	o.Limits = LimitOptions{MaxConnections: 4, MaxRequests: 12, MaxPending: 64, PendingTimeout: 5 * time.Second, MaxRetries: 8}
	o.Breaker = &BreakerOptions{Failures: 3, Ratio: 50, Window: 100 * time.Millisecond, MinRequests: 5, OpenFor: time.Millisecond, MaxOpenFor: 4 * time.Millisecond, Probes: 2, Statuses: []int{503}}
	u := open(t, o)
	var wait sync.WaitGroup
	for worker := range 32 {
		wait.Go(func() {
			for round := range 60 {
				if worker == 0 {
					sick.Store(int64(round % 6))
				}
				x := request("GET", "/")
				if f := u.Do(x, Send{}); f != nil && f.Kind != fault.Unavailable {
					t.Error(f)
				}
				x.Resp.Reset()
			}
		})
	}
	wait.Wait()
	sick.Store(0)
	eventually(t, "all have closed", func() bool {
		for range 8 {
			x := request("GET", "/")
			_ = u.Do(x, Send{})
			x.Resp.Reset()
		}
		for _, e := range u.Endpoints() {
			if e.Breaker != "closed" {
				return false
			}
		}
		return true
	})
	g := u.care.gate
	if g.requests != 0 || len(g.queue) != 0 || u.State().Pending != 0 || u.State().Retrying != 0 || u.care.budget.trying.Load() != 0 {
		t.Errorf("left behind: %d requests, %d queued, %+v", g.requests, len(g.queue), u.State())
	}
}
