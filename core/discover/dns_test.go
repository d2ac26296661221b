package discover

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// world is what a DNS source is answered without a network.
type world struct {
	mu     sync.Mutex
	zone   zone
	broken map[string]error // by name and type, as in the zone
	asked  []string
}

func (w *world) ask(_ context.Context, q question) (answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := q.name + " " + strings.TrimPrefix(q.kind.String(), "Type")
	w.asked = append(w.asked, key)
	if err := w.broken[key]; err != nil {
		return answer{}, err
	}
	query := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(q.name), Type: q.kind, Class: dnsmessage.ClassINET}}}
	m := w.zone.answer(&query)
	m.Additionals = w.zone[key+" extra"]
	return readAnswer(pack(m), 0, q)
}

// questions returns what was asked since the last time, sorted.
func (w *world) questions() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.asked)
	asked := strings.Join(w.asked, ", ")
	w.asked = nil
	return asked
}

func sourceOf(w *world, o DNSOptions) *DNS {
	o.MinTTL, o.MaxTTL = max(o.MinTTL, time.Second), 5*time.Minute
	s := NewDNS(o)
	s.ask = w.ask
	return s
}

func TestLookUp(t *testing.T) {
	silence := errors.New("silence")
	for _, c := range []struct {
		name  string
		o     DNSOptions
		zone  zone
		bad   map[string]error
		want  string // endpoints
		fault string
		ttl   time.Duration
		asked string
	}{
		{
			name: "addresses", o: DNSOptions{Name: "A.test", Port: 80},
			zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.2"), a("a.test.", 30, "10.0.0.1"), a("a.test.", 60, "10.0.0.1"), a("b.test.", 1, "10.6.6.6")}, "a.test. AAAA": {a("a.test.", 90, "::1")}},
			want: "10.0.0.1:80 10.0.0.2:80 [::1]:80", ttl: 30 * time.Second, asked: "a.test. A, a.test. AAAA",
		},
		{
			name: "one family", o: DNSOptions{Name: "a.test.", Port: 80, Family: "ipv4"},
			zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}, "a.test. AAAA": {a("a.test.", 90, "::1")}},
			want: "10.0.0.1:80", ttl: time.Minute, asked: "a.test. A",
		},
		{
			name: "the other", o: DNSOptions{Name: "a.test.", Port: 80, Family: "ipv6"},
			zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}, "a.test. AAAA": {a("a.test.", 90, "::1")}},
			want: "[::1]:80", ttl: 90 * time.Second, asked: "a.test. AAAA",
		},
		{
			name: "a missing family bounds nothing", o: DNSOptions{Name: "a.test", Port: 80},
			zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}, "SOA": {soa(5, 5)}},
			want: "10.0.0.1:80", ttl: time.Minute, asked: "a.test. A, a.test. AAAA",
		},
		{
			name: "an alias with its address", o: DNSOptions{Name: "a.test", Port: 80, Family: "ipv4"},
			zone: zone{"a.test. A": {cname("a.test.", 20, "B.test."), cname("b.test.", 60, "c.test."), a("c.test.", 60, "10.0.0.1"), a("b.test.", 60, "10.6.6.6")}},
			want: "10.0.0.1:80", ttl: 20 * time.Second, asked: "a.test. A",
		},
		{
			name: "an alias alone", o: DNSOptions{Name: "a.test", Port: 80, Family: "ipv4"},
			zone: zone{"a.test. A": {cname("a.test.", 20, "b.test.")}, "b.test. A": {a("b.test.", 60, "10.0.0.1")}},
			want: "10.0.0.1:80", ttl: 20 * time.Second, asked: "a.test. A, b.test. A",
		},
		{
			name: "aliases in a circle", o: DNSOptions{Name: "a.test", Port: 80, Family: "ipv4"},
			zone:  zone{"a.test. A": {cname("a.test.", 20, "b.test.")}, "b.test. A": {cname("b.test.", 20, "a.test.")}},
			fault: "too many aliases", asked: "a.test. A, a.test. A, a.test. A, a.test. A, b.test. A, b.test. A, b.test. A, b.test. A",
		},
		{
			name: "no such name", o: DNSOptions{Name: "a.test", Port: 80}, zone: zone{"SOA": {soa(60, 30)}},
			fault: "the name has no address", ttl: 30 * time.Second, asked: "a.test. A, a.test. AAAA",
		},
		{
			name: "a name of something else", o: DNSOptions{Name: "a.test", Port: 80}, zone: zone{"a.test. TXT": nil, "SOA": {soa(20, 30)}},
			fault: "the name has no address", ttl: 20 * time.Second, asked: "a.test. A, a.test. AAAA",
		},
		{
			name: "no search", o: DNSOptions{Name: "a", Port: 80}, zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}},
			fault: "the name has no address", asked: "a. A, a. AAAA",
		},
		{
			name: "search", o: DNSOptions{Name: "a", Port: 80, Search: []string{"x.test", "test.", "never"}, Family: "ipv4"}, zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}},
			want: "10.0.0.1:80", ttl: time.Minute, asked: "a. A, a.test. A, a.x.test. A",
		},
		{
			name: "search in vain", o: DNSOptions{Name: "a.b", Port: 80, Search: []string{"test"}, Family: "ipv4"}, zone: zone{"SOA": {soa(20, 30)}},
			fault: "the name has no address", ttl: 20 * time.Second, asked: "a.b. A, a.b.test. A",
		},
		{
			name: "nothing is searched after a failure", o: DNSOptions{Name: "a", Port: 80, Search: []string{"test"}, Family: "ipv4"},
			zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}}, bad: map[string]error{"a. A": silence},
			fault: "a. A: silence", asked: "a. A",
		},
		{
			name: "half a failure", o: DNSOptions{Name: "a.test", Port: 80},
			zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}}, bad: map[string]error{"a.test. AAAA": silence},
			want: "10.0.0.1:80", fault: "a.test. AAAA: silence", ttl: time.Minute, asked: "a.test. A, a.test. AAAA",
		},
		{
			name: "services with what came along", o: DNSOptions{Name: "_http._tcp.a.test", SRV: true, Family: "ipv4"},
			zone: zone{
				"_http._tcp.a.test. SRV":       {srv("_http._tcp.a.test.", 60, 10, 3, 8080, "One.test."), srv("_http._tcp.a.test.", 60, 20, 0, 8081, "two.test.")},
				"_http._tcp.a.test. SRV extra": {a("ONE.test.", 30, "10.0.0.1"), a("one.test.", 60, "::1"), a("three.test.", 60, "10.6.6.6")},
				"two.test. A":                  {a("two.test.", 60, "10.0.0.2")},
			},
			want: "10.0.0.1:8080*1000 10.0.0.2:8081/1", ttl: 30 * time.Second, asked: "_http._tcp.a.test. SRV, two.test. A",
		},
		{
			name: "services", o: DNSOptions{Name: "_http._tcp.a.test.", SRV: true},
			zone: zone{
				"_http._tcp.a.test. SRV": {srv("_http._tcp.a.test.", 60, 0, 2, 80, "one.test."), srv("_http._tcp.a.test.", 60, 0, 1, 81, "one.test."), srv("_http._tcp.a.test.", 60, 0, 5, 80, "gone.test.")},
				"one.test. A":            {a("one.test.", 50, "10.0.0.1")},
				"SOA":                    {soa(5, 5)},
			},
			want: "10.0.0.1:80*2 10.0.0.1:81", ttl: 50 * time.Second, asked: "_http._tcp.a.test. SRV, gone.test. A, gone.test. AAAA, one.test. A, one.test. AAAA",
		},
		{
			name: "no services", o: DNSOptions{Name: "_http._tcp.a.test.", SRV: true}, zone: zone{"SOA": {soa(5, 7)}},
			fault: "no SRV records", ttl: 5 * time.Second, asked: "_http._tcp.a.test. SRV",
		},
		{
			name: "explicitly no services", o: DNSOptions{Name: "_http._tcp.a.test.", SRV: true},
			zone:  zone{"_http._tcp.a.test. SRV": {srv("_http._tcp.a.test.", 60, 0, 0, 0, ".")}},
			fault: "no SRV records", ttl: time.Minute, asked: "_http._tcp.a.test. SRV",
		},
		{
			name: "services nowhere", o: DNSOptions{Name: "_http._tcp.a.test.", SRV: true, Family: "ipv4"},
			zone:  zone{"_http._tcp.a.test. SRV": {srv("_http._tcp.a.test.", 60, 0, 2, 80, "one.test.")}, "SOA": {soa(5, 7)}},
			fault: "none of the SRV records' targets", ttl: 5 * time.Second, asked: "_http._tcp.a.test. SRV, one.test. A",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{zone: c.zone, broken: c.bad}
			r := sourceOf(w, c.o).lookUp(t.Context())
			if got := text(r.list); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if (r.err == nil) != (c.fault == "") || r.err != nil && !strings.Contains(r.err.Error(), c.fault) {
				t.Errorf("error %v, want %q", r.err, c.fault)
			}
			if r.ttl != c.ttl || r.lasting != (c.ttl > 0) {
				t.Errorf("holds for %s (%v), want %s", r.ttl, r.lasting, c.ttl)
			}
			if got := w.questions(); got != c.asked {
				t.Errorf("asked %s, want %s", got, c.asked)
			}
		})
	}
}

// text writes endpoints with their weights other than 1 and priorities other than 0.
func text(list []Endpoint) string {
	var words []string
	for _, e := range Merge(list) {
		word := e.Address
		if e.Weight != 1 {
			word += fmt.Sprintf("*%d", e.Weight)
		}
		if e.Priority != 0 {
			word += fmt.Sprintf("/%d", e.Priority)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestWeights(t *testing.T) {
	for _, c := range []struct {
		name   string
		shares []float64
		want   []int
	}{
		{"none", nil, []int{}},
		{"as they are", []float64{1, 1000, 10}, []int{1, 1000, 10}},
		{"all zero", []float64{0, 0}, []int{1, 1}},
		{"a zero", []float64{0, 5, 10}, []int{1, 500, 1000}},
		{"large", []float64{65535, 1, 32767.5}, []int{1000, 1, 500}},
		{"halves", []float64{2.5, 2.5, 5}, []int{500, 500, 1000}},
	} {
		if got := weights(c.shares); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// A target's addresses share its weight.
func TestServicesWithManyAddresses(t *testing.T) {
	w := &world{zone: zone{
		"s.test. SRV": {srv("s.test.", 60, 7, 6, 80, "one.test."), srv("s.test.", 60, 7, 6, 80, "two.test."), srv("s.test.", 60, 3, 0, 80, "gone.test.")},
		"one.test. A": {a("one.test.", 60, "10.0.0.1"), a("one.test.", 60, "10.0.0.2"), a("one.test.", 60, "10.0.0.3")},
		"two.test. A": {a("two.test.", 60, "10.0.0.4")},
	}}
	r := sourceOf(w, DNSOptions{Name: "s.test", SRV: true, Family: "ipv4"}).lookUp(t.Context())
	if got, want := text(r.list), "10.0.0.1:80*2 10.0.0.2:80*2 10.0.0.3:80*2 10.0.0.4:80*6"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A server can put so much into its answers that their product fills the memory.
func TestTooManyServices(t *testing.T) {
	services, addresses := make([]dnsmessage.Resource, 2000), make([]dnsmessage.Resource, 2000)
	for i := range services {
		services[i] = srv("s.test.", 60, 0, 1, uint16(i+1), "one.test.")
		addresses[i] = a("one.test.", 60, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String())
	}
	w := &world{zone: zone{"s.test. SRV": services, "one.test. A": addresses}}
	r := sourceOf(w, DNSOptions{Name: "s.test", SRV: true, Family: "ipv4"}).lookUp(t.Context())
	if r.list != nil || r.err == nil || !strings.Contains(r.err.Error(), "4000000 endpoints, 10000 are the most") {
		t.Errorf("got %d endpoints, %v", len(r.list), r.err)
	}
	for i := range services {
		services[i] = srv("s.test.", 60, 0, 1, 80, fmt.Sprintf("t%d.test.", i))
	}
	w.asked = nil
	r = sourceOf(w, DNSOptions{Name: "s.test", SRV: true, Family: "ipv4"}).lookUp(t.Context())
	if r.list != nil || r.err == nil || len(w.asked) > 1 {
		t.Errorf("%d questions: got %d endpoints, %v", len(w.asked), len(r.list), r.err)
	}
}

// A resolver that blocks a name answers with an address that would be this machine.
func TestAddressesOfNobody(t *testing.T) {
	w := &world{zone: zone{"s.test. A": {a("s.test.", 60, "0.0.0.0"), a("s.test.", 60, "224.0.0.1")}}}
	if r := sourceOf(w, DNSOptions{Name: "s.test", Port: 80, Family: "ipv4"}).lookUp(t.Context()); r.list != nil || r.err == nil {
		t.Errorf("got %v, %v", r.list, r.err)
	}
}

// What one question is not answered is as it was.
func TestPartsStay(t *testing.T) {
	w := &world{zone: zone{
		"s.test. SRV": {srv("s.test.", 60, 0, 1, 80, "one.test."), srv("s.test.", 60, 0, 1, 80, "two.test.")},
		"one.test. A": {a("one.test.", 60, "10.0.0.1")},
		"two.test. A": {a("two.test.", 60, "10.0.0.2")},
	}}
	s := sourceOf(w, DNSOptions{Name: "s.test", SRV: true, Family: "ipv4"})
	s.lookUp(t.Context())
	broken := errors.New("broken")
	w.zone["one.test. A"] = []dnsmessage.Resource{a("one.test.", 60, "10.0.0.3")}
	for _, bad := range []string{"two.test. A", "s.test. SRV"} {
		w.broken = map[string]error{bad: broken}
		r := s.lookUp(t.Context())
		if got, want := text(r.list), "10.0.0.2:80 10.0.0.3:80"; got != want || !errors.Is(r.err, broken) || !r.failed {
			t.Errorf("without %s: got %s and %v, want %s", bad, got, r.err, want)
		}
	}
	w.broken = nil
	w.zone["s.test. SRV"] = w.zone["s.test. SRV"][:1]
	s.lookUp(t.Context())
	if _, known := s.known[question{"two.test.", dnsmessage.TypeA}]; known || len(s.known) != 2 {
		t.Errorf("%v is known", s.known)
	}
}

// TestWatch: when the DNS is asked again.
func TestWatch(t *testing.T) {
	ttl := func(seconds uint32) zone {
		return zone{"a.test. A": {a("a.test.", seconds, "10.0.0.1")}}
	}
	broken := map[string]error{"a.test. A": errors.New("silence")}
	for _, c := range []struct {
		name   string
		zone   zone
		broken map[string]error
		least  time.Duration // between the last two of some look-ups
		count  int
	}{
		{"as the answer says", ttl(30), nil, 30 * time.Second, 3},
		{"not sooner than the floor", ttl(0), nil, time.Second, 3},
		{"a TTL that is negative is none", ttl(1 << 31), nil, time.Second, 3},
		{"not later than the ceiling", ttl(86400), nil, 5 * time.Minute, 3},
		{"nothing there, for so long", zone{"SOA": {soa(60, 20)}}, nil, 20 * time.Second, 3},
		{"nothing there, for ever", zone{"SOA": {soa(86400, 86400)}}, nil, 5 * time.Minute, 3},
		{"nothing there, for nobody knows how long", zone{}, nil, emptyPause, 3},
		{"a first failure", zone{}, broken, time.Second, 2},
		{"a second", zone{}, broken, 2 * time.Second, 3},
		{"many", zone{}, broken, longestPause, 20},
		{"very many", zone{}, broken, longestPause, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var times []time.Time
				sourceOf(&world{zone: c.zone, broken: c.broken}, DNSOptions{Name: "a.test", Port: 80, Family: "ipv4"}).Watch(ctx, func(list []Endpoint, err error) {
					if times = append(times, time.Now()); len(times) == c.count {
						cancel()
					}
				})
				got := times[c.count-1].Sub(times[c.count-2])
				if got < c.least || got > c.least+c.least/10 {
					t.Errorf("%s between look-ups, want %s and up to a tenth more", got, c.least)
				}
			})
		})
	}
}

// A failure in the middle is repeated soon, and what is left of a set is used meanwhile.
func TestWatchAfterHalfAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{zone: zone{"a.test. A": {a("a.test.", 60, "10.0.0.1")}, "a.test. AAAA": {a("a.test.", 60, "::1")}}}
		ctx, cancel := context.WithCancel(t.Context())
		var pauses []time.Duration
		last := time.Now()
		sourceOf(w, DNSOptions{Name: "a.test", Port: 80}).Watch(ctx, func(list []Endpoint, err error) {
			if text(list) != "10.0.0.1:80 [::1]:80" {
				t.Errorf("got %s, %v", text(list), err)
			}
			pauses, last = append(pauses, time.Since(last).Truncate(time.Second)), time.Now()
			switch len(pauses) {
			case 1:
				w.broken = map[string]error{"a.test. AAAA": errors.New("silence")}
			case 3:
				w.broken = nil
			case 5:
				cancel()
			}
		})
		want := []time.Duration{0, time.Minute, time.Second, 2 * time.Second, time.Minute}
		for i := range want {
			if d := pauses[i] - want[i]; d < 0 || d > want[i]/10 {
				t.Errorf("pauses %v, want %v", pauses, want)
			}
		}
	})
}

func TestIdentity(t *testing.T) {
	for want, o := range map[Identity]DNSOptions{
		{"dns", "a.test:80"}:       {Name: "a.test", Port: 80},
		{"srv", "_http._tcp.a.b."}: {Name: "_http._tcp.a.b.", SRV: true, Port: 80},
	} {
		if got := NewDNS(o).Identity(); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
