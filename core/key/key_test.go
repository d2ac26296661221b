package key

import (
	"net/netip"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/limit"
)

func request() *exchange.Exchange {
	x := &exchange.Exchange{Route: "r", Addr: netip.MustParseAddr("192.0.2.1"), Params: []exchange.Param{{Name: "id", Value: "7"}}}
	x.Req.Host, x.Req.Path, x.Req.Query = "a.example", "/p", "q=1"
	x.Req.Fields.Add("X-User", "u")
	x.Req.Fields.Add("Cookie", "session=s1")
	x.SetAttr("consumer", "carol")
	return x
}

func TestValue(t *testing.T) {
	tests := []struct{ part, want string }{
		{"client", "192.0.2.1"}, {"route", "r"}, {"host", "a.example"}, {"path", "/p"}, {"consumer", "carol"}, {"attr:consumer", "carol"},
		{"header:x-user", "u"}, {"cookie:session", "s1"}, {"query:q", "1"}, {"param:id", "7"},
	}
	for _, test := range tests {
		p, err := Parse(test.part)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := p.Value(request()); got != test.want || !ok {
			t.Errorf("%s: got %q, %v, want %q", test.part, got, ok, test.want)
		}
		if got, ok := p.Value(&exchange.Exchange{}); got != "" && test.part != "client" || ok && test.part != "path" {
			t.Errorf("%s of nothing: got %q, %v", test.part, got, ok)
		}
	}
}

func TestClients(t *testing.T) {
	tests := []struct{ address, want string }{
		{"192.0.2.1", "192.0.2.1"}, {"::ffff:192.0.2.1", "192.0.2.1"}, {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"}, {"fe80::1%eth0", "fe80::/64"},
	}
	p, seed := Part{kind: "client"}, limit.NewSeed()
	for _, test := range tests {
		x := &exchange.Exchange{Addr: netip.MustParseAddr(test.address)}
		if got, _ := p.Value(x); got != test.want {
			t.Errorf("%s: got %s, want %s", test.address, got, test.want)
		}
	}
	same := func(a, b string) bool {
		x, y := &exchange.Exchange{Addr: netip.MustParseAddr(a)}, &exchange.Exchange{Addr: netip.MustParseAddr(b)}
		return p.Join(seed, 0, x) == p.Join(seed, 0, y)
	}
	if !same("2001:db8::1", "2001:db8::2") || same("2001:db8::1", "2001:db8:0:1::1") || same("192.0.2.1", "192.0.2.2") || !same("192.0.2.1", "::ffff:192.0.2.1") {
		t.Error("addresses are not told apart as clients are")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "client:x", "header:", "header", "cookies:x", "consumer:", "client:", ":", "attr:"} {
		if p, err := Parse(text); err == nil {
			t.Errorf("%q was taken: %v", text, p)
		}
	}
}

func TestJoinAllocatesNothing(t *testing.T) {
	x, seed := request(), limit.NewSeed()
	for _, text := range []string{"client", "route", "header:x-user", "cookie:session", "query:q", "param:id", "consumer"} {
		p, _ := Parse(text)
		if got := testing.AllocsPerRun(100, func() { p.Join(seed, 0, x) }); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", text, got)
		}
	}
}
