package gateway

import (
	"maps"
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/metrics"
)

// Stats is what the gateway has counted since it began, for the answer of GET /stats. All counts only grow, but that those of an endpoint,
// an upstream's care, a limit or a listener begin anew when the config makes another one of it. Rates are for the reader to compute from
// two answers, by Time. Routes and plugins' places without an exchange are left out.
type Stats struct {
	Time       time.Time                `json:"time"`
	Began      time.Time                `json:"began"` // when the process did: all counts are since then
	Generation uint64                   `json:"generation"`
	Counted    bool                     `json:"counted"` // exchanges are; without, Routes has none and Upstreams no Answers
	Active     int64                    `json:"active"`  // exchanges that are being served
	Bounds     []int64                  `json:"bounds"`  // of all Durations, in microseconds
	Routes     map[string]RouteStats    `json:"routes"`  // "" is for exchanges without one, "_other" for those beyond the bound on routes
	Upstreams  map[string]UpstreamStats `json:"upstreams"`
	Plugins    map[string]PluginStats   `json:"plugins"`
	Filters    []FilterStats            `json:"filters"` // plugins in routes' chains, by route and plugin
	HookBounds []int64                  `json:"hook_bounds"`
	Limits     map[string]LimitStatus   `json:"limits"`    // those that have decided
	Listeners  map[string]ListenerStats `json:"listeners"` // by the address as configured
	Reloads    ReloadStats              `json:"reloads"`
	LogDropped uint64                   `json:"log_dropped"` // lines of the access log
}

// DurationStats are how long something took.
type DurationStats struct {
	Count   uint64   `json:"count"`
	Sum     int64    `json:"sum"`     // microseconds
	Buckets []uint64 `json:"buckets"` // by class: up to each of the bounds, those below not included; at the end those beyond the last
}

// RouteStats are a route's exchanges.
type RouteStats struct {
	Path      string            `json:"path,omitempty"` // its pattern
	Requests  map[string]uint64 `json:"requests"`       // by class of status, such as "2xx"; "none" without an answer
	Methods   map[string]uint64 `json:"methods"`        // requests by method; "_OTHER" for unusual ones
	Statuses  map[int]uint64    `json:"statuses"`       // requests by status
	Faults    map[string]uint64 `json:"faults,omitempty"`
	Blame     map[string]uint64 `json:"blame,omitempty"` // faults by side: "gateway", "client", "upstream", "plugin"
	Durations DurationStats     `json:"durations"`
	// Overhead is what the gateway added, of the exchanges where that is known; its classes are not those of Bounds, so only their number
	// and sum are told.
	Overhead OverheadStats `json:"overhead"`
	Received uint64        `json:"received"` // bytes of content
	Sent     uint64        `json:"sent"`
}

// OverheadStats are what the gateway added to some exchanges.
type OverheadStats struct {
	Count uint64 `json:"count"`
	Sum   int64  `json:"sum"` // microseconds
}

// UpstreamStats are the exchanges that went to an upstream.
type UpstreamStats struct {
	Requests  map[string]uint64        `json:"requests"` // by class of the answer's status; "none": there was a fault instead
	Faults    map[string]uint64        `json:"faults,omitempty"`
	Answers   DurationStats            `json:"answers"` // from the request's head to the answer's
	Retries   uint64                   `json:"retries"`
	Endpoints map[string]EndpointStats `json:"endpoints"` // by address
}

// EndpointStats are an endpoint in short.
type EndpointStats struct {
	Requests uint64   `json:"requests"` // tries
	Failures uint64   `json:"failures"`
	Active   int64    `json:"active"`
	Usable   bool     `json:"usable"`
	Why      []string `json:"why,omitempty"`     // it is not: "check_failed", "unchecked", "ejected", "drained"
	Breaker  string   `json:"breaker,omitempty"` // "closed", "open", "half_open"
}

// PluginStats are a plugin's hooks, in all chains.
type PluginStats struct {
	Calls     int64            `json:"calls"`
	Fuel      int64            `json:"fuel"`
	Failures  map[string]int64 `json:"failures,omitempty"` // by cause
	Instances int              `json:"instances"`
	Idle      int              `json:"idle"`
	Open      bool             `json:"open"` // it keeps failing, and is left alone for a while
}

// FilterStats are a plugin's hooks in one route's chain.
type FilterStats struct {
	Route  string   `json:"route"`
	Plugin string   `json:"plugin"`
	Calls  int64    `json:"calls"`
	Failed int64    `json:"failed"`
	Fuel   float64  `json:"fuel"`  // an estimate: the plugin's fuel shared out by calls
	Times  []uint64 `json:"times"` // of one hook in 64, by class of HookBounds, in microseconds; at the end those that took longer
}

// ListenerStats are a listener's connections.
type ListenerStats struct {
	Open             uint64 `json:"open"`
	OpenHTTP2        uint64 `json:"open_http2"`
	Accepted         uint64 `json:"accepted"`
	AcceptedHTTP2    uint64 `json:"accepted_http2"`
	Refused          uint64 `json:"refused"` // closed at once: their client had too many
	Handshakes       uint64 `json:"handshakes"`
	HandshakesFailed uint64 `json:"handshakes_failed"`
	Unserved         uint64 `json:"unserved"` // HTTP/2 streams that ended before they were requests
}

// Stats returns what was counted. Like Metrics it takes no lock that exchanges or reloads hold for long.
func (g *Gateway) Stats() Stats {
	all := Stats{
		Time: time.Now(), Began: g.began, Active: g.ledger.active(), Bounds: micros(metrics.DurationBounds()), HookBounds: micros(hookBounds()),
		Routes: map[string]RouteStats{}, Upstreams: map[string]UpstreamStats{}, Plugins: map[string]PluginStats{}, Filters: []FilterStats{},
		Limits: map[string]LimitStatus{}, Listeners: g.listenerStats(), Reloads: g.reloads.read(), LogDropped: g.AccessDropped(),
	}
	for _, r := range g.book.Routes() {
		all.Routes[r.Name] = routeStats(&r)
	}
	for _, u := range g.book.Upstreams() {
		all.Upstreams[u.Name] = upstreamStats(&u)
	}
	if s := g.current.Load(); s != nil {
		all.Generation, all.Counted = s.Generation, s.counts
		s.addEndpoints(all.Upstreams)
		g.addPlugins(&all, s)
		for name, c := range s.limits {
			if n := c.tally.Counts(); n.Allowed+n.Denied+n.Dry+n.StoreErrors > 0 {
				all.Limits[name] = c.status()
			}
		}
	}
	return all
}

func micros(bounds []time.Duration) []int64 {
	list := make([]int64, len(bounds))
	for i, d := range bounds {
		list[i] = d.Microseconds()
	}
	return list
}

func routeStats(r *metrics.RoutePicture) RouteStats {
	s := RouteStats{
		Path: r.Path, Requests: map[string]uint64{}, Methods: map[string]uint64{}, Statuses: map[int]uint64{}, Faults: map[string]uint64{}, Blame: map[string]uint64{},
		Overhead: OverheadStats{r.Overhead.Count, r.Overhead.Sum.Microseconds()}, Received: r.Received, Sent: r.Sent,
	}
	var sum metrics.Histogram
	for i := range r.Durations {
		d := &r.Durations[i]
		s.Requests[d.Class()] += d.Count
		s.Methods[d.Method] += d.Count
		s.Statuses[d.Status] += d.Count
		sum.Add(d.Histogram)
	}
	for _, f := range r.Faults {
		s.Faults[f.Kind] += f.Count
		s.Blame[f.Side] += f.Count
	}
	s.Durations = durationStats(&sum)
	return s
}

func upstreamStats(u *metrics.UpstreamPicture) UpstreamStats {
	s := UpstreamStats{Requests: map[string]uint64{}, Faults: map[string]uint64{}, Retries: u.Retries, Endpoints: map[string]EndpointStats{}}
	var sum metrics.Histogram
	for i := range u.Answers {
		a := &u.Answers[i]
		s.Requests[a.Class()] += a.Count
		if a.Error != "" {
			s.Faults[a.Error] += a.Count
			continue // how long it took says nothing of answers
		}
		sum.Add(a.Histogram)
	}
	s.Answers = durationStats(&sum)
	return s
}

func durationStats(h *metrics.Histogram) DurationStats {
	d := DurationStats{Count: h.Count, Sum: h.Sum.Microseconds(), Buckets: h.Counts}
	if d.Buckets == nil {
		d.Buckets = []uint64{}
	}
	return d
}

func (s *Snapshot) addEndpoints(to map[string]UpstreamStats) {
	for name, u := range s.upstreams {
		stats, ok := to[name]
		if !ok {
			stats = upstreamStats(&metrics.UpstreamPicture{Name: name})
			to[name] = stats
		}
		for _, e := range u.Endpoints() {
			stats.Endpoints[e.Address] = EndpointStats{e.Requests, e.Failures, e.Active, e.Standing.Usable, e.Standing.Why, e.Breaker}
		}
	}
}

func (g *Gateway) addPlugins(to *Stats, s *Snapshot) {
	filters, plugins := g.ledger.totals()
	for name, n := range plugins {
		stats := PluginStats{Calls: n.Calls, Fuel: n.Fuel, Failures: map[string]int64{}}
		for cause, failed := range n.Failures {
			if failed > 0 {
				stats.Failures[cause.String()] = failed
			}
		}
		if loaded := s.plugins[name]; loaded != nil {
			for _, pool := range loaded.pools {
				now := pool.Stats()
				stats.Instances += now.Instances
				stats.Idle += now.Idle
				stats.Open = stats.Open || now.Open
			}
		}
		to.Plugins[name] = stats
	}
	for _, at := range slices.SortedFunc(maps.Keys(filters), byPlace) {
		total := filters[at]
		if total.Calls == 0 || len(to.Filters) == maxPoints {
			continue
		}
		f := FilterStats{Route: at.Route, Plugin: at.Plugin, Calls: total.Calls, Failed: total.Failed, Times: total.Times}
		if n := plugins[at.Plugin]; n.Calls > 0 {
			f.Fuel = float64(n.Fuel) * float64(total.Calls) / float64(n.Calls)
		}
		to.Filters = append(to.Filters, f)
	}
}

func (g *Gateway) listenerStats() map[string]ListenerStats {
	all := map[string]ListenerStats{}
	if listening := g.listening.Load(); listening != nil {
		for address, l := range *listening {
			all[address] = ListenerStats(l.Counts())
		}
	}
	return all
}
