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
	Refused    map[string]uint64           `json:"refused"`   // connections closed for connections_per_ip, by the listener's address
	Unserved   map[string]uint64           `json:"unserved"`  // HTTP/2 streams that ended before they were requests, and are in no access log
	Discovery  map[string]SourceStatus     `json:"discovery"` // by upstream
	Balance    map[string]BalanceStatus    `json:"balance"`   // by upstream
	Limits     map[string]LimitStatus      `json:"limits"`
	Stores     map[string]StoreStatus      `json:"stores"`
	Passwords  map[string]PasswordStatus   `json:"passwords"`
	Totals     map[string]UpstreamStatus   `json:"upstream_totals"`
	Traffic    map[string]TrafficStatus    `json:"traffic"` // by route; "" for all together
	Traces     *TraceStatus                `json:"traces,omitempty"`
}

// PluginStatus is a picture of one plugin and its pools, one for each config that it is used with.
type PluginStatus struct {
	Hash    string         `json:"hash"`
	Grants  []string       `json:"grants"`
	Pools   []PoolStatus   `json:"pools"`
	Filters []FilterStatus `json:"filters"` // the places that it is used at
	Metrics []MetricStatus `json:"metrics"` // that the plugin counts itself
}

// FilterStatus is a picture of a plugin at one place of one route's chain.
type FilterStatus struct {
	Route  string       `json:"route"`
	Where  string       `json:"where"` // its key path in gateway.toml
	Calls  int64        `json:"calls"`
	Failed int64        `json:"failed"`
	Times  []TimeStatus `json:"times"` // of one hook in 64, waits included; classes that no hook was of are left out
}

// TimeStatus is how many hooks took how long.
type TimeStatus struct {
	UpTo  int64  `json:"up_to,omitempty"` // microseconds; none for the longest
	Hooks uint64 `json:"hooks"`
}

// FuelStatus is how many hooks used how much.
type FuelStatus struct {
	UpTo  int64 `json:"up_to,omitempty"` // units; none for the most
	Hooks int64 `json:"hooks"`
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
	FuelUsed  []FuelStatus     `json:"fuel_used"`   // by hooks; classes that no hook was of are left out
	Micros    float64          `json:"micros"`      // that a hook takes on average, by a sample of them
	Memory    int64            `json:"idle_memory"` // bytes of the idle instances' linear memories
	Failures  map[string]int64 `json:"failures"`    // by cause; those that never happened are left out
}

// EndpointStatus is a picture of one endpoint.
type EndpointStatus struct {
	Address  string `json:"address"`
	Weight   int    `json:"weight"` // what the operator says, else the config
	Active   int64  `json:"active"` // exchanges in flight
	Idle     int    `json:"idle"`   // connections kept for reuse
	Requests uint64 `json:"requests"`
	Failures uint64 `json:"failures"`

	Zone      string                 `json:"zone,omitempty"`
	Priority  int                    `json:"priority"`
	Effective float64                `json:"effective_weight"` // for now: less while it rises, 0 when the endpoint is not picked unless others have failed
	Standing  upstream.StandingState `json:"standing"`
	Breaker   string                 `json:"breaker,omitempty"` // "closed", "open" or "half_open"; none without one
	Opened    uint64                 `json:"opened,omitempty"`  // how often the breaker has opened
	Given     int                    `json:"configured_weight"` // Weight, but for the operator's word
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
		Plugins: s.pluginStatus(), Upstreams: map[string][]EndpointStatus{},
		Balance: s.balanceStatus(), Totals: map[string]UpstreamStatus{}, Traffic: s.trafficStatus(), Traces: g.traceStatus(s),
	}
	status.Discovery = s.sourceStatus()
	s.addLimits(&status)
	s.addPasswords(&status)
	for name, u := range s.upstreams {
		status.Upstreams[name] = endpointStatus(u.Endpoints())
		status.Totals[name] = UpstreamStatus(u.State())
	}
	return status
}

// pluginStatus tells of the plugins by name.
func (s *Snapshot) pluginStatus() map[string]PluginStatus {
	all := map[string]PluginStatus{}
	for name, loaded := range s.plugins {
		p := PluginStatus{
			Hash: loaded.plugin.Hash(), Grants: grantNames(s.Config.Plugins[name].Grants), Pools: []PoolStatus{},
			Metrics: metricStatus(loaded.plugin.Metrics()),
		}
		for _, pool := range loaded.pools {
			p.Pools = append(p.Pools, poolStatus(pool.Stats()))
		}
		all[name] = p
	}
	s.addFilters(all)
	return all
}

// addFilters tells of each plugin's places.
func (s *Snapshot) addFilters(plugins map[string]PluginStatus) {
	for i := range s.routes {
		for _, step := range s.routes[i].chain.Steps() {
			counted, isPlugin := step.Filter.(interface{ Stats() plugin.FilterStats })
			if !isPlugin {
				continue
			}
			stats, p := counted.Stats(), plugins[step.Name]
			p.Filters = append(p.Filters, FilterStatus{s.routes[i].name, stats.Where, stats.Calls, stats.Failed, timeStatus(stats)})
			plugins[step.Name] = p
		}
	}
}

func timeStatus(s plugin.FilterStats) []TimeStatus {
	list := []TimeStatus{}
	for class, n := range s.Times {
		if n > 0 {
			list = append(list, TimeStatus{plugin.TimeBound(class).Microseconds(), n})
		}
	}
	return list
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
	p := PoolStatus{Instances: s.Instances, Idle: s.Idle, Waiting: s.Waiting, Open: s.Open, Calls: s.Calls, Fuel: s.Fuel, Memory: s.IdleMemory, FuelUsed: []FuelStatus{}, Failures: map[string]int64{}}
	for i, n := range s.FuelCounts {
		switch {
		case n == 0:
		case i < len(plugin.FuelBounds):
			p.FuelUsed = append(p.FuelUsed, FuelStatus{plugin.FuelBounds[i], n})
		default:
			p.FuelUsed = append(p.FuelUsed, FuelStatus{Hooks: n})
		}
	}
	if s.Timed > 0 {
		p.Micros = float64(s.Time.Nanoseconds()) / 1e3 / float64(s.Timed)
	}
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
