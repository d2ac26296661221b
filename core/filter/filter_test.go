package filter

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/key"
	"github.com/sallyport/sallyport/core/limit"
)

func text(fields *header.Fields) string {
	var b strings.Builder
	for _, field := range fields.All() {
		b.WriteString(field.Name + "=" + field.Value + ";")
	}
	return b.String()
}

func TestHeaders(t *testing.T) {
	edit := HeaderEdit{Remove: []string{"Server"}, Set: []header.Field{{Name: "A", Value: "1"}}, Add: []header.Field{{Name: "B", Value: "2"}}}
	tests := []struct {
		name              string
		request, response HeaderEdit
		hooks             chain.Hooks
		wantReq, wantResp string
		host              string
	}{
		{"nothing", HeaderEdit{}, HeaderEdit{}, 0, "a=0;server=x;", "a=0;server=x;", "h"},
		{"request", edit, HeaderEdit{}, chain.OnRequest, "A=1;B=2;", "a=0;server=x;", "h"},
		{"response", HeaderEdit{}, edit, chain.OnResponse, "a=0;server=x;", "A=1;B=2;", "h"},
		{"host is no field", HeaderEdit{Set: []header.Field{{Name: "host", Value: "New"}}}, HeaderEdit{}, chain.OnRequest, "a=0;server=x;", "a=0;server=x;", "new"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := NewHeaders(test.request, test.response)
			if got := h.Hooks(); got != test.hooks {
				t.Errorf("hooks: got %b, want %b", got, test.hooks)
			}
			var x exchange.Exchange
			x.Req.Host = "h"
			for _, fields := range []*header.Fields{&x.Req.Fields, &x.Resp.Fields} {
				fields.Add("a", "0")
				fields.Add("server", "x")
			}
			if _, err := h.Request(&x, 0); err != nil {
				t.Fatal(err)
			}
			if err := h.Response(&x, 0); err != nil {
				t.Fatal(err)
			}
			if got := text(&x.Req.Fields); got != test.wantReq || x.Req.Host != test.host {
				t.Errorf("request: got %s host %s, want %s", got, x.Req.Host, test.wantReq)
			}
			if got := text(&x.Resp.Fields); got != test.wantResp {
				t.Errorf("response: got %s, want %s", got, test.wantResp)
			}
		})
	}
}

func TestPathRewrite(t *testing.T) {
	params := []exchange.Param{{Name: "id", Value: "7%2F8"}, {Name: "rest", Value: "/a/b"}}
	tests := []struct {
		name, path, query string
		options           PathOptions
		want              string // path?query
	}{
		{"strip", "/api/x", "q", PathOptions{StripPrefix: "/api"}, "/x?q"},
		{"strip with a slash", "/api/x", "", PathOptions{StripPrefix: "/api/"}, "/x?"},
		{"strip all", "/api", "", PathOptions{StripPrefix: "/api"}, "/?"},
		{"strip all but the slash", "/api/", "", PathOptions{StripPrefix: "/api"}, "/?"},
		{"not half a segment", "/apis", "", PathOptions{StripPrefix: "/api"}, "/apis?"},
		{"add", "/x", "q", PathOptions{AddPrefix: "/api/"}, "/api/x?q"},
		{"path", "/x", "q", PathOptions{Path: "/u/:id/z/*rest"}, "/u/7%2F8/z/a/b?q"},
		{"path with a query", "/x", "q", PathOptions{Path: "/u?id=:id&r=*rest"}, "/u?id=7%2F8&r=a/b"},
		{"path is made canonical", "/x", "", PathOptions{Path: "/u/../v//:id"}, "/v/7%2F8?"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := NewPathRewrite(test.options)
			if err != nil {
				t.Fatal(err)
			}
			x := exchange.Exchange{Params: params}
			x.Req.Path, x.Req.Query = test.path, test.query
			if _, err := NewRewrite(r).Request(&x, 0); err != nil {
				t.Fatal(err)
			}
			if got := x.Req.Path + "?" + x.Req.Query; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	for _, wrong := range []PathOptions{{StripPrefix: "api"}, {StripPrefix: "/a", AddPrefix: "/b"}, {Path: "/:"}} {
		if _, err := NewPathRewrite(wrong); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
	if r, err := NewPathRewrite(PathOptions{}); r != nil || err != nil {
		t.Errorf("nothing to do: got %v, %v", r, err)
	}
	r, err := NewPathRewrite(PathOptions{Path: "/../x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewRewrite(r).Request(&exchange.Exchange{}, 0); err == nil {
		t.Error("a path above the root was taken")
	}
}

func TestTemplateLetsNobodyAddToTheQuery(t *testing.T) {
	tmpl, err := ParseTemplate("/:id/x?id=:id&r=*rest")
	if err != nil {
		t.Fatal(err)
	}
	x := exchange.Exchange{Params: []exchange.Param{{Name: "id", Value: "7&a=1"}, {Name: "rest", Value: "/b;c+d/%20"}}}
	if got, want := tmpl.Expand(&x), "/7&a=1/x?id=7%26a%3D1&r=b%3Bc%2Bd/%20"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTemplateLeavesURLsAlone(t *testing.T) {
	tmpl, err := ParseTemplate("https://example.com:8443/x/:id?a=b:c")
	if err != nil {
		t.Fatal(err)
	}
	x := exchange.Exchange{Params: []exchange.Param{{Name: "id", Value: "7"}}}
	if got := tmpl.Expand(&x); got != "https://example.com:8443/x/7?a=b:c" {
		t.Errorf("got %s", got)
	}
}

// one is a limit in memory.
func one(t testing.TB, name string, p limit.Policy, by ...string) *Limit {
	t.Helper()
	counter, err := limit.New(p, 1000)
	if err != nil {
		t.Fatal(err)
	}
	l := &Limit{Name: name, ID: name, Policy: p, Cost: Cost{Default: 1, Max: 1}, Counter: counter, Seed: limit.NewSeed(), Tally: &Tally{}}
	for _, text := range by {
		part, err := key.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		l.By = append(l.By, part)
	}
	return l
}

func together(limits ...*Limit) *RateLimit {
	return NewRateLimit(RateLimitOptions{Limits: limits, Answer: func(x *exchange.Exchange, status int, _, _ string) {
		x.Resp.Fields.Reset()
		x.Resp.Status = status
	}})
}

func rateLimit(t testing.TB, by ...string) *RateLimit {
	t.Helper()
	return together(one(t, "default", limit.Policy{Count: 10, Per: time.Minute, Burst: 2}, by...))
}

func from(addr string) *exchange.Exchange {
	x := &exchange.Exchange{Addr: netip.MustParseAddr(addr)}
	x.Times.Start = time.Unix(1_700_000_000, 0)
	return x
}

func TestRateLimitTells(t *testing.T) {
	r := rateLimit(t, "client")
	for i, want := range []string{
		`RateLimit-Policy="default";q=10;w=60;RateLimit="default";r=1;t=6;`,
		`RateLimit-Policy="default";q=10;w=60;RateLimit="default";r=0;t=12;`,
		`Retry-After=6;RateLimit-Policy="default";q=10;w=60;RateLimit="default";r=0;t=12;`,
	} {
		x := from("192.0.2.1")
		verdict, err := r.Request(x, 0)
		if err != nil {
			t.Fatal(err)
		}
		if verdict == chain.Continue {
			if err := r.Response(x, 0); err != nil {
				t.Fatal(err)
			}
		}
		if denied := verdict == chain.Respond; denied != (i == 2) || denied != (x.Resp.Status == 429) {
			t.Errorf("request %d: verdict %v, status %d", i, verdict, x.Resp.Status)
		}
		if got := text(&x.Resp.Fields); got != want {
			t.Errorf("request %d:\ngot  %s\nwant %s", i, got, want)
		}
	}
}

func TestRateLimitKeys(t *testing.T) {
	make := func(addr, route, user string) *exchange.Exchange {
		x := from(addr)
		x.Route = route
		x.Req.Fields.Add("X-User", user)
		x.SetAttr("consumer", user)
		return x
	}
	one := func() *exchange.Exchange { return make("2001:db8::1", "a", "u") }
	tests := []struct {
		name  string
		by    []string
		other *exchange.Exchange
		same  bool
	}{
		{"the same /64", []string{"client"}, make("2001:db8::ffff:1", "b", "v"), true},
		{"another /64", []string{"client"}, make("2001:db8:0:1::1", "a", "u"), false},
		{"route", []string{"route"}, make("2001:db8::1", "b", "u"), false},
		{"header", []string{"header:x-user"}, make("2001:db8::1", "a", "v"), false},
		{"same header", []string{"header:x-user"}, make("192.0.2.1", "b", "u"), true},
		{"attribute", []string{"attr:consumer"}, make("2001:db8::1", "a", "v"), false},
		{"all of several", []string{"client", "route"}, make("2001:db8::1", "b", "u"), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := rateLimit(t, test.by...)
			if got := r.o.Limits[0].key(one()) == r.o.Limits[0].key(test.other); got != test.same {
				t.Errorf("same bucket: got %v, want %v", got, test.same)
			}
			if first, again := r.o.Limits[0].key(one()), r.o.Limits[0].key(one()); first != again {
				t.Errorf("a request has two keys: %x and %x", first, again)
			}
		})
	}
}

func BenchmarkRateLimit(b *testing.B) {
	r := rateLimit(b, "client", "route")
	x := from("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		x.Times.Start = x.Times.Start.Add(10 * time.Second)
		x.Resp.Fields.Reset()
		if verdict, err := r.Request(x, 0); verdict != chain.Continue || err != nil {
			b.Fatal(verdict, err)
		}
		if err := r.Response(x, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func TestFiltersAllocateNothing(t *testing.T) {
	r := rateLimit(t, "client", "route")
	h := NewHeaders(HeaderEdit{Set: []header.Field{{Name: "A", Value: "1"}}}, HeaderEdit{Remove: []string{"Server"}})
	p, err := NewPathRewrite(PathOptions{StripPrefix: "/a"})
	if err != nil {
		t.Fatal(err)
	}
	x := from("192.0.2.1")
	if n := testing.AllocsPerRun(1000, func() {
		x.Times.Start = x.Times.Start.Add(10 * time.Second)
		x.Req.Path = "/a/b"
		x.Resp.Fields.Reset()
		_, _ = r.Request(x, 0)
		_ = r.Response(x, 0)
		_, _ = h.Request(x, 1)
		_ = h.Response(x, 1)
		_ = p.Apply(x)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
