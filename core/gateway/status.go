package gateway

import (
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/engine"
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
	Refused    map[string]uint64           `json:"refused"`  // connections closed for connections_per_ip, by the listener's address
	Unserved   map[string]uint64           `json:"unserved"` // HTTP/2 streams that ended before they were requests, and are in no access log
}

// PluginStatus is a picture of one plugin and its pools, one for each config that it is used with.
type PluginStatus struct {
	Hash    string         `json:"hash"`
	Grants  []string       `json:"grants"`
	Pools   []PoolStatus   `json:"pools"`
	Metrics []MetricStatus `json:"metrics"` // that the plugin counts itself
}

// MetricStatus is a picture of one series: a counter, or a histogram.
type MetricStatus struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
	Kind   string            `json:"kind"`
	Value  uint64            `json:"value"` // a counter's, or how many were observed
	Sum    float64           `json:"sum,omitempty"`
}

// PoolStatus is a picture of the instances that share one config.
type PoolStatus struct {
	Instances int              `json:"instances"`
	Idle      int              `json:"idle"`
	Waiting   int              `json:"waiting"` // hooks that wait for an instance
	Open      bool             `json:"open"`    // it keeps failing, and is left alone for a while
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
		Refused: g.counts((*engine.Listener).Refused), Unserved: g.counts((*engine.Listener).Unserved),
		Generation: s.Generation, Built: s.Built, Config: s.Config.File,
		Plugins: map[string]PluginStatus{}, Upstreams: map[string][]EndpointStatus{},
	}
	for name, loaded := range s.plugins {
		p := PluginStatus{
			Hash: loaded.plugin.Hash(), Grants: grantNames(s.Config.Plugins[name].Grants), Pools: []PoolStatus{},
			Metrics: metricStatus(loaded.plugin.Metrics()),
		}
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

func grantNames(grants []config.Grant) []string {
	names := make([]string, len(grants))
	for i, g := range grants {
		names[i] = strings.TrimSuffix(g.Kind+":"+g.Name, ":")
	}
	return names
}

func metricStatus(metrics []plugin.Metric) []MetricStatus {
	list := make([]MetricStatus, len(metrics))
	for i, m := range metrics {
		list[i] = MetricStatus{Name: m.Name, Kind: "counter", Value: m.Value}
		if m.Histogram != nil {
			list[i] = MetricStatus{Name: m.Name, Kind: "histogram", Value: m.Histogram.Count, Sum: m.Histogram.Sum}
		}
		for _, label := range m.Labels {
			if list[i].Labels == nil {
				list[i].Labels = map[string]string{}
			}
			list[i].Labels[label.Name] = label.Value
		}
	}
	return list
}

func poolStatus(s plugin.Stats) PoolStatus {
	p := PoolStatus{Instances: s.Instances, Idle: s.Idle, Waiting: s.Waiting, Open: s.Open, Calls: s.Calls, Fuel: s.Fuel, Failures: map[string]int64{}}
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
