package metrics

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// ended is an exchange that an upstream has answered.
func ended() *exchange.Exchange {
	start := time.Unix(1_700_000_000, 0)
	x := &exchange.Exchange{Upstream: "u", Tries: 1, Answer: 200, Received: 5, Sent: 259}
	x.Req.Method, x.Req.Scheme, x.Resp.Status = "GET", "http", 200
	x.Resp.Body = exchange.Body{Length: 3, Held: []byte("abc")}
	x.Times = exchange.Times{
		Start: start, Chain: start.Add(10 * time.Microsecond), Sent: start.Add(20 * time.Microsecond),
		Answered: start.Add(3 * time.Millisecond), End: start.Add(3*time.Millisecond + 10*time.Microsecond),
	}
	return x
}

func open(b *Book, names ...string) []*Route {
	named := make([]Named, len(names))
	for i, name := range names {
		named[i] = Named{name, "/" + name}
	}
	routes, _ := b.Open(named, []string{"u"})
	return routes
}

func TestClassOfADuration(t *testing.T) {
	for _, list := range [][]time.Duration{DurationBounds(), OverheadBounds()} {
		if !slices.IsSorted(list) || len(list) >= classes {
			t.Fatalf("%d bounds, sorted: %v", len(list), slices.IsSorted(list))
		}
		b := newBounds(list)
		for want, bound := range list {
			for _, d := range []time.Duration{bound - 1, bound} {
				if got := b.class(int64(d)); got != want {
					t.Errorf("%v: got class %d, want %d", d, got, want)
				}
			}
			if got := b.class(int64(bound + 1)); got != want+1 {
				t.Errorf("%v: got class %d, want %d", bound+1, got, want+1)
			}
		}
		if got := b.class(0); got != 0 {
			t.Errorf("0: got class %d", got)
		}
		if got := b.class(1<<63 - 1); got != len(list) {
			t.Errorf("the longest: got class %d, want %d", got, len(list))
		}
	}
}

func TestAFinerScaleThanTheConventions(t *testing.T) {
	have := DurationBounds()
	for _, seconds := range []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10} {
		if d := time.Duration(seconds * 1e9); !slices.Contains(have, d) {
			t.Errorf("%v is not among the bounds", d)
		}
	}
}

func TestStatuses(t *testing.T) {
	tests := map[int]int{0: 0, -1: 0, 99: 0, 600: 0, 999: 0, 100: 100, 199: 100, 200: 200, 299: 200, 306: 300, 404: 404, 418: 400, 499: 499, 599: 500, 503: 503}
	for status, want := range tests {
		if got := int(statuses[statusIndex(status)]); got != want {
			t.Errorf("%d: got %d, want %d", status, got, want)
		}
	}
	if n := len(statuses) + fault.Kinds; n > 256 {
		t.Errorf("%d outcomes do not fit into a label", n)
	}
}

func TestCount(t *testing.T) {
	tests := []struct {
		name     string
		change   func(*exchange.Exchange)
		labels   Labels
		answers  Labels // of the upstream; the zero value for none
		overhead uint64
		faults   []Faults
		retries  uint64
	}{
		{name: "answered", labels: Labels{"GET", false, 200, ""}, answers: Labels{"GET", false, 200, ""}, overhead: 1},
		{
			name: "the answer was changed", change: func(x *exchange.Exchange) { x.Resp.Status, x.Req.Scheme = 403, "https" },
			labels: Labels{"GET", true, 403, ""}, answers: Labels{"GET", false, 200, ""}, overhead: 1,
		},
		{
			name: "streamed", change: func(x *exchange.Exchange) { x.Resp.Body.Length = exchange.Unknown },
			labels: Labels{"GET", false, 200, ""}, answers: Labels{"GET", false, 200, ""},
		},
		{
			name: "tried again", change: func(x *exchange.Exchange) { x.Tries = 3 },
			labels: Labels{"GET", false, 200, ""}, answers: Labels{"GET", false, 200, ""}, retries: 2,
		},
		{
			name: "no answer",
			change: func(x *exchange.Exchange) {
				x.Answer, x.Resp.Status, x.Fault = 0, 502, fault.New(fault.BadGateway, fault.Upstream, "")
			},
			labels: Labels{"GET", false, 502, ""}, answers: Labels{"GET", false, 0, "bad_gateway"}, faults: []Faults{{"bad_gateway", "upstream", 1}},
		},
		{
			name:   "no upstream",
			change: func(x *exchange.Exchange) { x.Upstream, x.Tries, x.Answer, x.Req.Method = "", 0, 0, "MAKE-UP" },
			labels: Labels{"_OTHER", false, 200, ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBook()
			r := open(b, "r")[0]
			x := ended()
			if tt.change != nil {
				tt.change(x)
			}
			b.Count(r, x)
			p := b.Routes()
			if len(p) != 1 || len(p[0].Durations) != 1 {
				t.Fatalf("got %+v", p)
			}
			if d := p[0].Durations[0]; d.Labels != tt.labels || d.Count != 1 || d.Counts[5] != 1 || d.Sum != 3010*time.Microsecond {
				t.Errorf("got %+v", d)
			}
			if p[0].Name != "r" || p[0].Path != "/r" || p[0].Received != 5 || p[0].Sent != 259 || p[0].Overhead.Count != tt.overhead {
				t.Errorf("got %+v", p[0])
			}
			if tt.overhead > 0 && p[0].Overhead.Sum != 30*time.Microsecond {
				t.Errorf("overhead: got %v", p[0].Overhead.Sum)
			}
			if diff := cmp.Diff(tt.faults, p[0].Faults); diff != "" {
				t.Error(diff)
			}
			wantAnswers(t, b, tt.answers, tt.retries)
		})
	}
}

func wantAnswers(t *testing.T, b *Book, want Labels, retries uint64) {
	t.Helper()
	u := b.Upstreams()
	if len(u) != 1 || u[0].Retries != retries {
		t.Fatalf("got %+v", u)
	}
	var got Labels
	for _, s := range u[0].Answers {
		got = s.Labels
	}
	if got != want {
		t.Errorf("upstream: got %+v, want %+v", got, want)
	}
}

func TestCountsSurviveAReload(t *testing.T) {
	b := NewBook()
	first, releaseFirst := b.Open([]Named{{"a", "/a"}, {"b", "/b"}}, []string{"u"})
	b.Count(first[0], ended())
	b.Count(first[1], ended())
	second, releaseSecond := b.Open([]Named{{"a", "/new"}}, []string{"u"})
	releaseFirst()
	b.Count(second[0], ended())
	p := b.Routes()
	if len(p) != 1 || p[0].Name != "a" || p[0].Path != "/new" || p[0].Durations[0].Count != 2 {
		t.Errorf("got %+v", p)
	}
	if u := b.Upstreams(); u[0].Answers[0].Count != 3 {
		t.Errorf("got %+v", u)
	}
	b.Count(first[1], ended()) // a straggler: it has nowhere to be shown, and harms nothing
	releaseSecond()
	if p, u := b.Routes(), b.Upstreams(); len(p) != 0 || len(u) != 0 {
		t.Errorf("got %+v and %+v of what nobody has any more", p, u)
	}
}

func TestRoutesBeyondTheBoundCountTogether(t *testing.T) {
	b := NewBook()
	b.maxRoutes = 2
	for _, r := range open(b, "a", "b", "c", "d") {
		b.Count(r, ended())
		b.Count(r, ended())
	}
	b.Count(nil, ended())
	got := map[string]uint64{}
	for _, p := range b.Routes() {
		got[p.Name] = p.Durations[0].Count
	}
	if diff := cmp.Diff(map[string]uint64{"": 1, "a": 2, "b": 2, OtherRoutes: 4}, got); diff != "" {
		t.Error(diff)
	}
}

// Neither clients nor upstreams can make series without end.
func TestSeriesAreBounded(t *testing.T) {
	b := NewBook()
	r := open(b, "r")[0]
	x := ended()
	for i := range 10_000 {
		x.Req.Method = "M" + strconv.Itoa(i)
		if i%2 == 0 {
			x.Req.Method = methods[i%len(methods)]
		}
		x.Resp.Status, x.Answer = i%1100, i%1100
		x.Req.Host, x.Asked.Path, x.Req.Scheme = strconv.Itoa(i), "/"+strconv.Itoa(i), []string{"http", "https", "x"}[i%3]
		b.Count(r, x)
	}
	p := b.Routes()
	var total uint64
	for _, s := range p[0].Durations {
		total += s.Count
	}
	const coarse = 2 * 6 // schemes and classes
	if n := len(p[0].Durations); len(p) != 1 || n > maxSeries+coarse || n < maxSeries || total != 10_000 {
		t.Errorf("%d routes, %d series, %d exchanges", len(p), n, total)
	}
	if n := len(b.Upstreams()[0].Answers); n > maxSeries+coarse {
		t.Errorf("%d series of the upstream", n)
	}
}

func TestHammer(t *testing.T) {
	b := NewBook()
	const writers, each = 8, 2000
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			x := ended()
			x.Shard = uint32(w)
			for i := range each {
				routes, release := b.Open([]Named{{"steady", "/"}, {fmt.Sprint("passing", i%7), "/"}}, []string{"u"})
				x.Resp.Status, x.Fault = 200+i%400, nil
				if i%5 == 0 {
					x.Fault = fault.New(fault.Kind(i%fault.Kinds), fault.Client, "")
				}
				b.Count(routes[i%2], x)
				b.Count(routes[0], x)
				if i%50 == 0 {
					b.Routes()
					b.Upstreams()
				}
				if i < each-1 { // the last keep what was counted
					release()
				}
			}
		})
	}
	keep := open(b, "steady")
	wait.Wait()
	x := ended()
	b.Count(keep[0], x)
	if p := b.Routes(); len(p) < 2 {
		t.Errorf("got %+v", p)
	}
}

func TestNothingIsLost(t *testing.T) {
	b := NewBook()
	r := open(b, "r")[0]
	const writers, each = 8, 5000
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			x := ended()
			x.Shard = uint32(w)
			for i := range each {
				x.Resp.Status = []int{200, 404, 503}[i%3]
				b.Count(r, x)
			}
		})
	}
	wait.Wait()
	var total uint64
	for _, s := range b.Routes()[0].Durations {
		total += s.Count
	}
	p := b.Routes()[0]
	if total != writers*each || p.Overhead.Count != total || p.Received != 5*total || p.Sent != 259*total || b.Upstreams()[0].Answers[0].Count != total {
		t.Errorf("got %d exchanges in %+v", total, p)
	}
}

func TestCountAllocatesNothing(t *testing.T) {
	b := NewBook()
	r := open(b, "r")[0]
	x := ended()
	b.Count(r, x)
	if n := testing.AllocsPerRun(1000, func() { b.Count(r, x) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkCount(b *testing.B) {
	book := NewBook()
	r := open(book, "r")[0]
	x := ended()
	b.ReportAllocs()
	for b.Loop() {
		book.Count(r, x)
	}
}

func BenchmarkCountParallel(b *testing.B) {
	book := NewBook()
	r := open(book, "r")[0]
	var shard uint32
	var mu sync.Mutex
	b.RunParallel(func(pb *testing.PB) {
		x := ended()
		mu.Lock()
		shard++
		x.Shard = shard
		mu.Unlock()
		for pb.Next() {
			book.Count(r, x)
		}
	})
}

func BenchmarkOpenManyRoutes(b *testing.B) {
	named := make([]Named, 50_000)
	for i := range named {
		named[i] = Named{fmt.Sprint("route-", i), "/x"}
	}
	b.ReportAllocs()
	for b.Loop() {
		NewBook().Open(named, nil)
	}
}
