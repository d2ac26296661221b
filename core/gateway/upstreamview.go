package gateway

import (
	"maps"
	"slices"
)

// UpstreamView is all that there is to tell of an upstream.
type UpstreamView struct {
	Name      string           `json:"name"`
	Protocol  string           `json:"protocol"`
	TLS       bool             `json:"tls"`
	Endpoints []EndpointStatus `json:"endpoints"`
	Balance   BalanceStatus    `json:"balance"`
	Totals    UpstreamStatus   `json:"totals"`
	Discovery *SourceStatus    `json:"discovery,omitempty"` // none without a source
	Routes    []string         `json:"routes"`              // that send requests there
}

// Upstreams returns the upstreams of the current generation by name.
func (g *Gateway) Upstreams() []UpstreamView {
	views := []UpstreamView{}
	s := g.current.Load()
	if s == nil {
		return views
	}
	used := map[string][]string{}
	for i := range s.Config.Routes {
		target := targetView(&s.Config.Routes[i])
		for _, name := range target.upstreams() {
			used[name] = append(used[name], s.Config.Routes[i].Name)
		}
	}
	balance, sources := s.balanceStatus(), s.sourceStatus()
	for _, name := range slices.Sorted(maps.Keys(s.upstreams)) {
		u, c := s.upstreams[name], s.Config.Upstreams[name]
		v := UpstreamView{
			Name: name, Protocol: c.Protocol, TLS: c.TLS != nil, Endpoints: endpointStatus(u.Endpoints()), Balance: balance[name],
			Totals: UpstreamStatus(u.State()), Routes: append([]string{}, slices.Compact(used[name])...),
		}
		if source, ok := sources[name]; ok {
			v.Discovery = &source
		}
		views = append(views, v)
	}
	return views
}
