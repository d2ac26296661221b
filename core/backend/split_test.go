package backend

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/key"
)

// says answers with its name.
type says string

func (s says) Answer(x *exchange.Exchange) *fault.Fault {
	x.Resp.Reset()
	x.Resp.Status = 200
	x.Resp.Body.Set([]byte(s))
	return nil
}

func newSplit(t testing.TB, o SplitOptions, weights ...int) *Split {
	t.Helper()
	for i, weight := range weights {
		name := string(rune('a' + i))
		o.Branches = append(o.Branches, Branch{Name: name, Weight: weight, To: says(name)})
	}
	s, err := NewSplit(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func part(t testing.TB, text string) *key.Part {
	t.Helper()
	p, err := key.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

// TestShares: every branch gets its share within 1 %, of many and of any hundreds in a row.
func TestShares(t *testing.T) {
	for _, weights := range [][]int{{90, 10}, {99, 1}, {1, 1, 1}, {5, 0, 3, 2}, {1}, {999, 1}} {
		total := 0
		for _, w := range weights {
			total += w
		}
		s, x := newSplit(t, SplitOptions{}, weights...), &exchange.Exchange{}
		const n = 100_000
		for range n {
			_ = s.Answer(x)
		}
		for i, w := range weights {
			name := string(rune('a' + i))
			got, want := float64(s.Counts()[name]), float64(n*w)/float64(total)
			if math.Abs(got-want) > want/100+1 {
				t.Errorf("%v: %s got %.0f of %d, want %.0f", weights, name, got, n, want)
			}
		}
	}
	s, x := newSplit(t, SplitOptions{}, 90, 10), &exchange.Exchange{}
	before := uint64(0)
	for range 50 {
		for range 200 {
			_ = s.Answer(x)
		}
		now := s.Counts()["b"]
		if got := now - before; got < 19 || got > 21 {
			t.Errorf("of 200 in a row the tenth got %d", got)
		}
		before = now
	}
}

func TestSharesAtOnce(t *testing.T) {
	s := newSplit(t, SplitOptions{}, 9, 1)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			x := &exchange.Exchange{}
			for range 10_000 {
				_ = s.Answer(x)
			}
		})
	}
	wait.Wait()
	if got := s.Counts()["b"]; got < 7_920 || got > 8_080 {
		t.Errorf("a tenth of 80000 is %d", got)
	}
}

func TestSplitBy(t *testing.T) {
	tests := []struct{ name, by, field, want string }{
		{"header", "header:X-Branch", "X-Branch: b", "b"}, {"header, another case", "header:X-Branch", "x-branch: b", "b"},
		{"no branch of that name", "header:X-Branch", "X-Branch: c", "a"}, {"no header", "header:X-Branch", "X-Other: b", "a"},
		{"cookie", "cookie:branch", "Cookie: x=y; branch=b", "b"}, {"another cookie", "cookie:branch", "Cookie: branches=b", "a"},
	}
	for _, test := range tests {
		x := &exchange.Exchange{}
		name, value, _ := strings.Cut(test.field, ": ")
		x.Req.Fields.Add(name, value)
		_ = newSplit(t, SplitOptions{By: part(t, test.by)}, 1, 0).Answer(x)
		if got := string(x.Resp.Body.Held); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// TestStickySplit: a client stays with its branch, shares are still what they should be, and who grows the last branch moves nobody out.
func TestStickySplit(t *testing.T) {
	ten, thirty := newSplit(t, SplitOptions{Sticky: part(t, "client")}, 90, 10), newSplit(t, SplitOptions{Sticky: part(t, "client")}, 70, 30)
	const n = 20_000
	for i := range n {
		x := &exchange.Exchange{Addr: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}
		place, _ := ten.choose(x)
		if again, _ := ten.choose(x); again != place {
			t.Fatalf("%v went to %d and %d", x.Addr, place, again)
		}
		grown, _ := thirty.choose(x)
		if place == 1 && grown != 1 {
			t.Fatalf("%v has left the branch that grew", x.Addr)
		}
		_ = ten.Answer(x)
	}
	if got := ten.Counts()["b"]; got < n/10*9/10 || got > n/10*11/10 {
		t.Errorf("a tenth of %d clients is %d", n, got)
	}
}

func TestSplitCookie(t *testing.T) {
	s := newSplit(t, SplitOptions{By: part(t, "header:X-Branch"), Cookie: "branch", MaxAge: time.Hour}, 1, 0)
	tests := []struct{ name, scheme, header, cookie, want, set string }{
		{"first", "http", "", "", "a", "branch=a; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"},
		{"over TLS", "https", "", "", "a", "branch=a; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600; Secure"},
		{"again", "http", "", "branch=a", "a", ""}, {"by cookie", "http", "", "branch=b", "b", ""},
		{"a branch that is gone", "http", "", "branch=z", "a", "branch=a; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"},
		{"by header", "http", "b", "branch=a", "b", "branch=b; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"},
	}
	for _, test := range tests {
		x := &exchange.Exchange{}
		x.Req.Scheme = test.scheme
		if test.cookie != "" {
			x.Req.Fields.Add("Cookie", test.cookie)
		}
		if test.header != "" {
			x.Req.Fields.Add("X-Branch", test.header)
		}
		_ = s.Answer(x)
		if got, set := string(x.Resp.Body.Held), x.Resp.Fields.Value("Set-Cookie"); got != test.want || set != test.set {
			t.Errorf("%s: got %s and %q, want %s and %q", test.name, got, set, test.want, test.set)
		}
	}
}

func TestSplitWeights(t *testing.T) {
	for _, weights := range [][]int{{}, {0}, {0, 0}, {math.MaxInt32, 1}} {
		var o SplitOptions
		for i, w := range weights {
			o.Branches = append(o.Branches, Branch{Name: fmt.Sprint(i), Weight: w})
		}
		if _, err := NewSplit(o); err == nil {
			t.Errorf("%v were taken", weights)
		}
	}
}
