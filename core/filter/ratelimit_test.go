package filter

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/key"
	"github.com/sallyport/sallyport/core/limit"
)

var errLost = errors.New("lost")

// fakeStore is a store in memory, or one that is lost.
type fakeStore struct {
	lost  bool
	taken map[string]int64
	group string
}

func (s *fakeStore) Take(group string, asks []limit.Ask, answers []limit.Decision) error {
	if s.lost {
		return errLost
	}
	s.group = group
	granted := true
	for i, a := range asks {
		answers[i].Remaining = a.Policy.Count - s.taken[a.Limit+a.Key]
		answers[i].Allowed = answers[i].Remaining >= a.N
		if !answers[i].Allowed {
			answers[i].RetryAfter = 1500 * time.Millisecond
		}
		granted = granted && (answers[i].Allowed || a.Dry)
	}
	for i, a := range asks {
		if granted && answers[i].Allowed {
			s.taken[a.Limit+a.Key] += a.N
			answers[i].Remaining -= a.N
		}
	}
	return nil
}

// decide takes a request through the filter, with its response, and returns the status (0: let through) and the fields told.
func decide(t *testing.T, r *RateLimit, x *exchange.Exchange) (int, string) {
	t.Helper()
	verdict, err := r.Request(x, 0)
	if err != nil {
		t.Fatal(err)
	}
	if verdict == chain.Continue && r.Hooks()&chain.OnResponse != 0 {
		if err := r.Response(x, 0); err != nil {
			t.Fatal(err)
		}
	}
	return x.Resp.Status, text(&x.Resp.Fields)
}

func TestSeveralLimits(t *testing.T) {
	minute := limit.Policy{Count: 10, Per: time.Minute, Burst: 10}
	month := limit.Policy{Algorithm: limit.Quota, Count: 2, Per: limit.Month}
	open := limit.Policy{Algorithm: limit.Concurrency, Count: 5}
	r := together(one(t, "minute", minute, "client"), one(t, "month", month, "client"), one(t, "open", open, "client"))
	r.o.Legacy = true
	if got, want := r.Hooks(), chain.OnRequest|chain.OnResponse|chain.OnEnd; got != want {
		t.Errorf("hooks: got %b, want %b", got, want)
	}
	const policy = `RateLimit-Policy="minute";q=10;w=60, "month";q=2, "open";q=5;qu="concurrent-requests";`
	x := from("192.0.2.1")
	x.Times.Start = time.Date(2026, 1, 31, 23, 59, 0, 0, time.UTC)
	for i, want := range []string{
		policy + `RateLimit="minute";r=9;t=6, "month";r=1;t=60, "open";r=4;X-RateLimit-Limit=2;X-RateLimit-Remaining=1;X-RateLimit-Reset=60;`,
		policy + `RateLimit="minute";r=8;t=12, "month";r=0;t=60, "open";r=3;X-RateLimit-Limit=2;X-RateLimit-Remaining=0;X-RateLimit-Reset=60;`,
		// The third is denied by one, and takes nothing from the others.
		`Retry-After=60;` + policy + `RateLimit="minute";r=8;t=12, "month";r=0;t=60, "open";r=3;X-RateLimit-Limit=2;X-RateLimit-Remaining=0;X-RateLimit-Reset=60;`,
	} {
		x.Resp.Reset()
		status, got := decide(t, r, x)
		if denied := i == 2; got != want || denied != (status == 429) {
			t.Errorf("request %d: status %d\ngot  %s\nwant %s", i, status, got, want)
		}
	}
	c := r.o.Limits[1].Tally.Counts()
	if c != (Counts{Allowed: 2, Denied: 1}) || r.o.Limits[0].Tally.Counts() != (Counts{Allowed: 2}) {
		t.Errorf("counted %+v and %+v", c, r.o.Limits[0].Tally.Counts())
	}
}

func TestConcurrencyIsGivenBack(t *testing.T) {
	r := together(one(t, "open", limit.Policy{Algorithm: limit.Concurrency, Count: 2}, "client"))
	a, b, c := from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.1")
	for i, x := range []*exchange.Exchange{a, b, c} {
		if status, _ := decide(t, r, x); (status == 429) != (i == 2) {
			t.Fatalf("request %d: status %d", i, status)
		}
	}
	r.End(c, 0) // it was denied: nothing to give back
	if status, _ := decide(t, r, from("192.0.2.1")); status != 429 {
		t.Error("a third was let through")
	}
	r.End(a, 0)
	r.End(a, 0) // once is enough
	if status, _ := decide(t, r, from("192.0.2.1")); status != 0 {
		t.Error("what was given back cannot be had")
	}
	if status, _ := decide(t, r, from("192.0.2.1")); status != 429 {
		t.Error("it was given back twice")
	}
}

func TestMissingParts(t *testing.T) {
	for _, test := range []struct {
		missing Missing
		want    []int // of three requests without the part, one allowed
	}{{MissingShares, []int{0, 429, 429}}, {MissingSkips, []int{0, 0, 0}}, {MissingDenies, []int{403, 403, 403}}} {
		l := one(t, "l", limit.Policy{Count: 1, Per: time.Hour, Burst: 1}, "client", "consumer")
		l.Missing = test.missing
		r := together(l)
		for i, want := range test.want {
			if got, _ := decide(t, r, from("192.0.2.1")); got != want {
				t.Errorf("missing %d, request %d: got %d, want %d", test.missing, i, got, want)
			}
		}
		x := from("192.0.2.1")
		x.SetAttr("consumer", "carol")
		if got, _ := decide(t, r, x); got != 0 {
			t.Errorf("missing %d: one that has all parts got %d", test.missing, got)
		}
	}
}

func TestCost(t *testing.T) {
	tests := []struct {
		name, value string
		want        int64
	}{
		{"missing", "-", 2}, {"some", "7", 7}, {"too much", "100", 50}, {"much too much", "99999999999999999999", 50}, {"no number", "x", 50},
		{"nothing", "0", 1}, {"less", "-5", 1},
	}
	from1, err := key.Parse("header:x-cost")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		l := one(t, "l", limit.Policy{Algorithm: limit.Quota, Count: 100, Per: limit.Month}, "client")
		l.Cost = Cost{From: &from1, Default: 2, Max: 50}
		x := from("192.0.2.1")
		if test.value != "-" {
			x.Req.Fields.Add("X-Cost", test.value)
		}
		if status, _ := decide(t, together(l), x); status != 0 {
			t.Errorf("%s: status %d", test.name, status)
		}
		x = from("192.0.2.1")
		if left := l.Counter.Peek(l.key(x), l.Counter.At(x.Times.Start), 1).Remaining; 100-left != test.want {
			t.Errorf("%s: it took %d, want %d", test.name, 100-left, test.want)
		}
	}
}

func TestDryRunAndHiding(t *testing.T) {
	dry, real := one(t, "dry", limit.Policy{Count: 1, Per: time.Hour, Burst: 1}, "client"), one(t, "real", limit.Policy{Count: 3, Per: time.Hour, Burst: 3}, "client")
	dry.DryRun = true
	r := together(dry, real)
	for i, want := range []int{0, 0, 0, 429} {
		status, told := decide(t, r, from("192.0.2.1"))
		if status != want || i == 0 && told != `RateLimit-Policy="real";q=3;w=3600;RateLimit="real";r=2;t=1200;` {
			t.Errorf("request %d: got %d, %s", i, status, told)
		}
	}
	if got, want := dry.Tally.Counts(), (Counts{Allowed: 1, Dry: 3}); got != want {
		t.Errorf("dry: counted %+v, want %+v", got, want)
	}
	r.o.Hide = true
	if status, told := decide(t, r, from("192.0.2.1")); status != 429 || told != "Retry-After=1200;" {
		t.Errorf("hidden: got %d, %s", status, told)
	}
}

func TestSharedLimits(t *testing.T) {
	store := &fakeStore{taken: map[string]int64{}}
	policy := limit.Policy{Count: 2, Per: time.Hour, Burst: 2}
	build := func(on OnStoreError) *RateLimit {
		l := one(t, "shared", policy, "client")
		l.Shared, l.OnStoreError, l.ID = true, on, "id"
		r := together(one(t, "here", limit.Policy{Count: 4, Per: time.Hour, Burst: 4}, "client"), l)
		r = NewRateLimit(RateLimitOptions{Limits: r.o.Limits, Answer: r.o.Answer, Store: store, Group: "group"})
		return r
	}
	tests := []struct {
		name string
		on   OnStoreError
		lost []int // statuses of four requests without the store, after one with it
	}{{"local", CountHere, []int{0, 429, 429, 429}}, {"allow", LetPass, []int{0, 0, 0, 429}}, {"deny", DenyAll, []int{503, 503, 503, 503}}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store.lost, store.taken = false, map[string]int64{}
			r := build(test.on)
			if status, told := decide(t, r, from("192.0.2.1")); status != 0 || told != `RateLimit-Policy="here";q=4;w=3600, "shared";q=2;w=3600;RateLimit="here";r=3;t=900, "shared";r=1;t=0;` {
				t.Errorf("got %d, %s", status, told)
			}
			store.lost = true
			for i, want := range test.lost {
				if got, told := decide(t, r, from("192.0.2.1")); got != want {
					t.Errorf("without the store, request %d: got %d, want %d; %s", i, got, want, told)
				}
			}
			if got := r.o.Limits[1].Tally.Counts().StoreErrors; got < 3 {
				t.Errorf("%d errors of the store are counted", got)
			}
		})
	}
	store.lost, store.taken = false, map[string]int64{}
	r := build(CountHere)
	for i, want := range []int{0, 0, 429, 429, 429} {
		status, told := decide(t, r, from("192.0.2.1"))
		if status != want || i == 4 && told != `Retry-After=2;RateLimit-Policy="here";q=4;w=3600, "shared";q=2;w=3600;RateLimit="here";r=2;t=1800, "shared";r=0;t=0;` {
			t.Errorf("request %d: got %d, %s", i, status, told)
		}
	}
	if store.group != "group" || len(store.taken) != 1 {
		t.Errorf("group %q, taken %v", store.group, store.taken)
	}
}

// Requests that differ have different keys in a store, in whatever way their values are cut.
func TestSharedKeys(t *testing.T) {
	l := one(t, "l", limit.Policy{Count: 1, Per: time.Hour, Burst: 1}, "header:a", "header:b")
	seen := map[string]string{}
	for _, values := range [][2]string{{"x", "y"}, {"xy", ""}, {"", "xy"}, {"x\x00", "y"}, {"xyz", ""}} {
		x := &exchange.Exchange{}
		x.Req.Fields.Add("a", values[0])
		x.Req.Fields.Add("b", values[1])
		k := l.sharedKey(x)
		if before, twice := seen[k]; twice || len(k) != 22 {
			t.Errorf("%q has the key %s, as %q", values, k, before)
		}
		seen[k] = values[0] + "|" + values[1]
	}
	l = one(t, "l", limit.Policy{Count: 1, Per: time.Hour, Burst: 1}, "client")
	a, b := from("2001:db8::1"), from("2001:db8::2")
	if l.sharedKey(a) != l.sharedKey(b) || l.sharedKey(a) == l.sharedKey(&exchange.Exchange{Addr: netip.MustParseAddr("2001:db8:0:1::1")}) {
		t.Error("the /64 is not what counts")
	}
}

func TestSeveralLimitsAllocateNothing(t *testing.T) {
	r := together(one(t, "a", limit.Policy{Count: 1e9, Per: time.Second, Burst: 1e9}, "client", "route"),
		one(t, "b", limit.Policy{Algorithm: limit.SlidingWindow, Count: 1e9, Per: time.Minute}, "client"),
		one(t, "c", limit.Policy{Algorithm: limit.Quota, Count: 1e9, Per: 24 * time.Hour}, "client"),
		one(t, "d", limit.Policy{Algorithm: limit.Concurrency, Count: 10}, "client"))
	x := from("192.0.2.1")
	if n := testing.AllocsPerRun(1000, func() {
		x.Resp.Fields.Reset()
		_, _ = r.Request(x, 0)
		_ = r.Response(x, 0)
		r.End(x, 0)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkFourLimits(b *testing.B) {
	r := together(one(b, "a", limit.Policy{Count: 1e9, Per: time.Second, Burst: 1e9}, "client", "route"),
		one(b, "b", limit.Policy{Algorithm: limit.SlidingWindow, Count: 1e9, Per: time.Minute}, "client"),
		one(b, "c", limit.Policy{Algorithm: limit.Quota, Count: 1e9, Per: 24 * time.Hour}, "client"),
		one(b, "d", limit.Policy{Algorithm: limit.Concurrency, Count: 10}, "client"))
	x := from("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		x.Resp.Fields.Reset()
		_, _ = r.Request(x, 0)
		_ = r.Response(x, 0)
		r.End(x, 0)
	}
}
