package cases

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/engine"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/gateway"
)

// RunRoutes runs cases through a config's routes: a gateway for each case, a client and the upstreams' servers on loopback. Nothing that
// the config listens on is opened, none of its upstreams is asked. Its error says what is wrong with the config.
func RunRoutes(cs *config.Cases, cfg *config.Config) (results []Result, err error) {
	fakes, err := startFakes(cfg)
	if err != nil {
		return nil, err
	}
	defer fakes.close()
	r := &routeRun{cfg: fakes.instead(cfg), fakes: fakes}
	for i := range cs.List {
		result, err := r.run(&cs.List[i])
		if err != nil {
			return nil, err
		}
		results = append(results, *result)
	}
	return results, nil
}

// routeRun is what the cases of a config share.
type routeRun struct {
	cfg   *config.Config
	fakes *fakes
}

// run runs one case in a gateway of its own: what is counted and kept begins anew.
func (r *routeRun) run(c *config.Case) (result *Result, err error) {
	result = &Result{Case: c, seen: &observation{messages: map[string]*message{}}}
	for name := range c.Upstreams {
		if _, known := r.cfg.Upstreams[name]; !known {
			result.Problem = fmt.Sprintf("upstreams.%s: the config has no such upstream", name)
			result.judge()
			return result, nil
		}
	}
	journal := &journal{}
	log := slog.New(journal)
	g := gateway.New(log)
	defer func() { err = errors.Join(err, g.Drain(context.Background())) }()
	if err := g.Apply(r.cfg); err != nil {
		return nil, err
	}
	journal.take() // what is said of plugins that no route uses is no part of a case
	r.fakes.prepare(c.Upstreams)
	if err := r.send(g, log, result); err != nil {
		return nil, err
	}
	r.fuel(g, result)
	var details []string
	result.seen.log, details = journal.take()
	result.Notes = append(result.Notes, details...)
	result.judge()
	return result, nil
}

// send sends the case's request, as often as it says, and notes what became of the last one.
func (r *routeRun) send(g *gateway.Gateway, log *slog.Logger, result *Result) error {
	w := &watcher{gateway: g, request: &result.Case.Request, ended: make(chan outcome, result.Case.Times)}
	l, err := engine.New(w, log).Listen("127.0.0.1:0", engine.Options{})
	if err != nil {
		return err
	}
	l.Start()
	client := newClient(l.Addr().String())
	for n := range result.Case.Times {
		response, err := client.send(&result.Case.Request)
		if err != nil {
			result.Problem = fmt.Sprintf("request %d got no answer: %v", n+1, err)
			break
		}
		result.seen.messages["response"] = response
		r.note(<-w.ended, result)
	}
	client.close()
	return l.Drain(context.Background())
}

// note keeps what the watcher has seen of an exchange.
func (r *routeRun) note(o outcome, result *Result) {
	seen := result.seen
	seen.route, seen.attributes = o.route, o.attributes
	seen.verdict, seen.filter = verdictContinue, ""
	switch {
	case o.fault != "":
		seen.verdict = verdictFail
		result.Notes = []string{o.fault}
	case o.answered != 0:
		seen.verdict, seen.filter = verdictRespond, r.filterAt(o.route, bits.TrailingZeros64(o.answered))
	}
	delete(seen.messages, "upstream")
	if got := r.fakes.last(o.upstream); got != nil {
		seen.messages["upstream"] = got
	}
}

// filterAt returns the name of a filter of the route's chain by its place.
func (r *routeRun) filterAt(route string, place int) string {
	filters := slices.Clone(r.cfg.Filters)
	for _, known := range r.cfg.Routes {
		if known.Name == route {
			filters = append(filters, known.Filters...)
		}
	}
	if place >= len(filters) {
		return ""
	}
	return filters[place].Use
}

// fuel notes what each plugin has used in all of the case.
func (r *routeRun) fuel(g *gateway.Gateway, result *Result) {
	for name, p := range g.Status().Plugins {
		used := Fuel{Of: name}
		calls := int64(0)
		for _, pool := range p.Pools {
			used.Units += pool.Fuel
			calls += pool.Calls
		}
		if calls > 0 {
			result.Fuel = append(result.Fuel, used)
		}
	}
	slices.SortFunc(result.Fuel, func(a, b Fuel) int { return strings.Compare(a.Of, b.Of) })
}

// outcome is what is known of an exchange when it ends.
type outcome struct {
	route, upstream, fault string
	answered               uint64
	attributes             []exchange.Attr
}

// watcher stands between engine and gateway: it gives the client the address that the case wants, and looks at what the gateway did.
type watcher struct {
	gateway *gateway.Gateway
	request *config.CaseRequest
	ended   chan outcome
}

// Serve implements exchange.Handler.
func (w *watcher) Serve(x *exchange.Exchange) {
	disguise(x, w.request)
	w.gateway.Serve(x)
}

// End implements exchange.Handler.
func (w *watcher) End(x *exchange.Exchange) {
	o := outcome{route: x.Route, upstream: x.Upstream, answered: x.Answered, attributes: slices.Clone(x.Attrs())}
	if x.Fault != nil {
		o.fault = x.Fault.Error()
	}
	w.gateway.End(x)
	w.ended <- o
}
