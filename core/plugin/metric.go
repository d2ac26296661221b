package plugin

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/sallyport/sallyport/core/header"
)

// Metric is one series that a plugin counts, as it was at one moment.
type Metric struct {
	Name      string
	Labels    []header.Field // sorted by name; not to be changed
	Value     uint64         // of a counter
	Histogram *Histogram     // nil for a counter
}

// Histogram is what was observed.
type Histogram struct {
	Count   uint64
	Sum     float64
	Buckets []uint64 // up to each of HistogramBounds, those below not included; at the end those beyond the last
}

// HistogramBounds returns where the buckets of plugins' histograms end, each included.
func HistogramBounds() []float64 { return slices.Clone(bounds[:]) }

// Metrics returns what plugins of this one's name have counted since the Host was made, in order of names and labels.
func (p *Plugin) Metrics() []Metric {
	p.metrics.mu.RLock()
	all := slices.Collect(maps.Values(p.metrics.series))
	p.metrics.mu.RUnlock()
	slices.SortFunc(all, func(a, b *series) int {
		byLabel := func(x, y header.Field) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Value, y.Value)) }
		return cmp.Or(cmp.Compare(a.name, b.name), slices.CompareFunc(a.labels, b.labels, byLabel))
	})
	list := make([]Metric, len(all))
	for i, s := range all {
		list[i] = s.metric()
	}
	return list
}

func (s *series) metric() Metric {
	m := Metric{Name: s.name, Labels: s.labels}
	if s.buckets == nil {
		m.Value = s.count.Load()
		return m
	}
	m.Histogram = &Histogram{Sum: math.Float64frombits(s.sum.Load()), Buckets: make([]uint64, len(s.buckets))}
	for i := range s.buckets {
		m.Histogram.Buckets[i] = s.buckets[i].Load()
		m.Histogram.Count += m.Histogram.Buckets[i]
	}
	return m
}
