package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

func TestRules(t *testing.T) {
	const both = `{"allow": ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"], "deny": ["10.1.0.0/16", "2001:db8:bad::/48"]}`
	tests := []struct {
		name, config, client string
		pass                 bool
	}{
		{"allowed network", both, "10.2.3.4", true},
		{"first of a network", both, "10.0.0.0", true},
		{"last of a network", both, "10.255.255.255", true},
		{"before a network", both, "9.255.255.255", false},
		{"after a network", both, "11.0.0.0", false},
		{"deny beats allow", both, "10.1.2.3", false},
		{"single address", both, "192.0.2.7", true},
		{"its neighbour", both, "192.0.2.8", false},
		{"v6 allowed", both, "2001:db8::1", true},
		{"v6 denied", both, "2001:db8:bad::1", false},
		{"v6 not listed", both, "2001:db9::", false},
		{"mapped client", both, "::ffff:10.2.3.4", true},
		{"mapped client denied", both, "::ffff:10.1.2.3", false},
		{"client with a zone", `{"deny": ["fe80::/10"]}`, "fe80::1%eth0", false},
		{"mapped rule", `{"deny": ["::ffff:10.0.0.0/104"]}`, "10.9.9.9", false},
		{"mapped address in a rule", `{"deny": ["::ffff:10.0.0.1"]}`, "10.0.0.1", false},
		{"deny only, not listed", `{"deny": ["10.0.0.0/8"]}`, "192.0.2.1", true},
		{"all of v4", `{"allow": ["0.0.0.0/0"]}`, "255.255.255.255", true},
		{"all of v4 is not v6", `{"allow": ["0.0.0.0/0"]}`, "2001:db8::1", false},
		{"all of v6", `{"allow": ["::/0"]}`, "ffff:ffff::", true},
		{"all of v6 is not v4", `{"allow": ["::/0"]}`, "10.0.0.1", false},
		{"a list", `{"deny_lists": ["# blocked\n10.0.0.0/8 ; spam\r\n\n 2001:db8::/32\t# more\n192.0.2.1"]}`, "192.0.2.1", false},
		{"a list's network", `{"deny_lists": ["# blocked\n10.0.0.0/8 ; spam\r\n\n 2001:db8::/32\t# more\n192.0.2.1"]}`, "10.9.9.9", false},
		{"a list's last comment", `{"deny_lists": ["10.0.0.0/8 ; 192.0.2.1"]}`, "192.0.2.1", true},
		{"one of two lists", `{"deny_lists": ["10.0.0.0/8", "192.0.2.0/24"], "deny": ["198.51.100.1"]}`, "192.0.2.9", false},
		{"beside lists", `{"deny_lists": ["10.0.0.0/8", "192.0.2.0/24"], "deny": ["198.51.100.1"]}`, "198.51.100.1", false},
		{"an allowed list", `{"allow_lists": ["\ufeff10.0.0.0/8"], "deny_lists": ["10.1.0.0/16"]}`, "10.2.0.1", true},
		{"denied all the same", `{"allow_lists": ["10.0.0.0/8"], "deny_lists": ["10.1.0.0/16"]}`, "10.1.0.1", false},
		{"not on it", `{"allow_lists": ["10.0.0.0/8"]}`, "192.0.2.1", false},
		{"v4-mapped, in hexadecimal", `{"deny": ["10.0.0.1"]}`, "::ffff:a00:1", false},
		{"v4-compatible is IPv6", `{"deny": ["10.0.0.1"]}`, "::10.0.0.1", true},
		{"the last address of all", `{"deny": ["255.255.255.255"]}`, "255.255.255.255", false},
		{"neighbours", `{"deny": ["10.0.0.0/25", "10.0.0.128/25"]}`, "10.0.0.128", false},
		{"one in another", `{"deny": ["10.0.0.0/8", "10.0.0.0/32", "10.0.0.1/32"]}`, "10.255.0.1", false},
		{"overlapping", `{"deny": ["10.0.0.0/8", "10.0.0.0/24", "10.0.0.1", "11.0.0.1"]}`, "10.200.0.1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sallyporttest.Configure(t, configure, tt.config)
			x := sallyporttest.NewExchange("GET", "/")
			x.ClientAddress = tt.client
			verdict, err := p.Request(x)
			if err != nil {
				t.Fatal(err)
			}
			if got := verdict == sallyport.Continue; got != tt.pass {
				t.Errorf("passes: %v, want %v", got, tt.pass)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	tests := []struct {
		name, config string
		status       int
		body         string
	}{
		{"default", `{"deny": ["192.0.2.1"]}`, 403, `{"type":"about:blank","title":"Forbidden","status":403,"request_id":"request-1"}`},
		{"not found", `{"deny": ["192.0.2.1"], "status": 404}`, 404, `{"type":"about:blank","title":"Not Found","status":404,"request_id":"request-1"}`},
		{"other", `{"deny": ["192.0.2.1"], "status": 451}`, 451, `{"type":"about:blank","title":"Refused","status":451,"request_id":"request-1"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sallyporttest.Configure(t, configure, tt.config)
			x := sallyporttest.NewExchange("GET", "/")
			if verdict, err := p.Request(x); verdict != sallyport.Respond || err != nil {
				t.Fatalf("got %v, %v", verdict, err)
			}
			if x.Status != tt.status || x.Body != tt.body+"\n" {
				t.Errorf("got %d %s, want %d %s", x.Status, x.Body, tt.status, tt.body)
			}
		})
	}
}

func TestNoAddress(t *testing.T) {
	p := sallyporttest.Configure(t, configure, `{"deny": ["10.0.0.0/8"]}`)
	x := sallyporttest.NewExchange("GET", "/")
	x.ClientAddress = ""
	if verdict, err := p.Request(x); err == nil {
		t.Errorf("got %v without an error", verdict)
	}
}

func TestRefusedConfig(t *testing.T) {
	const form = "must be an IP address or a network such as 10.0.0.0/8 or 2001:db8::/32"
	tests := []struct {
		name, config, want string
	}{
		{"empty", `{}`, "must have an allow list, a deny list, or both"},
		{"status only", `{"status": 404}`, "must have an allow list, a deny list, or both"},
		{"empty list", `{"allow": []}`, "/allow must not be empty"},
		{"no lists", `{"deny_lists": []}`, "/deny_lists must not be empty"},
		{"empty text", `{"deny_lists": ["# nothing\n\n"]}`, "/deny_lists/0 must hold an address or a network, one a line"},
		{"bad line", `{"deny_lists": ["10.0.0.1\n", "# a\n10.0.0.2\nlocalhost\n"]}`, "/deny_lists/1 line 3 " + form},
		{"host bits in a line", `{"allow_lists": ["10.0.0.1/8"]}`, "/allow_lists/0 line 1 has bits set beyond its length: 10.0.0.0/8 is a network, 10.0.0.1/8 is not"},
		{"two in a line", `{"allow_lists": ["10.0.0.1 10.0.0.2"]}`, "/allow_lists/0 line 1 " + form},
		{"unknown", `{"block": []}`, "/block is not a known key"},
		{"no address", `{"deny": ["10.0.0.1", "localhost"]}`, "/deny/1 " + form},
		{"too long", `{"deny": ["10.0.0.0/33"]}`, "/deny/0 " + form},
		{"zone", `{"deny": ["fe80::1%eth0"]}`, "/deny/0 " + form},
		{"host bits", `{"deny": ["10.0.0.1/8"]}`, "/deny/0 has bits set beyond its length: 10.0.0.0/8 is a network, 10.0.0.1/8 is not"},
		{"no string", `{"deny": [10]}`, "/deny/0 must be a string"},
		{"status", `{"deny": ["::1"], "status": 200}`, "/status must be an integer from 400 to 599"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sallyporttest.Refusal(t, configure, tt.config); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzParseV4 compares the short way with netip's.
func FuzzParseV4(f *testing.F) {
	for _, text := range []string{"10.0.0.0/8", "1.2.3.4", "0.0.0.0/0", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256",
		"1.2.3.4/33", "1.2.3.4/08", "1.2.3.4/", "1.2.3.4/1x", "/8", "", "::1", "1..2.3", "1.2.3.4/32/1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseV4(text)
		want, wantOK := parseAny(text)
		if strings.Contains(text, ":") {
			wantOK = false // what parseV4 leaves to parseAny
		}
		if ok != wantOK || ok && got != want {
			t.Errorf("%q: got %v, %v, want %v, %v", text, got, ok, want, wantOK)
		}
	})
}

// TestSetAgainstScan compares the set with looking at every network in turn.
func TestSetAgainstScan(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s set
	var networks []netip.Prefix
	for range 200 {
		b := [4]byte{10, byte(random.IntN(4)), byte(random.IntN(256)), byte(random.IntN(256))}
		n := netip.PrefixFrom(netip.AddrFrom4(b), 14+random.IntN(19)).Masked()
		networks = append(networks, n)
		parsed, err := readNetwork(n.String())
		if err != nil {
			t.Fatal(err)
		}
		s.add(parsed)
	}
	s.finish()
	for range 5000 {
		addr := netip.AddrFrom4([4]byte{10, byte(random.IntN(5)), byte(random.IntN(256)), byte(random.IntN(256))})
		want := false
		for _, n := range networks {
			want = want || n.Contains(addr)
		}
		if got := s.contains(client(t, addr)); got != want {
			t.Fatalf("contains(%v) = %v, want %v", addr, got, want)
		}
	}
}

func BenchmarkHundredThousand(b *testing.B) {
	var config strings.Builder
	config.WriteString(`{"deny": ["0.0.0.1"`)
	for i := range 100_000 {
		fmt.Fprintf(&config, `,"%d.%d.%d.0/25"`, 1+i>>16, i>>8&255, i&255)
	}
	config.WriteString(`]}`)
	r, err := readRules([]byte(config.String()))
	if err != nil {
		b.Fatal(err)
	}
	addr := client(b, netip.MustParseAddr("1.20.30.200"))
	b.ReportAllocs()
	for b.Loop() {
		if r.refuses(addr) != "" {
			b.Fatal("refused")
		}
	}
}

func client(t testing.TB, addr netip.Addr) network {
	t.Helper()
	n, err := readAddress([]byte(addr.String()))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
