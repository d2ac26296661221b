package gateway

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/backend"
	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/discover"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/filter"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/route"
	"github.com/sallyport/sallyport/core/upstream"
)

// builder translates one config into a Snapshot and collects everything that is wrong on the way.
type builder struct {
	g        *Gateway
	cfg      *config.Config
	s        *Snapshot
	compress map[string]*filter.Compress // by the filter's key
	rest     func()                      // called between small steps
	wrong    config.Errors
}

// build makes the Snapshot of cfg out of what the current generation has and what is new. The error is a
// config.Errors that tells all that is wrong.
func (g *Gateway) build(cfg *config.Config) (*Snapshot, error) {
	if err := g.openHost(cfg); err != nil {
		return nil, config.Errors{cfg.Errorf("sandbox.cache", "%v", err)}
	}
	b := &builder{g: g, cfg: cfg, compress: map[string]*filter.Compress{}, rest: g.rest()}
	b.s = &Snapshot{
		Config: cfg, Built: time.Now(), plugins: map[string]*loadedPlugin{}, upstreams: map[string]*upstream.Upstream{}, feeds: map[string]*discover.Feed{},
		ledger: &g.ledger, concurrency: map[string]*filter.Concurrency{}, splits: map[string]*backend.Split{}, mirrors: map[string]*backend.Mirror{},
	}
	b.buildTLS()
	b.buildTracing()
	b.buildCollectors()
	b.buildStores()
	b.buildPasswords()
	b.buildSchemas()
	b.buildUpstreams()
	b.buildRoutes()
	b.openCounters()
	b.examineUnused()
	b.awaitFeeds()
	if len(b.wrong) > 0 {
		b.s.close(b.rest)
		return nil, sorted(b.wrong)
	}
	g.generations++
	b.s.Generation = g.generations
	return b.s, nil
}

// sorted puts faults in the order of the file, and once: a filter of the top is built for each route.
func sorted(wrong config.Errors) config.Errors {
	slices.SortStableFunc(wrong, func(a, b config.Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return slices.Compact(wrong)
}

// fault notes something that is wrong at a place of the config.
func (b *builder) fault(key, format string, args ...any) {
	b.wrong = append(b.wrong, b.cfg.Errorf(key, format, args...))
}

func (b *builder) buildRoutes() {
	patterns := make([]route.Pattern, len(b.cfg.Routes))
	b.s.routes = make([]servedRoute, len(b.cfg.Routes))
	for i := range b.cfg.Routes {
		b.rest()
		r := &b.cfg.Routes[i]
		patterns[i] = pattern(r)
		b.s.routes[i] = servedRoute{
			snapshot: b.s, name: r.Name, chain: b.buildChain(r), backend: b.buildBackend(r), rejectEncoded: r.RejectEncoded, callsHTTP2: b.callsHTTP2(r), idle: r.IdleTimeout,
			answers: answers(r), unlogged: r.Unlogged,
			pattern: r.Path, share: routeShare(r),
		}
	}
	table, err := route.BuildGently(patterns, b.rest)
	if err != nil {
		b.routeConflicts(err)
		return
	}
	b.s.table = table
}

func (b *builder) routeConflicts(err error) {
	var conflicts route.Conflicts
	if !errors.As(err, &conflicts) {
		b.fault("routes", "%v", err)
		return
	}
	for _, c := range conflicts {
		b.fault(b.cfg.Routes[c.Index].Key, "%s", c.Message)
	}
}

func pattern(r *config.Route) route.Pattern {
	p := route.Pattern{Name: r.Name, Host: r.Host, Path: r.Path, Methods: r.Methods}
	for _, m := range r.Headers {
		p.Headers = append(p.Headers, route.Match{Name: m.Name, Value: m.Value})
	}
	for _, m := range r.Query {
		p.Query = append(p.Query, route.Match{Name: m.Name, Value: m.Value})
	}
	return p
}

// buildBackend returns nil where the config names none that could be built; then the fault is noted.
func (b *builder) buildBackend(r *config.Route) answerer {
	switch {
	case r.Redirect != nil:
		to, err := filter.ParseTemplate(r.Redirect.To)
		if err != nil {
			b.fault(r.Key+".redirect", "%v", err)
		}
		return &backend.Redirect{Status: r.Redirect.Status, To: to}
	case r.Respond != nil:
		return &backend.Static{Status: r.Respond.Status, Fields: fields(r.Respond.Headers), Body: []byte(r.Respond.Body)}
	}
	return b.buildTraffic(r)
}

// buildProxy makes what sends r's requests to an upstream.
func (b *builder) buildProxy(r *config.Route, to string) *backend.Proxy {
	path, err := filter.NewPathRewrite(filter.PathOptions{StripPrefix: r.StripPrefix, Path: r.Rewrite})
	if err != nil {
		b.fault(r.Key, "%v", err)
	}
	p := &backend.Proxy{Upstream: b.s.upstreams[to], Path: path, Timeout: r.Timeout, Total: r.TotalTimeout, MaxBody: r.MaxBody}
	switch r.UpstreamHost {
	case "pass":
	case "upstream":
		p.UpstreamHost = true
	default:
		p.Host = r.UpstreamHost
	}
	return p
}

// callsHTTP2 reports whether r's upstream can take gRPC calls.
func (b *builder) callsHTTP2(r *config.Route) bool {
	names := []string{r.Upstream}
	if r.Split != nil {
		names = nil
		for _, branch := range r.Split.Branches {
			names = append(names, branch.Upstream)
		}
	}
	for _, name := range names {
		if protocol := b.cfg.Upstreams[name].Protocol; protocol != "h2" && protocol != "h2c" {
			return false
		}
	}
	return true
}

func (b *builder) buildChain(r *config.Route) *chain.Chain {
	filters := make([]config.Filter, 0, len(b.cfg.Filters)+len(r.Filters))
	filters = append(append(filters, b.cfg.Filters...), r.Filters...)
	steps := b.shedding(r)
	for i := range filters {
		if step, ok := b.buildStep(r, &filters[i]); ok {
			steps = append(steps, step)
			if counted, isPlugin := step.Filter.(interface{ Stats() plugin.FilterStats }); isPlugin {
				b.s.filters = append(b.s.filters, countedFilter{place{r.Name, filters[i].Use}, counted})
			}
		}
	}
	c, err := chain.Compile(steps, fail)
	if err != nil {
		b.fault(r.Key+".filters", "%v", err)
		return nil
	}
	if b.cfg.Log.Filters {
		c.Time()
	}
	return c
}

// answers returns who answers the exchanges of r where nothing goes wrong.
func answers(r *config.Route) exchange.By {
	if r.Redirect != nil || r.Respond != nil {
		return exchange.ByRoute
	}
	return exchange.ByUpstream
}

func fields(list []config.NameValue) []header.Field {
	fields := make([]header.Field, len(list))
	for i, f := range list {
		fields[i] = header.Field{Name: f.Name, Value: f.Value}
	}
	return fields
}

// shelfKey names a thing by all that it is made of: equal parts of two generations are one thing.
func shelfKey(kind, name string, made any) string {
	text, err := json.Marshal(made)
	if err != nil { // a config struct always encodes; if it ever did not, then nothing must be shared by mistake
		text = fmt.Appendf(nil, "%p", &made)
	}
	return kind + "\x00" + name + "\x00" + string(text)
}
