package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// namedServer starts a server that answers with its name, and with the connection that it was asked on.
func namedServer(t testing.TB, name string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Connection", r.RemoteAddr)
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(s.Close)
	return s
}

// trio is three named servers and their addresses.
func trio(t testing.TB) (servers map[string]*httptest.Server, addresses []any) {
	servers = map[string]*httptest.Server{}
	for _, name := range []string{"a", "b", "c"} {
		servers[name] = namedServer(t, name)
		addresses = append(addresses, servers[name].Listener.Addr().String())
	}
	return servers, addresses
}

// pairOf is the name and value that a Set-Cookie field sets.
func pairOf(fields http.Header) string {
	pair, _, _ := strings.Cut(fields.Get("Set-Cookie"), ";")
	return pair
}

// TestStickyMoves: the client stays with its server, over reloads, too, until that is gone.
func TestStickyMoves(t *testing.T) {
	servers, addresses := trio(t)
	toml := fmt.Sprintf("[upstreams.b]\nendpoints = [%q, %q, %q]\nretries = 2\n", addresses...) + `sticky = { cookie = "at", max_age = "1h", same_site = "lax" }` + "\n" + allToB
	g := Start(t, toml)
	_, fields, first := g.Get("/")
	set := fields.Get("Set-Cookie")
	if !strings.HasPrefix(set, "at=") || !strings.HasSuffix(set, "; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax") || strings.Contains(set, "127.0.0.1") {
		t.Fatalf("got %q", set)
	}
	cookie := "Cookie: x=1; " + pairOf(fields)
	stays := func() {
		t.Helper()
		for range 10 {
			if _, fields, who := g.Get("/", cookie); who != first || fields.Get("Set-Cookie") != "" {
				t.Fatalf("got %s and %q, want %s", who, fields.Get("Set-Cookie"), first)
			}
		}
	}
	stays()
	if err := g.ApplyText(strings.Replace(toml, "retries = 2", "retries = 1", 1)); err != nil {
		t.Fatal(err)
	}
	stays()
	servers[first].Close()
	status, fields, second := g.Get("/", cookie)
	if status != 200 || second == first || fields.Get("Set-Cookie") == "" || pairOf(fields) == cookie[len("Cookie: x=1; "):] {
		t.Fatalf("its server is gone: got %d %s %q, want another and its cookie", status, second, fields.Get("Set-Cookie"))
	}
	first, cookie = second, "Cookie: x=1; "+pairOf(fields)
	stays()
}

// TestHashedRequestsStay: by a header, by a cookie that is made when there is none, and when others' servers come and go.
func TestHashedRequestsStay(t *testing.T) {
	for _, policy := range []string{"ring_hash", "maglev"} {
		t.Run(policy, func(t *testing.T) {
			_, addresses := trio(t)
			toml := func(endpoints ...any) string {
				list := strings.TrimSuffix(strings.Repeat("%q, ", len(endpoints)), ", ")
				return fmt.Sprintf("[upstreams.b]\nendpoints = ["+list+"]\npolicy = %q\n", append(endpoints, policy)...) +
					"hash = [\"header:X-Shop\", \"cookie:cart\"]\nhash_cookie = {}\nhash_balance_factor = 0\n" + "\n" + allToB
			}
			g := Start(t, toml(addresses...))
			home, cookies := map[string]string{}, map[string]string{}
			for n := range 30 {
				shop := fmt.Sprintf("X-Shop: %d", n)
				_, fields, who := g.Get("/", shop)
				if home[shop], cookies[shop] = who, "Cookie: "+pairOf(fields); !strings.HasPrefix(pairOf(fields), "cart=") {
					t.Fatalf("got %q, want a cookie", fields)
				}
			}
			moved := func() (n int) {
				t.Helper()
				for shop, was := range home {
					_, fields, who := g.Get("/", shop, cookies[shop])
					if who != was {
						n++
					}
					if fields.Get("Set-Cookie") != "" {
						t.Errorf("got another cookie: %q", fields)
					}
				}
				return n
			}
			if n := moved(); n != 0 {
				t.Errorf("%d of 30 moved without a reason", n)
			}
			if err := g.ApplyText(toml(addresses[2], addresses[0], addresses[1])); err != nil {
				t.Fatal(err)
			}
			if n := moved(); n != 0 {
				t.Errorf("%d of 30 moved for the order of the list", n)
			}
			if err := g.ApplyText(toml(addresses[0], addresses[1])); err != nil {
				t.Fatal(err)
			}
			for shop, was := range home {
				if _, _, who := g.Get("/", shop, cookies[shop]); was == "c" && who == "c" {
					t.Errorf("%s still goes to the one that was removed", shop)
				}
			}
		})
	}
}

// TestFailOverByPriority: the spare gets nothing while the others answer, and all when they are gone.
func TestFailOverByPriority(t *testing.T) {
	servers, addresses := trio(t)
	g := Start(t, "[server]\nlisten = [\"127.0.0.1:0\"]\nzone = \"eu\"\n"+fmt.Sprintf("[upstreams.b]\nretries = 2\npolicy = \"ewma\"\nendpoints = [%q, { address = %q, zone = \"eu\" }, { address = %q, priority = 1, zone = \"eu\" }]\n", addresses...)+"\n"+allToB)
	expect := func(want string) {
		t.Helper()
		for range 10 {
			if status, _, who := g.Get("/"); status != 200 || who != want {
				t.Fatalf("got %d %s, want %s", status, who, want)
			}
		}
	}
	expect("b")
	list := g.Status().Upstreams["b"]
	if list[0].Effective != 0 || list[1].Effective != 1 || list[1].Zone != "eu" || list[2].Effective != 0 || list[2].Priority != 1 {
		t.Errorf("got %+v", list)
	}
	if got := g.Status().Balance["b"]; got.Policy != "ewma" || got.Zone != "eu" || got.Panic {
		t.Errorf("got %+v", got)
	}
	servers["b"].Close()
	expect("a")
	servers["a"].Close()
	expect("c")
}

// TestWeightsChangeInPlace: a reload that changes weights, or adds a server, leaves connections and counts as they are; the one that
// joins begins slowly.
func TestWeightsChangeInPlace(t *testing.T) {
	_, addresses := trio(t)
	toml := "[upstreams.b]\nslow_start = \"1h\"\nendpoints = %s\n" + "\n" + allToB
	g := Start(t, fmt.Sprintf(toml, fmt.Sprintf("[%q, %q]", addresses[:2]...)))
	connections := map[string]bool{}
	for range 10 {
		_, fields, _ := g.Get("/")
		connections[fields.Get("X-Connection")] = true
	}
	if err := g.ApplyText(fmt.Sprintf(toml, fmt.Sprintf("[%q, { address = %q, weight = 4 }, { address = %q, weight = 10 }]", addresses...))); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for range 60 {
		_, fields, who := g.Get("/")
		got[who]++
		if who != "c" && !connections[fields.Get("X-Connection")] {
			t.Errorf("%s was asked on a new connection", who)
		}
	}
	list := g.Status().Upstreams["b"]
	if got["a"] != 10 || got["b"] != 40 || got["c"] != 10 || list[0].Requests != 15 || list[2].Weight != 10 || list[2].Effective != 1 {
		t.Errorf("got %v and %+v, want 10, 40 and 10: a tenth of the new one's weight", got, list)
	}
}

// TestUnknownPinIsHarmless: whatever a client writes into the cookie, it gets an answer and a right cookie.
func TestUnknownPinIsHarmless(t *testing.T) {
	_, addresses := trio(t)
	g := Start(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q, %q, %q]\nsticky = {}\n", addresses...)+"\n"+allToB)
	_, fields, _ := g.Get("/")
	name, _, _ := strings.Cut(pairOf(fields), "=")
	if !strings.HasPrefix(name, "_sp_") {
		t.Errorf("got the name %q", name)
	}
	for _, value := range []string{"", "x", "127.0.0.1:80", strings.Repeat("A", 4000), "\"\"", "=;;="} {
		if status, fields, _ := g.Get("/", "Cookie: "+name+"="+value); status != 200 || pairOf(fields) == "" {
			t.Errorf("%.20q: got %d %q", value, status, fields.Get("Set-Cookie"))
		}
	}
}
