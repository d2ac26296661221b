package gateway

import (
	"fmt"
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/route"
)

// RouteView is a route as the admin API and the command line show it.
type RouteView struct {
	Name    string            `json:"name"`
	Rank    int               `json:"rank"`  // in the order of precedence, from 1: of two that a request fits, the lower gets it
	Where   string            `json:"where"` // its key path in gateway.toml
	Line    int               `json:"line"`
	Host    string            `json:"host,omitempty"` // none: any
	Path    string            `json:"path"`
	Methods []string          `json:"methods,omitempty"` // none: any
	Headers map[string]string `json:"headers,omitempty"` // that must be there; "*": with any value, "***": a value that is not shown
	Query   map[string]string `json:"query,omitempty"`   // likewise
	Chain   []StepView        `json:"chain"`
	Target  TargetView        `json:"target"`
	Limits  RouteLimits       `json:"limits"`
}

// StepView is a step of a route's chain, in the order in which it runs.
type StepView struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`            // "native" or "plugin"
	Where   string `json:"where,omitempty"` // its key path in gateway.toml
	Line    int    `json:"line,omitempty"`
	Global  bool   `json:"global,omitempty"`   // it runs for every route
	OnError string `json:"on_error,omitempty"` // of plugins
}

// TargetView is what a route's chain ends in: one of its fields is set, and Mirror beside the first two.
type TargetView struct {
	Upstream     string       `json:"upstream,omitempty"`
	Split        []BranchView `json:"split,omitempty"`
	Redirect     string       `json:"redirect,omitempty"`
	Respond      int          `json:"respond,omitempty"` // the status of a static answer
	Mirror       *MirrorView  `json:"mirror,omitempty"`
	StripPrefix  string       `json:"strip_prefix,omitempty"`
	Rewrite      string       `json:"rewrite,omitempty"`
	UpstreamHost string       `json:"upstream_host,omitempty"` // "pass", "upstream" or a name
}

// BranchView is one way of a split.
type BranchView struct {
	Name     string `json:"name"`
	Upstream string `json:"upstream"`
	Weight   int    `json:"weight"`
}

// MirrorView is where copies of requests go.
type MirrorView struct {
	Upstream string `json:"upstream"`
	Share    int    `json:"share"` // percent
}

// RouteLimits are a route's own bounds. Durations are texts as in gateway.toml; what is not bounded is left out.
type RouteLimits struct {
	Timeout       string              `json:"timeout,omitempty"`
	TotalTimeout  string              `json:"total_timeout,omitempty"`
	IdleTimeout   string              `json:"idle_timeout,omitempty"`
	MaxBody       int64               `json:"max_body,omitempty"` // bytes
	Concurrency   *config.Concurrency `json:"concurrency,omitempty"`
	RejectEncoded []string            `json:"reject_encoded,omitempty"`
}

// Routes returns the routes of the current generation in the order of precedence.
func (g *Gateway) Routes() []RouteView {
	s := g.current.Load()
	if s == nil {
		return []RouteView{}
	}
	return routeViews(s.Config, s.table)
}

// RoutesOf returns the routes of a config as a gateway would have them. Its error is a config.Errors.
func RoutesOf(cfg *config.Config) ([]RouteView, error) {
	table, err := tableOf(cfg)
	if err != nil {
		return nil, err
	}
	return routeViews(cfg, table), nil
}

// tableOf builds nothing but the table of a config's routes.
func tableOf(cfg *config.Config) (*route.Table, error) {
	b := &builder{cfg: cfg}
	patterns := make([]route.Pattern, len(cfg.Routes))
	for i := range cfg.Routes {
		patterns[i] = pattern(&cfg.Routes[i])
	}
	table, err := route.Build(patterns)
	if err != nil {
		b.routeConflicts(err)
		return nil, sorted(b.wrong)
	}
	return table, nil
}

func routeViews(cfg *config.Config, table *route.Table) []RouteView {
	views := make([]RouteView, 0, len(cfg.Routes))
	for rank, index := range table.Order() {
		views = append(views, routeView(cfg, index, rank+1))
	}
	return views
}

func routeView(cfg *config.Config, index, rank int) RouteView {
	r := &cfg.Routes[index]
	v := RouteView{
		Name: r.Name, Rank: rank, Where: r.Key, Line: cfg.At(r.Key).Line, Host: r.Host, Path: r.Path, Methods: r.Methods,
		Chain: chainView(cfg, r), Target: targetView(r),
		Limits: RouteLimits{
			Timeout: durationText(r.Timeout), TotalTimeout: durationText(r.TotalTimeout), MaxBody: r.MaxBody, Concurrency: r.Concurrency, RejectEncoded: r.RejectEncoded,
		},
	}
	if v.Target.Upstream != "" || v.Target.Split != nil {
		v.Limits.IdleTimeout = durationText(r.IdleTimeout)
	}
	v.Headers, v.Query = map[string]string{}, map[string]string{}
	for _, m := range r.Headers {
		v.Headers[m.Name] = shown(cfg, r.Key+".headers", m.Name, m.Value)
	}
	for _, m := range r.Query {
		v.Query[m.Name] = shown(cfg, r.Key+".query", m.Name, m.Value)
	}
	return v
}

// shown is a predicate's value, unless it may be a secret.
func shown(cfg *config.Config, table, name string, value *string) string {
	switch {
	case value == nil:
		return "*"
	case cfg.Hidden(table, name):
		return config.Redacted
	}
	return *value
}

func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// chainView lists the steps as buildChain makes them.
func chainView(cfg *config.Config, r *config.Route) []StepView {
	steps := []StepView{}
	if cfg.Server.Concurrency != nil {
		steps = append(steps, StepView{Name: "concurrency", Kind: "native", Where: "server.concurrency", Line: cfg.At("server.concurrency").Line, Global: true})
	}
	if r.Concurrency != nil {
		where := r.Key + ".concurrency"
		steps = append(steps, StepView{Name: "concurrency", Kind: "native", Where: where, Line: cfg.At(where).Line})
	}
	for i, f := range slices.Concat(cfg.Filters, r.Filters) {
		step := StepView{Name: f.Use, Kind: "native", Where: f.Key, Line: cfg.At(f.Key).Line, Global: i < len(cfg.Filters), OnError: f.OnError}
		if f.Config != nil {
			step.Kind = "plugin"
		}
		steps = append(steps, step)
	}
	return steps
}

func targetView(r *config.Route) TargetView {
	switch {
	case r.Redirect != nil:
		return TargetView{Redirect: fmt.Sprintf("%d %s", r.Redirect.Status, r.Redirect.To)}
	case r.Respond != nil:
		return TargetView{Respond: r.Respond.Status}
	}
	t := TargetView{Upstream: r.Upstream, StripPrefix: r.StripPrefix, Rewrite: r.Rewrite, UpstreamHost: r.UpstreamHost}
	if r.Split != nil {
		for _, b := range r.Split.Branches {
			t.Split = append(t.Split, BranchView(b))
		}
	}
	if m := r.Mirror; m != nil {
		t.Mirror = &MirrorView{m.Upstream, m.Share}
	}
	return t
}

// upstreams returns the names of those that requests go to.
func (t *TargetView) upstreams() (names []string) {
	if t.Upstream != "" {
		names = append(names, t.Upstream)
	}
	for _, b := range t.Split {
		names = append(names, b.Upstream)
	}
	return names
}
