package gateway

import (
	"time"

	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/upstream"
)

// Status is a picture of the current generation for the admin API.
type Status struct {
	Generation uint64                      `json:"generation"`
	Built      time.Time                   `json:"built"`
	Config     string                      `json:"config"`
	Plugins    map[string]PluginStatus     `json:"plugins"`
	Upstreams  map[string][]EndpointStatus `json:"upstreams"`
	Refused    map[string]uint64           `json:"refused"` // connections closed for connections_per_ip, by the listener's address
}

// PluginStatus is a picture of one plugin and its pools, one for each config that it is used with.
type PluginStatus struct {
	Hash  string       `json:"hash"`
	Pools []PoolStatus `json:"pools"`
}

// PoolStatus is a picture of the instances that share one config.
type PoolStatus struct {
	Instances int              `json:"instances"`
	Idle      int              `json:"idle"`
	Waiting   int              `json:"waiting"` // hooks that wait for an instance
	Calls     int64            `json:"calls"`
	Fuel      int64            `json:"fuel"`
	Failures  map[string]int64 `json:"failures"` // by cause; those that never happened are left out
}

// EndpointStatus is a picture of one endpoint.
type EndpointStatus struct {
	Address  string `json:"address"`
	Weight   int    `json:"weight"`
	Active   int64  `json:"active"` // exchanges in flight
	Idle     int    `json:"idle"`   // connections kept for reuse
	Requests uint64 `json:"requests"`
	Failures uint64 `json:"failures"`
}

// Status returns a picture of the current generation.
func (g *Gateway) Status() Status {
	s := g.current.Load()
	if s == nil {
		return Status{}
	}
	status := Status{
		Refused:    g.refused(),
		Generation: s.Generation, Built: s.Built, Config: s.Config.File,
		Plugins: map[string]PluginStatus{}, Upstreams: map[string][]EndpointStatus{},
	}
	for name, loaded := range s.plugins {
		p := PluginStatus{Hash: loaded.plugin.Hash(), Pools: []PoolStatus{}}
		for _, pool := range loaded.pools {
			p.Pools = append(p.Pools, poolStatus(pool.Stats()))
		}
		status.Plugins[name] = p
	}
	for name, u := range s.upstreams {
		status.Upstreams[name] = endpointStatus(u.Endpoints())
	}
	return status
}

func poolStatus(s plugin.Stats) PoolStatus {
	p := PoolStatus{Instances: s.Instances, Idle: s.Idle, Waiting: s.Waiting, Calls: s.Calls, Fuel: s.Fuel, Failures: map[string]int64{}}
	for cause, n := range s.Failures {
		if n > 0 {
			p.Failures[plugin.Cause(cause).String()] = n
		}
	}
	return p
}

func endpointStatus(states []upstream.EndpointState) []EndpointStatus {
	list := make([]EndpointStatus, len(states))
	for i, e := range states {
		list[i] = EndpointStatus(e)
	}
	return list
}
