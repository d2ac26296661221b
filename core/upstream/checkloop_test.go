package upstream

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
)

var errSick = errors.New("sick")

// patients are servers whose health a test decides, by address.
type patients struct {
	mu    sync.Mutex
	sick  map[string]bool
	asked map[string][]time.Time
}

func (p *patients) ask(k *check) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	address := k.endpoint.address
	p.asked[address] = append(p.asked[address], time.Now())
	if p.sick[address] {
		return errSick
	}
	return nil
}

func (p *patients) set(address string, sick bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sick[address] = sick
}

func (p *patients) count(address string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked[address])
}

// hospital makes an Upstream of patients, checked every second without jitter; it is for bubbles of synctest.
func hospital(t *testing.T, change func(o *Options), addresses ...string) (*Upstream, *patients) {
	t.Helper()
	p := &patients{sick: map[string]bool{}, asked: map[string][]time.Time{}}
	o := group()
	o.Health = plainHealth()
	o.Health.Interval, o.Health.UnhealthyInterval = time.Second, 10*time.Second
	if change != nil {
		change(&o)
	}
	return admit(t, o, p, addresses...), p
}

// admit makes the Upstream before it has endpoints, so that nothing is asked before it is known whom.
func admit(t *testing.T, o Options, p *patients, addresses ...string) *Upstream {
	t.Helper()
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	if u.checker != nil {
		u.checker.ask = p.ask
	}
	update(t, u, addresses...)
	return u
}

func update(t *testing.T, u *Upstream, addresses ...string) {
	t.Helper()
	if err := u.Update(group(addresses...).Endpoints); err != nil {
		t.Fatal(err)
	}
}

// usable returns the addresses that get exchanges.
func usable(u *Upstream) string {
	var list []string
	v := u.view.Load()
	for place, e := range v.endpoints {
		if v.picker.Keeps(place) {
			list = append(list, strings.TrimSuffix(e.address, ":1"))
		}
	}
	return strings.Join(list, " ")
}

func wantUsable(t *testing.T, u *Upstream, want string) {
	t.Helper()
	synctest.Wait()
	if got := usable(u); got != want {
		t.Errorf("usable are %q, want %q", got, want)
	}
}

func TestThresholds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, p := hospital(t, func(o *Options) { o.Health.Healthy = 2 }, "a:1", "b:1")
		time.Sleep(soon)
		wantUsable(t, u, "a b")
		first := p.count("b:1")
		if first == 0 {
			t.Error("no check within a second")
		}
		p.set("b:1", true)
		time.Sleep(2 * time.Second)
		wantUsable(t, u, "a b")
		time.Sleep(time.Second)
		wantUsable(t, u, "a")
		p.set("b:1", false)
		time.Sleep(10 * time.Second)
		wantUsable(t, u, "a") // one of two
		if n := p.count("b:1"); n != first+4 {
			t.Errorf("%d checks of the sick one, want %d: it is asked at its own interval", n, first+4)
		}
		time.Sleep(10 * time.Second)
		wantUsable(t, u, "a b")
		p.set("b:1", true) // a failure between others counts for nothing
		time.Sleep(2 * time.Second)
		p.set("b:1", false)
		time.Sleep(time.Second)
		p.set("b:1", true)
		time.Sleep(2 * time.Second)
		wantUsable(t, u, "a b")
	})
}

func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := hospital(t, func(o *Options) { o.Health.Jitter = time.Second / 2 }, "a:1", "b:1", "c:1", "d:1")
		time.Sleep(time.Minute)
		synctest.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		var gaps, firsts []time.Duration
		for _, asked := range p.asked {
			firsts = append(firsts, asked[0].Sub(p.asked["a:1"][0]))
			for i := range asked[1:] {
				gaps = append(gaps, asked[i+1].Sub(asked[i]))
			}
		}
		if low, high := slices.Min(gaps), slices.Max(gaps); low < time.Second || high > 3*time.Second/2 || low == high {
			t.Errorf("intervals from %v to %v, want them spread from 1s to 1.5s", low, high)
		}
		if slices.Min(firsts) == slices.Max(firsts) {
			t.Error("the first checks fell together")
		}
	})
}

// Who joins while others serve has to pass a check first, and is out if it does not.
func TestThoseWhoJoinWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, p := hospital(t, nil, "a:1")
		wantUsable(t, u, "a")
		p.set("c:1", true)
		update(t, u, "a:1", "b:1", "c:1")
		wantUsable(t, u, "a")
		if why := u.Endpoints()[1].Standing.Why; !slices.Equal(why, []string{"unchecked"}) {
			t.Errorf("b is out for %v, want unchecked", why)
		}
		time.Sleep(soon)
		wantUsable(t, u, "a b")
		if why := u.Endpoints()[2].Standing.Why; !slices.Equal(why, []string{"check_failed"}) {
			t.Errorf("c is out for %v, want check_failed after its first check", why)
		}
		update(t, u, "x:1", "y:1") // there is nobody else to serve
		wantUsable(t, u, "x y")
	})
}

// Those who join in numbers make nobody panic, and so get no exchanges ahead of their first check; when they fail it they count as others do.
func TestManyWhoJoinWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, p := hospital(t, func(o *Options) { o.Balance.Panic = 50 }, "a:1")
		p.set("c:1", true)
		p.set("d:1", true)
		update(t, u, "a:1", "c:1", "d:1")
		wantUsable(t, u, "a")
		if u.Balance().Panic {
			t.Error("two that join are a reason to panic")
		}
		time.Sleep(soon)
		wantUsable(t, u, "a")
		if !u.Balance().Panic {
			t.Error("two of three that have failed their first check are no reason to panic")
		}
	})
}

// Neither a removed endpoint nor any of a closed Upstream is asked again, and no goroutine is left: the bubble would not end.
func TestWhoHasGoneIsNotChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, p := hospital(t, nil, "a:1", "b:1")
		time.Sleep(soon)
		update(t, u, "a:1")
		synctest.Wait()
		a, b := p.count("a:1"), p.count("b:1")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if p.count("b:1") != b || p.count("a:1") <= a {
			t.Errorf("%d checks of the one removed and %d of the other, want 0 and some", p.count("b:1")-b, p.count("a:1")-a)
		}
		u.Close()
		synctest.Wait()
		a = p.count("a:1")
		update(t, u, "a:1", "c:1")
		time.Sleep(time.Minute)
		if p.count("a:1") != a || p.count("c:1") != 0 {
			t.Error("an Upstream that is closed checks")
		}
	})
}

func TestChecksAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, all atomic.Int64
		o := group()
		o.Health = plainHealth()
		o.Health.Interval = time.Minute
		u, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		u.checker.ask = func(*check) error {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Second)
			now.Add(-1)
			all.Add(1)
			return nil
		}
		var addresses []string
		for i := range 3 * maxChecks {
			addresses = append(addresses, fmt.Sprintf("a%d:1", i))
		}
		update(t, u, addresses...)
		time.Sleep(5 * time.Second)
		if most.Load() != maxChecks || all.Load() != 3*maxChecks {
			t.Errorf("%d at once and %d done, want %d and %d", most.Load(), all.Load(), maxChecks, 3*maxChecks)
		}
	})
}

// The whole of it once with real servers: out, 503, back; told of once each; and silence for the one that is removed.
func TestChecksOverTheWire(t *testing.T) {
	var sick atomic.Bool
	var asked, served [2]atomic.Int64
	var addresses []string
	for i := range 2 {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				served[i].Add(1)
				return
			}
			asked[i].Add(1)
			if sick.Load() {
				w.WriteHeader(500)
			}
		}))
		defer s.Close()
		addresses = append(addresses, s.Listener.Addr().String())
	}
	var log output.Text
	o := group(addresses...)
	o.Health = plainHealth()
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	u := open(t, o)
	sick.Store(true)
	eventually(t, "both are out", func() bool { return usable(u) == "" })
	before := served[0].Load() + served[1].Load()
	f := mustFail(t, u, request("GET", "/"), Send{}, fault.Unavailable)
	if f.Reason != "no usable endpoint" || f.Retry {
		t.Errorf("got %v, want a reason of its own", f)
	}
	if served[0].Load()+served[1].Load() != before {
		t.Error("an exchange was sent to an endpoint that is out")
	}
	if s := u.Endpoints()[0].Standing; s.Usable || s.Check.Passed || !strings.Contains(s.Check.Result, "500") || s.Check.At.IsZero() {
		t.Errorf("got %+v, %+v; want a failed check to be shown", s, s.Check)
	}
	sick.Store(false)
	eventually(t, "both are back", func() bool { return len(strings.Fields(usable(u))) == 2 })
	if f := u.Do(request("GET", "/"), Send{}); f != nil {
		t.Error(f)
	}
	told := func() [2]int {
		return [2]int{strings.Count(log.String(), "gets no more exchanges"), strings.Count(log.String(), "gets exchanges again")}
	}
	// The log is written after the endpoint is in use again.
	eventually(t, "it is told of both endpoints", func() bool { return told()[1] >= 2 })
	removed := u.Endpoints()[1]
	update(t, u, addresses[0])
	eventually(t, "no check is under way", func() bool { return len(u.checker.slots) == 0 })
	n := asked[1].Load()
	from := asked[0].Load()
	eventually(t, "the other is checked on", func() bool { return asked[0].Load() > from+5 })
	if asked[1].Load() != n {
		t.Errorf("%s was checked after it had gone", removed.Address)
	}
	if got := told(); got != [2]int{2, 2} {
		t.Errorf("told %v times of endpoints that go and come, want once for each:\n%s", got, log.String())
	}
}

// A check that is under way does not keep a closed Upstream waiting for as long as it may take; TestMain would find its goroutine.
func TestCloseGivesChecksUp(t *testing.T) {
	ended := make(chan struct{}, 1)
	p := listen(t, func(w *wire) {
		_, _ = w.request()
		_, _ = w.request()
		ended <- struct{}{}
	})
	o := group(p.address)
	o.Health = plainHealth()
	o.Health.Timeout = time.Minute
	u := open(t, o)
	eventually(t, "a check is under way", func() bool { return p.conns.Load() == 1 })
	u.Close()
	<-ended
}

// An Upstream without tables has nothing that runs.
func TestWithoutTablesNothingIsWatched(t *testing.T) {
	u := open(t, group("127.0.0.1:1"))
	if s := u.all()[0].standing; s.check != nil || s.tally != nil || u.checker != nil || u.ejector != nil {
		t.Error("there is something to watch over the endpoint")
	}
	if s := u.Endpoints()[0].Standing; !s.Usable || s.Check != nil || s.Ejection != nil {
		t.Errorf("got %+v, want a usable endpoint and nothing more", s)
	}
}
