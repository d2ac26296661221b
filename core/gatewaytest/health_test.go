package gatewaytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/core/gateway"
)

// ailing is a backend whose health a test decides. It says its name.
type ailing struct {
	address string
	sick    atomic.Bool // its health path answers 500
	busy    atomic.Bool // everything else answers 503
	asked   atomic.Int64
	served  atomic.Int64
}

func newAiling(t *testing.T, name string) *ailing {
	p := &ailing{}
	p.address = Backend(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/healthz":
			p.asked.Add(1)
			if p.sick.Load() {
				w.WriteHeader(500)
			}
			return
		case p.busy.Load():
			w.WriteHeader(503)
		}
		p.served.Add(1)
		io.WriteString(w, name)
	})
	return p
}

// ward is a config with one upstream of backends.
func ward(options string, backends ...*ailing) string {
	var list []string
	for _, p := range backends {
		list = append(list, fmt.Sprintf("%q", p.address))
	}
	return fmt.Sprintf("[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"ward\"\n[upstreams.ward]\nendpoints = [%s]\n%s\n", strings.Join(list, ", "), options)
}

// Without a panic, which would use whoever is there, each test sees what checks alone do.
const quickHealth = `panic_threshold = 0
health = { path = "/healthz", interval = "100ms", jitter = "10ms", timeout = "20s", unhealthy_threshold = 2 }`

func (p *ailing) state(t *testing.T, g *Gateway) gateway.EndpointStatus {
	t.Helper()
	for _, e := range g.Status().Upstreams["ward"] {
		if e.Address == p.address {
			return e
		}
	}
	t.Fatalf("%s is not in the status", p.address)
	return gateway.EndpointStatus{}
}

func (p *ailing) isOut(t *testing.T, g *Gateway, why string) func() bool {
	return func() bool {
		s := p.state(t, g).Standing
		return !s.Usable && strings.Join(s.Why, " ") == why
	}
}

func (p *ailing) isUsable(t *testing.T, g *Gateway) func() bool {
	return func() bool { return p.state(t, g).Standing.Usable }
}

// served returns how many of ten requests went to p, and fails the test if one of them was not answered with 200.
func (p *ailing) served10(t *testing.T, g *Gateway) int64 {
	t.Helper()
	before := p.served.Load()
	for range 10 {
		if status, _, body := g.Get("/"); status != 200 {
			t.Errorf("got %d %s, want 200", status, body)
		}
	}
	return p.served.Load() - before
}

func TestAnEndpointThatIsNotWellGetsNoTraffic(t *testing.T) {
	a, b := newAiling(t, "a"), newAiling(t, "b")
	g := Start(t, ward(quickHealth, a, b))
	if n := a.served10(t, g); n != 5 {
		t.Errorf("a had %d of ten, want 5", n)
	}
	a.sick.Store(true)
	Until(t, "a is out", a.isOut(t, g, "check_failed"))
	if n := a.served10(t, g); n != 0 {
		t.Errorf("a had %d of ten while it was out", n)
	}
	status, err := json.Marshal(a.state(t, g))
	for _, part := range []string{`"usable":false`, `"why":["check_failed"]`, `"since":"2`, `"passed":false`, `"result":"status 500"`, `"at":"2`} {
		if err != nil || !strings.Contains(string(status), part) {
			t.Errorf("the status does not say %s: %s %v", part, status, err)
		}
	}
	b.sick.Store(true)
	Until(t, "b is out", b.isOut(t, g, "check_failed"))
	if status, _, body := g.Get("/"); status != 503 || !strings.Contains(body, "no usable endpoint") {
		t.Errorf("got %d %s, want 503 and why", status, body)
	}
	a.sick.Store(false)
	b.sick.Store(false)
	Until(t, "a is back", a.isUsable(t, g))
	Until(t, "b is back", b.isUsable(t, g))
	if n := a.served10(t, g); n != 5 {
		t.Errorf("a had %d of ten when it was back, want 5", n)
	}
	if n := strings.Count(g.Logs(), "gets no more exchanges"); n != 2 {
		t.Errorf("the log says %d times that an endpoint is out, want 2:\n%s", n, g.Logs())
	}
}

func TestStandingSurvivesAReload(t *testing.T) {
	a, b, c := newAiling(t, "a"), newAiling(t, "b"), newAiling(t, "c")
	g := Start(t, ward(quickHealth, a, b, c))
	a.sick.Store(true)
	Until(t, "a is out", a.isOut(t, g, "check_failed"))
	if err := g.DrainEndpoint("ward", b.address, true); err != nil {
		t.Fatal(err)
	}
	was := a.state(t, g).Standing
	if err := g.ApplyText(ward(quickHealth+"\nretries = 0\nmax_idle = 1", a, b, c)); err != nil {
		t.Fatal(err)
	}
	if !a.isOut(t, g, "check_failed")() || !b.isOut(t, g, "drained")() || a.state(t, g).Standing.Since != was.Since {
		t.Errorf("after the reload: %+v, %+v; want as before: %+v", a.state(t, g).Standing, b.state(t, g).Standing, was)
	}
	if n := c.served10(t, g); n != 10 {
		t.Errorf("c had %d of ten, want all", n)
	}
	// Neither is checked nor known any more what is not in the config.
	if err := g.ApplyText(ward(quickHealth, a, c)); err != nil {
		t.Fatal(err)
	}
	asked, from := int64(-1), c.asked.Load()
	Until(t, "b is left alone, while c is checked", func() bool {
		if n := b.asked.Load(); n != asked { // a check may have been under way
			asked, from = n, c.asked.Load()
		}
		return c.asked.Load() > from+5
	})
	if err := g.DrainEndpoint("ward", b.address, false); err == nil {
		t.Error("an endpoint that is not in the config was put back")
	}
	if err := g.DrainEndpoint("nobody", b.address, false); err == nil {
		t.Error("an upstream that is not in the config was found")
	}
	// One that joins is checked before it is used.
	b.sick.Store(true)
	if err := g.ApplyText(ward(quickHealth, a, b, c)); err != nil {
		t.Fatal(err)
	}
	Until(t, "b has been checked", b.isOut(t, g, "check_failed"))
	if n := c.served10(t, g); n != 10 {
		t.Errorf("c had %d of ten, want all: b has not passed a check yet", n)
	}
	b.sick.Store(false)
	Until(t, "b is used", b.isUsable(t, g))
}

// The check of gateway.toml asks nobody for anything once it is done, nor does a config that is refused.
func TestRefusedConfigsCheckNobody(t *testing.T) {
	a, b := newAiling(t, "a"), newAiling(t, "b")
	g := Start(t, ward("", a))
	if err := g.ApplyText(ward(quickHealth, a, b) + "[server]\nlisten = [\"127.0.0.1:0\", \"203.0.113.1:1\"]\n"); err == nil || !strings.Contains(err.Error(), "203.0.113.1") {
		t.Fatalf("got %v, want that an address that is not ours cannot be listened on", err)
	}
	if err := g.ApplyText(ward(quickHealth, a)); err != nil {
		t.Fatal(err)
	}
	asked, from := int64(-1), a.asked.Load()
	Until(t, "b is left alone, while a is checked", func() bool {
		if n := b.asked.Load(); n != asked {
			asked, from = n, a.asked.Load()
		}
		return a.asked.Load() > from+5
	})
}

func TestAnEndpointThatFailsIsEjected(t *testing.T) {
	a, b := newAiling(t, "a"), newAiling(t, "b")
	g := Start(t, ward(`eject = { consecutive_errors = 3, base_time = "200ms", max_time = "1s" }`, a, b))
	a.busy.Store(true)
	failed := 0
	for range 20 {
		if status, _, _ := g.Get("/"); status != 200 {
			failed++
		}
	}
	out := a.state(t, g).Standing
	if failed < 3 || out.Ejection.Count == 0 || out.Ejection.Errors["gateway"] != uint64(failed) {
		t.Errorf("%d requests failed, and a's standing is %+v, %+v; want it ejected after three", failed, out, out.Ejection)
	}
	a.busy.Store(false)
	Until(t, "a is back", a.isUsable(t, g))
	if n := a.served10(t, g); n != 5 {
		t.Errorf("a had %d of ten when it was back, want 5", n)
	}
}

// A deadline that the client sets cannot have a server ejected.
func TestClientsDeadlinesEjectNobody(t *testing.T) {
	hold := make(chan struct{})
	slow := backendOf(t, "h2c", nil, func(w http.ResponseWriter, r *http.Request) { <-hold }).Listener.Addr()
	t.Cleanup(func() { close(hold) })
	other := backendOf(t, "h2c", nil, func(w http.ResponseWriter, r *http.Request) {}).Listener.Addr()
	g := Start(t, fmt.Sprintf("[[routes]]\nname = \"r\"\npath = \"/*rest\"\nupstream = \"u\"\n[upstreams.u]\nendpoints = [\"%v\", \"%v\"]\nprotocol = \"h2c\"\neject = { consecutive_errors = 1 }\n", slow, other))
	for range 6 {
		g.Do("POST", "/s/m", "", "Content-Type: application/grpc", "Grpc-Timeout: 20m")
	}
	for _, e := range g.Status().Upstreams["u"] {
		if !e.Standing.Usable || e.Requests == 0 {
			t.Errorf("got %+v, want both usable and used", e)
		}
	}
}
