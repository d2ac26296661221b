package upstream

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport/sallyport/core/balance"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/key"
)

// setUsable says whether the endpoint may be picked, as a health check does.
func setUsable(t testing.TB, u *Upstream, address string, usable bool) {
	t.Helper()
	for _, e := range u.view.Load().endpoints {
		if e.address == address {
			if add := reasonFailed; usable {
				e.standing.reasons.And(^add)
			} else {
				e.standing.reasons.Or(add)
			}
		}
	}
	if err := u.refresh(); err != nil {
		t.Fatal(err)
	}
}

// naming answers with a name of its own.
func naming(t testing.TB, name string) string {
	return listen(t, always(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(name), name))).address
}

func parts(t testing.TB, texts ...string) (list []key.Part) {
	t.Helper()
	for _, text := range texts {
		part, err := key.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, part)
	}
	return list
}

// asking sends a request with those fields ("Name: value") and returns who answered, and the Set-Cookie fields.
func asking(t testing.TB, u *Upstream, fields ...string) (who string, set []string) {
	t.Helper()
	x := request("GET", "/")
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		x.Req.Fields.Add(name, value)
	}
	who = ask(t, u, x)
	for _, f := range x.Resp.Fields.All() {
		if f.Name == "Set-Cookie" {
			set = append(set, f.Value)
		}
	}
	return who, set
}

// pair is the name and value of what a Set-Cookie field sets.
func pair(set string) string {
	pair, _, _ := strings.Cut(set, ";")
	return pair
}

func TestHashKeepsRequestsTogether(t *testing.T) {
	for _, policy := range []string{"ring_hash", "maglev"} {
		o := group(naming(t, "a"), naming(t, "b"), naming(t, "c"))
		o.Policy, o.Balance.Hash = policy, parts(t, "header:X-User", "header:X-Shop")
		u := open(t, o)
		seen := map[string]bool{}
		for n := range 50 {
			user := fmt.Sprintf("X-User: %d", n)
			first, set := asking(t, u, user)
			seen[first] = true
			for range 3 {
				if again, _ := asking(t, u, user); again != first {
					t.Fatalf("%s: user %d went to %s, then to %s", policy, n, first, again)
				}
			}
			if len(set) != 0 {
				t.Errorf("%s: got cookies %q, want none", policy, set)
			}
		}
		if len(seen) != 3 {
			t.Errorf("%s: 50 users went to %v, want all three", policy, seen)
		}
		anyone := map[string]bool{}
		for range 100 {
			who, _ := asking(t, u, "X-Other: 1")
			anyone[who] = true
		}
		if len(anyone) != 3 {
			t.Errorf("%s: 100 requests without the key went to %v, want all three", policy, anyone)
		}
	}
}

func TestHashCookieIsMade(t *testing.T) {
	o := group(naming(t, "a"), naming(t, "b"), naming(t, "c"))
	o.Policy, o.Balance.Hash = "ring_hash", parts(t, "cookie:cart")
	o.Balance.HashCookie = &CookieOptions{Name: "cart", Path: "/", MaxAge: time.Hour, Secure: true, HTTPOnly: true, SameSite: "Lax", Domain: "a.example"}
	u := open(t, o)
	seen := map[string]bool{}
	for range 100 {
		first, set := asking(t, u)
		seen[first] = true
		if len(set) != 1 || !strings.HasPrefix(set[0], "cart=") || !strings.HasSuffix(set[0], "; Path=/; Domain=a.example; Max-Age=3600; Secure; HttpOnly; SameSite=Lax") {
			t.Fatalf("got %q", set)
		}
		again, none := asking(t, u, "Cookie: other=1; "+pair(set[0]))
		if again != first || len(none) != 0 {
			t.Fatalf("with %s: %s and %q, before: %s", set[0], again, none, first)
		}
	}
	if len(seen) != 3 {
		t.Errorf("100 new clients went to %v, want all three", seen)
	}
}

func stickyGroup(addresses ...string) Options {
	o := group(addresses...)
	o.Balance.Sticky = &CookieOptions{Name: "at"}
	return o
}

func TestStickyKeepsAndMoves(t *testing.T) {
	a, b := naming(t, "a"), naming(t, "b")
	o := stickyGroup(a, b, deadAddress(t))
	o.Retries, o.Policy = 2, "random"
	u := open(t, o)
	first, set := asking(t, u)
	if len(set) != 1 || strings.Contains(set[0], "127.0.0.1") || len(set[0]) != len("at=")+16 {
		t.Fatalf("got %q, want at= and what does not tell the address", set)
	}
	cookie := "Cookie: " + pair(set[0])
	for range 20 {
		if again, set := asking(t, u, cookie); again != first || len(set) != 0 {
			t.Fatalf("%s after %s, %q", again, first, set)
		}
	}
	address, other := a, "b"
	if first == "b" {
		address, other = b, "a"
	}
	setUsable(t, u, address, false)
	moved, set := asking(t, u, cookie)
	if moved != other || len(set) != 1 || pair(set[0]) == cookie[len("Cookie: "):] {
		t.Errorf("its endpoint is out: got %s, %q, want %s and a new cookie", moved, set, other)
	}
	setUsable(t, u, address, true)
	if back, set := asking(t, u, cookie); back != first || len(set) != 0 {
		t.Errorf("its endpoint is back: got %s, %q", back, set)
	}
	dead := "Cookie: at=" + pinOf("test", o.Endpoints[2].Address)
	if _, set := asking(t, u, dead); len(set) != 1 {
		t.Errorf("its endpoint was tried in vain: got %q, want a new cookie", set)
	}
	if _, set := asking(t, u, "Cookie: at=nobody"); len(set) != 1 {
		t.Errorf("its endpoint is unknown: got %q, want a new cookie", set)
	}
}

// TestPinsAreTheSameElsewhere: another gateway, or this one started anew, knows whom a cookie means; another upstream does not.
func TestPinsAreTheSameElsewhere(t *testing.T) {
	if got := pinOf("orders", "10.0.0.1:80"); got != "Hsv5jCtXWVMsj3mL" {
		t.Errorf("got %s", got)
	}
	if pinOf("orders", "10.0.0.1:80") == pinOf("carts", "10.0.0.1:80") {
		t.Error("two upstreams call an endpoint the same")
	}
}

// TestFailOver: those of the next priority answer when the first cannot, be it known before or found out.
func TestFailOver(t *testing.T) {
	a, spare := naming(t, "a"), naming(t, "spare")
	o := group(deadAddress(t), a, spare)
	o.Retries, o.Endpoints[2].Priority, o.Balance.Panic = 2, 1, 50
	u := open(t, o)
	for range 20 {
		if who, _ := asking(t, u); who != "a" {
			t.Fatalf("got %s, want a", who)
		}
	}
	setUsable(t, u, a, false)
	setUsable(t, u, o.Endpoints[0].Address, false)
	for range 20 {
		if who, _ := asking(t, u); who != "spare" {
			t.Fatalf("got %s, want spare", who)
		}
	}
	if got := u.Endpoints(); got[0].Effective != 0 || got[1].Effective != 0 || got[2].Effective != 1 || got[2].Priority != 1 || u.Balance().Panic {
		t.Errorf("got %+v", got)
	}
	setUsable(t, u, spare, false)
	if who, _ := asking(t, u); who != "a" || !u.Balance().Panic || u.Balance().PanicPicks == 0 {
		t.Errorf("none is usable: got %s, %+v, want a panic", who, u.Balance())
	}
}

func TestZoneFirst(t *testing.T) {
	here, there := naming(t, "here"), naming(t, "there")
	o := group(there, here)
	o.Endpoints[0].Zone, o.Endpoints[1].Zone, o.Balance.Zone = "b", "a", "a"
	u := open(t, o)
	for range 10 {
		if who, _ := asking(t, u); who != "here" {
			t.Fatalf("got %s, want here", who)
		}
	}
	setUsable(t, u, here, false)
	if who, _ := asking(t, u); who != "there" {
		t.Errorf("got %s, want there", who)
	}
}

func TestNoneUsableWithoutPanic(t *testing.T) {
	a := naming(t, "a")
	u := open(t, group(a))
	setUsable(t, u, a, false)
	x := request("GET", "/")
	if f := u.Do(x, Send{}); f == nil || !strings.Contains(f.Error(), "no usable endpoint") {
		t.Errorf("got %v, want no usable endpoint", f)
	}
}

// TestWeightChangeKeepsConnections also keeps what was counted.
func TestWeightChangeKeepsConnections(t *testing.T) {
	p, q := listen(t, always(okAnswer)), listen(t, always(okAnswer))
	o := group(p.address, q.address)
	u := open(t, o)
	for range 4 {
		ask(t, u, request("GET", "/"))
	}
	if err := u.Update([]EndpointOptions{{Address: q.address, Weight: 3, Zone: "z", Priority: 0}, {Address: p.address}}); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		ask(t, u, request("GET", "/"))
	}
	got := u.Endpoints()
	if got[0].Requests != 2+6 || got[0].Weight != 3 || got[0].Zone != "z" || got[1].Requests != 2+2 || p.conns.Load() != 1 || q.conns.Load() != 1 {
		t.Errorf("got %+v, %d and %d connections", got, p.conns.Load(), q.conns.Load())
	}
}

func TestLatencyIsFed(t *testing.T) {
	for _, policy := range []string{"ewma", "round_robin"} {
		busy := listen(t, always("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")).address
		o := group(naming(t, "a"), deadAddress(t), busy)
		o.Policy, o.Retries = policy, 1
		u := open(t, o)
		for range 50 {
			ask(t, u, request("GET", "/"))
		}
		now := time.Now().UnixNano()
		var got [3]float64
		for i, e := range u.view.Load().endpoints {
			got[i] = e.latency.At(now)
		}
		if policy != "ewma" && got != [3]float64{} {
			t.Errorf("%s: latencies %v, want none", policy, got)
		}
		if policy == "ewma" && (got[0] == 0 || got[1] < float64(failedLatency)/2 || got[2] < float64(failedLatency)/2) {
			t.Errorf("%s: latencies %v, want what it took, and twice the price of failing", policy, got)
		}
	}
}

// TestPickingAllocatesNothing has each policy, and what it goes by, on a kept connection.
func TestPickingAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, policy := range balance.Policies() {
		p, q := listen(t, answering(jsonAnswer)), listen(t, answering(jsonAnswer))
		o := stickyGroup(p.address, q.address)
		o.Policy, o.Balance.HashBalance = policy, 1.25
		if balance.Hashes(policy) {
			o.Balance.Hash = parts(t, "client", "header:Accept", "cookie:id", "path")
		}
		u := open(t, o)
		x := prepared("GET", "")
		x.Req.Fields.Add("Cookie", "id=42; at="+pinOf("test", p.address))
		y := prepared("GET", "")
		for _, one := range []*exchange.Exchange{x, y} {
			got := testing.AllocsPerRun(500, func() {
				if f := u.Do(one, Send{}); f != nil {
					t.Error(f)
				}
				one.Resp.Reset()
			})
			most := 0.0
			if one == y {
				most = 1 // the Set-Cookie field's value
			}
			if got > most {
				t.Errorf("%s: got %v allocations, want %v", policy, got, most)
			}
		}
	}
}

// TestPickHammer changes everything while exchanges run.
func TestPickHammer(t *testing.T) {
	a, b, c := naming(t, "a"), naming(t, "b"), naming(t, "c")
	for _, policy := range balance.Policies() {
		o := stickyGroup(a, b, c)
		o.Policy, o.Retries, o.Balance.SlowStart, o.Balance.Panic, o.Balance.HashBalance = policy, 1, time.Second, 50, 1.25
		if balance.Hashes(policy) {
			o.Balance.Hash = parts(t, "header:X-User")
		}
		u := open(t, o)
		var wait sync.WaitGroup
		for worker := range 4 {
			wait.Go(func() {
				cookie := ""
				for n := range 100 {
					_, set := asking(t, u, fmt.Sprintf("X-User: %d", n%10), "Cookie: "+cookie)
					if len(set) > 0 && worker%2 == 0 {
						cookie = pair(set[0])
					}
				}
			})
		}
		wait.Go(func() {
			for n := range 50 {
				setUsable(t, u, []string{a, b, c}[n%3], n%2 == 0)
				list := []EndpointOptions{{Address: a, Weight: n%5 + 1}, {Address: b, Priority: n % 2}, {Address: c, Zone: "z"}}
				if err := u.Update(list[:2+n%2]); err != nil {
					t.Error(err)
				}
				u.Endpoints()
				u.Balance()
			}
		})
		wait.Wait()
	}
}

func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = 10 * time.Second
		e, now := &Endpoint{}, time.Now()
		check := func(what string, usable bool, want int) {
			t.Helper()
			if got := e.percent(usable, slow); got != want {
				t.Errorf("%s: got %d %%, want %d", what, got, want)
			}
		}
		check("of the first config", true, 100)
		e.risen = now
		check("joined", true, firstPercent)
		e.risen = now.Add(-slow / 2)
		check("half-way", true, 50)
		e.risen = now.Add(-slow)
		check("risen", true, 100)
		check("out", false, 100)
		check("still out", false, 100)
		check("back", true, firstPercent)
		if got := e.percent(true, 0); got != 100 {
			t.Errorf("without slow start: got %d %%, want 100", got)
		}
	})
}

// TestSlowStartEnds: the weight of one that joins rises by itself, and then nothing is left that would make views.
func TestSlowStartEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = 10 * time.Second
		o := group("a:1")
		o.Balance.SlowStart = slow
		u := open(t, o)
		if got := u.Endpoints()[0].Effective; got != 1 {
			t.Errorf("of the first config: got weight %v, want 1", got)
		}
		if err := u.Update([]EndpointOptions{{Address: "a:1"}, {Address: "b:1", Weight: 10}}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			want  float64
		}{{0, 1}, {slow / 2, 5}, {slow, 10}} {
			time.Sleep(step.after)
			synctest.Wait()
			if got := u.Endpoints(); got[0].Effective != 1 || math.Abs(got[1].Effective-step.want) > 0.6 {
				t.Errorf("%v later: got weights %v and %v, want 1 and %v of 10", step.after, got[0].Effective, got[1].Effective, step.want)
			}
		}
		u.changing.Lock()
		defer u.changing.Unlock()
		if u.rising != nil {
			t.Error("a timer is left")
		}
	})
}
