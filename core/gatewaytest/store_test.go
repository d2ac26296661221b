package gatewaytest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
	"github.com/sallyport/sallyport/core/gatewaytest/redis"
)

// storeTOML is a store and a route for each of the limits, which are a filter's keys, by its path.
func storeTOML(s *redis.Server, options string, limits map[string]string) string {
	text := fmt.Sprintf("[stores.shared]\nredis = { addresses = [%q]%s }\n", s.Addr, options)
	for path, limit := range limits {
		text += fmt.Sprintf("[[routes]]\nname = %q\npath = \"/%s\"\nrespond = { status = 200 }\nfilters = [{ use = \"ratelimit\", store = \"shared\", %s }]\n", path, path, limit)
	}
	return text
}

// patience is for stores whose timeout a test is not about.
const patience = `, timeout = "5s"`

// offer has 8 clients send requests to the gateways in turn, at that rate together, for so long, in somebody's name, and returns how many were let through, how
// long it was from the first to the last, and how late at most one was: a machine that has other work offers less than it should.
func offer(t *testing.T, gateways []*Gateway, path, who string, rate int, long time.Duration) (ok int64, took, late time.Duration) {
	t.Helper()
	const clients = 8
	var allowed, latest atomic.Int64
	var wait sync.WaitGroup
	every := time.Second * clients / time.Duration(rate)
	started := time.Now()
	for c := range clients {
		wait.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := 0; ; i++ {
				due := time.Duration(i)*every + every*time.Duration(c)/clients
				if due > long {
					return
				}
				time.Sleep(time.Until(started.Add(due))) // the rate that is offered
				atLeast(&latest, int64(time.Since(started.Add(due))))
				resp, err := client.Get(gateways[(c+i)%len(gateways)].URL + path + "?who=" + who)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode == 200 {
					allowed.Add(1)
				}
			}
		})
	}
	wait.Wait()
	return allowed.Load(), time.Since(started), time.Duration(latest.Load())
}

// atLeast raises a to v.
func atLeast(a *atomic.Int64, v int64) {
	for old := a.Load(); old < v && !a.CompareAndSwap(old, v); old = a.Load() {
	}
}

// Eight clients that send twice what a limit allows get what it allows, within 1 %, from one gateway and from two with one Redis.
// SALLYPORT_LIMIT_TIME asks for longer than the few seconds that a test should take.
func TestTwiceTheRateGetsTheRate(t *testing.T) {
	long := 3 * time.Second
	if text := os.Getenv("SALLYPORT_LIMIT_TIME"); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	server := redis.New(t)
	const rate, burst = 200, 50
	limits := map[string]string{
		"asked": fmt.Sprintf(`rate = "%d/s", burst = %d, key = "query:who"`, rate, burst),
		"batch": fmt.Sprintf(`rate = "%d/s", burst = %d, key = "query:who", sync_interval = "20ms"`, rate, burst),
	}
	toml := storeTOML(server, patience, limits) +
		fmt.Sprintf("[[routes]]\nname = \"own\"\npath = \"/own\"\nrespond = { status = 200 }\nfilters = [{ use = \"ratelimit\", rate = \"%d/s\", burst = %d, key = \"query:who\" }]\n", rate, burst)
	gateways := []*Gateway{Start(t, toml), Start(t, toml)}
	for _, test := range []struct {
		name, path string
		gateways   []*Gateway
		more       int64 // that a batch may let through beyond what the limit allows, in all: what one takes in an interval and at once
	}{{"one gateway", "/own", gateways[:1], 0}, {"two with one Redis", "/asked", gateways, 0}, {"two in batches", "/batch", gateways, burst + rate/50}} {
		for try := 1; ; try++ {
			ok, took, late := offer(t, test.gateways, test.path, fmt.Sprint(try), 2*rate, long)
			want := burst + rate*took.Seconds()
			t.Logf("%s: %d let through in %v, want %.0f (%+.2f %%)", test.name, ok, took.Round(time.Millisecond), want, 100*(float64(ok)/want-1))
			if high := want*1.01 + float64(test.more); float64(ok) > high {
				t.Errorf("%s: %d let through in %v, want %.0f within 1 %%", test.name, ok, took, want)
			}
			if float64(ok) >= want*0.99 {
				break
			}
			if try == 3 && late < 100*time.Millisecond {
				t.Errorf("%s: three times too little is let through", test.name)
			}
			if try == 3 {
				break
			}
		}
	}
}

// A Redis that is asked over TLS, and believes only clients with a certificate, keeps a limit; without the one or the other it is not there.
func TestStoreOverTLS(t *testing.T) {
	authority := certs.NewAuthority(t)
	server := redis.NewTLS(t, authority.Issue(t, "127.0.0.1"))
	own, foreign := authority.Issue(t, "gateway"), certs.NewAuthority(t)
	for _, test := range []struct {
		name, tls   string
		first, then int
	}{
		{"both show who they are", fmt.Sprintf(`{ ca = %q, cert = %q, key = %q }`, authority.File, own.Cert, own.Key), 200, 429},
		{"the gateway has no certificate", fmt.Sprintf(`{ ca = %q }`, authority.File), 503, 503},
		{"the server's authority is not known", fmt.Sprintf(`{ ca = %q, cert = %q, key = %q }`, foreign.File, own.Cert, own.Key), 503, 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := Start(t, storeTOML(server, patience+", tls = "+test.tls, map[string]string{"r": `rate = "1/h", burst = 1, on_store_error = "deny"`}))
			Until(t, fmt.Sprintf("the answer is %d, and not for the moment", test.first), func() bool {
				got, _, _ := g.Get("/r")
				return got == test.first && g.Status().Stores["shared"].Open == (got == 503)
			})
			if got, _, _ := g.Get("/r"); got != test.then {
				t.Errorf("got %d, want %d", got, test.then)
			}
		})
	}
}

// A Redis that is killed, or hangs, in the middle: each limit does what it says, and when
// Redis is back it decides again.
func TestStoreIsLost(t *testing.T) {
	server := redis.New(t)
	g := Start(t, storeTOML(server, `, timeout = "250ms"`, map[string]string{
		"local": `rate = "4/d"`, "allow": `rate = "4/d", on_store_error = "allow"`, "deny": `rate = "4/d", on_store_error = "deny"`,
	}))
	ask := func(path string, n int) (statuses []int) {
		t.Helper()
		for range n {
			status, fields, _ := g.Get(path)
			if (status == 429 || status == 503) != (fields.Get("Retry-After") != "") {
				t.Errorf("%s: %d with Retry-After %q", path, status, fields.Get("Retry-After"))
			}
			statuses = append(statuses, status)
		}
		return statuses
	}
	want := func(what, path string, want ...int) {
		t.Helper()
		if got := ask(path, len(want)); !slices.Equal(got, want) {
			t.Errorf("%s: %s: got %v, want %v", what, path, got, want)
		}
	}
	Until(t, "Redis is connected", func() bool { status, _, _ := g.Get("/deny"); return status == 200 })
	for _, path := range []string{"/local", "/allow"} {
		want("with Redis", path, 200)
	}
	for _, lose := range []struct {
		how        string
		lose, back func()
	}{{"hangs", server.Pause, server.Resume}, {"killed", server.Kill, server.Start}} {
		lose.lose()
		want(lose.how, "/deny", 503, 503, 503)
		want(lose.how, "/allow", 200, 200, 200, 200, 200)
		if lose.how == "hangs" {
			want(lose.how, "/local", 200, 200, 200, 429) // one was taken before
		} else {
			want(lose.how, "/local", 429)
		}
		Until(t, "the store is open", func() bool { g.Get("/allow"); return g.Status().Stores["shared"].Open })
		lose.back()
		Until(t, "the store is back", func() bool { g.Get("/allow"); return !g.Status().Stores["shared"].Open })
		Until(t, "Redis decides again", func() bool { return ask("/deny", 1)[0] != 503 })
	}
	status := g.Status()
	if n := status.Limits["deny.filters[0].default"]; n.StoreErrors == 0 || n.Denied == 0 || n.Allowed == 0 || n.Store != "shared" {
		t.Errorf("status of a limit: %+v", n)
	}
	if !strings.Contains(g.Logs(), "a store keeps failing") || !strings.Contains(g.Logs(), "a store is back") {
		t.Error("the log does not tell")
	}
}

// A config whose Redis is down is a good one, and says nothing of passwords.
func TestStoreIsDownAtStart(t *testing.T) {
	server := redis.New(t, "--requirepass", "hush-hush")
	server.Kill()
	toml := func(password string) string {
		return storeTOML(server, fmt.Sprintf(`, timeout = "5s", password = %q`, password), map[string]string{"deny": `rate = "100/d", on_store_error = "deny"`})
	}
	g := Start(t, toml("hush-hush"))
	if status, _, _ := g.Get("/deny"); status != 503 {
		t.Errorf("got %d", status)
	}
	server.Start()
	Until(t, "Redis is found", func() bool { status, _, _ := g.Get("/deny"); return status == 200 })
	if err := g.ApplyText(toml("hush-wrong")); err != nil {
		t.Fatal(err)
	}
	Until(t, "the wrong password has failed often enough", func() bool { g.Get("/deny"); return g.Status().Stores["shared"].Open })
	if strings.Contains(g.Logs(), "hush") {
		t.Errorf("a password is logged:\n%s", g.Logs())
	}
}

// An unchanged store keeps its connections at a reload.
func TestReloadKeepsStores(t *testing.T) {
	server := redis.New(t)
	toml := storeTOML(server, patience, map[string]string{"l": `rate = "3/d"`})
	g := Start(t, toml)
	clients := func() (ids []string) {
		for _, line := range server.Do("CLIENT", "LIST") {
			if strings.Contains(line, "name=sallyport") {
				ids = append(ids, strings.Fields(line)[0])
			}
		}
		return ids
	}
	g.Get("/l")
	before := clients()
	if err := g.ApplyText(toml + "[[routes]]\nname = \"new\"\npath = \"/new\"\nrespond = { status = 204 }\n"); err != nil {
		t.Fatal(err)
	}
	if status, fields, _ := g.Get("/l"); status != 200 || !strings.Contains(fields.Get("RateLimit"), "r=1") {
		t.Errorf("got %d, %s", status, fields.Get("RateLimit"))
	}
	// It may have opened more of them meanwhile.
	closed := func(id string) bool { return !slices.Contains(clients(), id) }
	if len(before) == 0 || slices.ContainsFunc(before, closed) || g.Status().Stores["shared"].Calls != 2 {
		t.Errorf("connections before: %q, after: %q; %+v", before, clients(), g.Status().Stores)
	}
	if err := g.ApplyText("[[routes]]\nname = \"new\"\npath = \"/new\"\nrespond = { status = 204 }\n"); err != nil {
		t.Fatal(err)
	}
	Until(t, "a store that is gone is closed", func() bool { return len(clients()) == 0 })
}

// Plugins of two gateways find each other's values and take from one limit.
func TestPluginsShareAStore(t *testing.T) {
	server := redis.New(t)
	toml := strings.NewReplacer("entries = 1000", "store = \"shared\"", "[limits.login]", "[limits.login]\nstore = \"shared\"").Replace(grantsTOML(allGrants, "hush", "5/d", "200"))
	var gateways []*Gateway
	for range 2 {
		dir := t.TempDir()
		install(t, dir, "granted", "granted")
		gateways = append(gateways, StartIn(t, dir, toml+storeTOML(server, patience, nil)))
	}
	for i := range 5 {
		wantAnswer(t, gateways[i%2], fmt.Sprintf("200 %d hush", i+1))
	}
	for _, g := range gateways {
		wantAnswer(t, g, "429 ")
	}
	if n := gateways[0].Status().Limits["limits.login"]; n.Allowed != 3 || n.Denied != 1 {
		t.Errorf("status of the limit: %+v", n)
	}
}

// What a concurrency limit counts is open requests, until their very end, however that comes.
func TestConcurrencyLimit(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	backend := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		select {
		case arrived <- struct{}{}:
		case <-release: // nobody looks any more
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	g := Start(t, routes(backend, allToB+`filters = [{ use = "ratelimit", algorithm = "concurrency", max = 2, name = "open" }]`+"\n"))
	ctx, abort := context.WithCancel(context.Background())
	for _, ctx := range []context.Context{ctx, context.Background()} {
		r, err := http.NewRequestWithContext(ctx, "GET", g.URL+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		<-arrived
	}
	status, fields, _ := g.Get("/x")
	if status != 429 || fields.Get("Retry-After") != "1" || fields.Get("RateLimit") != `"open";r=0` {
		t.Errorf("a third got %d, %v", status, fields)
	}
	abort() // the heads are there: the body is what is cut
	close(release)
	Until(t, "both have given back", func() bool {
		status, fields, _ := g.Get("/x")
		return status == 200 && fields.Get("RateLimit") == `"open";r=1`
	})
}
