package gateway

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/metrics"
	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/telemetry"
)

// measurePlugins tells of plugins in all, and by the routes that have them in their chains.
func (g *Gateway) measurePlugins(m *measures, s *Snapshot) {
	filters, plugins := g.ledger.totals()
	calls := m.counter("sallyport.plugin.calls", "{hook}", "Hooks that ran, failed ones and repetitions included.", labelPlugin)
	fuel := m.counter("sallyport.plugin.fuel", "{unit}", "Fuel that hooks have used.", labelPlugin)
	failures := m.counter("sallyport.plugin.failures", "{hook}", "Hooks that failed, by cause.", labelPlugin, labelCause)
	retried := m.counter("sallyport.plugin.retried", "{hook}", "Hooks that were tried once more in a fresh instance.", labelPlugin)
	timedOut := m.counter("sallyport.plugin.timed_out", "{hook}", "Hooks that found no idle instance in time.", labelPlugin)
	started := m.counter("sallyport.plugin.started", "{instance}", "Instances that were started.", labelPlugin)
	recycled := m.counter("sallyport.plugin.recycled", "{instance}", "Instances that were replaced because of use or size.", labelPlugin)
	for _, name := range sortedKeys(plugins) {
		n := plugins[name]
		point(calls, n.Calls, name)
		point(fuel, n.Fuel, name)
		for cause := range n.Failures {
			if n.Failures[cause] > 0 {
				point(failures, n.Failures[cause], name, cause.String())
			}
		}
		point(retried, n.Retried, name)
		point(timedOut, n.TimedOut, name)
		point(started, n.Started, name)
		point(recycled, n.Recycled, name)
	}
	s.measureInstances(m)
	measureFilters(m, filters)
}

func (s *Snapshot) measureInstances(m *measures) {
	instances := m.gauge("sallyport.plugin.instances", "{instance}", "Instances, idle or busy.", labelPlugin, labelState)
	waiting := m.gauge("sallyport.plugin.waiting", "{hook}", "Hooks that wait for an instance.", labelPlugin)
	open := m.gauge("sallyport.plugin.open", "", "1 if the plugin keeps failing and is left alone for a while.", labelPlugin)
	memory := m.gauge("sallyport.plugin.idle_memory", "By", "Linear memories of idle instances.", labelPlugin)
	for _, name := range sortedKeys(s.plugins) {
		var sum plugin.Stats
		for _, pool := range s.plugins[name].pools {
			n := pool.Stats()
			sum.Instances += n.Instances
			sum.Idle += n.Idle
			sum.Waiting += n.Waiting
			sum.IdleMemory += n.IdleMemory
			sum.Open = sum.Open || n.Open
		}
		point(instances, sum.Idle, name, "idle")
		point(instances, sum.Instances-sum.Idle, name, "busy")
		point(waiting, sum.Waiting, name)
		point(open, bit(sum.Open), name)
		point(memory, sum.IdleMemory, name)
	}
}

// measureFilters leaves out the places that no hook has run at: a plugin of the top is in every route's chain.
func measureFilters(m *measures, filters map[place]FilterTotal) {
	calls := m.counter("sallyport.filter.calls", "{hook}", "Hooks of a plugin in a route's chain.", labelRoute, labelPlugin)
	failed := m.counter("sallyport.filter.failed", "{hook}", "Hooks that failed for good.", labelRoute, labelPlugin)
	durations := m.histogram("sallyport.filter.duration", "s", "How long hooks took, waits included, by one of 64, and a few more of the first. The sum is an estimate by the classes.", hookBounds(), labelRoute, labelPlugin)
	for _, at := range slices.SortedFunc(maps.Keys(filters), byPlace) {
		total := filters[at]
		if total.Calls == 0 {
			continue
		}
		point(calls, total.Calls, at.Route, at.Plugin)
		point(failed, total.Failed, at.Route, at.Plugin)
		h := hookTimes(total.Times)
		observed(durations, &h, at.Route, at.Plugin)
	}
}

// hookBounds are those of a filter's times.
func hookBounds() []time.Duration {
	var bounds []time.Duration
	for class := 0; plugin.TimeBound(class) > 0; class++ {
		bounds = append(bounds, plugin.TimeBound(class))
	}
	return bounds
}

// hookTimes takes each hook for three quarters of its class' bound, which is the middle: no sum is kept.
func hookTimes(times []uint64) metrics.Histogram {
	h := metrics.Histogram{Counts: times}
	var longest time.Duration
	for class, n := range times {
		middle := plugin.TimeBound(class) * 3 / 4
		if middle == 0 {
			middle = longest * 2
		}
		longest = plugin.TimeBound(class)
		h.Count += n
		h.Sum += middle * time.Duration(n)
	}
	return h
}

// The beginnings of the names of what plugins count themselves.
const (
	ownCounters   = "sallyport.plugin.own."
	ownHistograms = "sallyport.plugin.observed."
)

// measureOwn tells of what plugins count themselves. Their names were checked, but two that differ may become one in Prometheus, where
// the first then stands for both.
func (s *Snapshot) measureOwn(m *measures) {
	made := map[string]*telemetry.Metric{}
	for _, name := range sortedKeys(s.plugins) {
		if s.plugins[name].plugin == nil {
			continue
		}
		first := map[string]string{} // the plugin's own name, by the one that is told
		for _, own := range s.plugins[name].plugin.Metrics() {
			told := ownName(own)
			if first[told] == "" {
				first[told] = own.Name
			}
			if first[told] != own.Name {
				continue
			}
			if made[told] == nil {
				made[told] = newOwn(m, told, own)
			}
			if len(made[told].Points) == maxPoints {
				made[told].Omitted++
				continue
			}
			made[told].Points = append(made[told].Points, ownPoint(name, own))
		}
	}
}

func newOwn(m *measures, told string, own plugin.Metric) *telemetry.Metric {
	if own.Histogram == nil {
		return m.counter(told, "", "What plugins count as "+own.Name+".", labelPlugin)
	}
	metric := m.add(telemetry.Histogram, told, "", "What plugins observe as "+own.Name+".", labelPlugin)
	metric.Bounds = plugin.HistogramBounds()
	return metric
}

// ownName takes away what Prometheus would add or fold: "_total" at the end, and underscores beside one another.
func ownName(own plugin.Metric) string {
	words := strings.FieldsFunc(own.Name, func(r rune) bool { return r == '_' })
	for len(words) > 1 && words[len(words)-1] == "total" {
		words = words[:len(words)-1]
	}
	if own.Histogram != nil {
		return ownHistograms + strings.Join(words, "_")
	}
	return ownCounters + strings.Join(words, "_")
}

func ownPoint(name string, own plugin.Metric) telemetry.Point {
	p := telemetry.Point{Labels: []telemetry.Label{{Name: labelPlugin, Value: name}}, Value: float64(own.Value)}
	for _, l := range own.Labels {
		label := l.Name
		if strings.HasPrefix(label, "sallyport") { // it may be one of the gateway's
			label = "own_" + label
		}
		p.Labels = append(p.Labels, telemetry.Label{Name: label, Value: l.Value})
	}
	if own.Histogram != nil {
		p.Sum, p.Counts = own.Histogram.Sum, own.Histogram.Buckets
	}
	return p
}
