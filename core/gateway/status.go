package gateway

import (
	"time"

	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/upstream"
)

// Status is a picture of the current generation for the admin API.
type Status struct {
	Generation uint64                              `json:"generation"`
	Built      time.Time                           `json:"built"`
	Config     string                              `json:"config"`
	Plugins    map[string]PluginStatus             `json:"plugins"`
	Upstreams  map[string][]upstream.EndpointState `json:"upstreams"`
}

// PluginStatus is a picture of one plugin and its pools, one for each config that it is used with.
type PluginStatus struct {
	Hash  string         `json:"hash"`
	Pools []plugin.Stats `json:"pools"`
}

// Status returns a picture of the current generation.
func (g *Gateway) Status() Status {
	s := g.current.Load()
	if s == nil {
		return Status{}
	}
	status := Status{
		Generation: s.Generation, Built: s.Built, Config: s.Config.File,
		Plugins: map[string]PluginStatus{}, Upstreams: map[string][]upstream.EndpointState{},
	}
	for name, loaded := range s.plugins {
		p := PluginStatus{Hash: loaded.plugin.Hash()}
		for _, pool := range loaded.pools {
			p.Pools = append(p.Pools, pool.Stats())
		}
		status.Plugins[name] = p
	}
	for name, u := range s.upstreams {
		status.Upstreams[name] = u.Endpoints()
	}
	return status
}
