package plugin

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// kind is what a metric counts.
type kind uint8

const (
	counter kind = iota
	histogram
)

// metrics are what the plugins of one name have counted, over all copies, configurations and versions. Their number is bounded;
// none is ever forgotten.
type metrics struct {
	mu     sync.RWMutex
	series map[string]*series // by name and labels, encoded
	kinds  map[string]kind    // by name
}

// series is one counter or histogram.
type series struct {
	name    string
	labels  []header.Field // sorted by name
	count   atomic.Uint64  // a counter's value, or how many were observed
	sum     atomic.Uint64  // of what was observed, as the bits of a float64
	buckets []atomic.Uint64
}

// metricsOf returns what plugins of that name have counted so far.
func (h *Host) metricsOf(name string) *metrics {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.metrics[name]
	if m == nil {
		m = &metrics{series: make(map[string]*series), kinds: make(map[string]kind)}
		h.metrics[name] = m
	}
	return m
}

// find returns the series of a name and labels, whose order it changes; a new one if there is none and there is room. The key
// is made in h's scratch room.
func (m *metrics) find(h *hookCall, name string, labels []header.Field, k kind) (*series, abi.Code) {
	slices.SortFunc(labels, func(a, b header.Field) int { return cmp.Compare(a.Name, b.Name) })
	h.scratch = appendSeriesKey(h.scratch[:0], name, labels)
	m.mu.RLock()
	s := m.series[string(h.scratch)]
	m.mu.RUnlock()
	switch {
	case s == nil:
		return m.open(string(h.scratch), name, labels, k)
	case (s.buckets != nil) != (k == histogram):
		return nil, abi.Conflict
	}
	return s, ok
}

func appendSeriesKey(key []byte, name string, labels []header.Field) []byte {
	key = append(binary.AppendUvarint(key, uint64(len(name))), name...)
	for _, label := range labels {
		key = append(binary.AppendUvarint(key, uint64(len(label.Name))), label.Name...)
		key = append(binary.AppendUvarint(key, uint64(len(label.Value))), label.Value...)
	}
	return key
}

// open makes a series, unless somebody else just has.
func (m *metrics) open(key, name string, labels []header.Field, k kind) (*series, abi.Code) {
	if !validMetric(name) || !validLabels(labels) {
		return nil, abi.Invalid
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known, there := m.kinds[name]
	s := m.series[key]
	switch {
	case there && known != k:
		return nil, abi.Conflict
	case s != nil:
		return s, ok
	case len(m.series) >= abi.MaxSeries:
		return nil, abi.TooLarge
	}
	s = &series{name: strings.Clone(name)}
	for _, label := range labels {
		s.labels = append(s.labels, header.Field{Name: strings.Clone(label.Name), Value: strings.Clone(label.Value)})
	}
	if k == histogram {
		s.buckets = make([]atomic.Uint64, len(bounds)+1)
	}
	m.series[key] = s
	m.kinds[s.name] = k
	return s, ok
}

// validMetric reports whether s can be the name of a metric or a label: letters, digits and _, no digit first.
func validMetric(s string) bool {
	for i := range len(s) {
		c := s[i]
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'; !letter && (c < '0' || c > '9' || i == 0) {
			return false
		}
	}
	return s != ""
}

// validLabels looks at labels sorted by name. Those that the gateway or a histogram's buckets bring along cannot be a plugin's.
func validLabels(labels []header.Field) bool {
	for i, label := range labels {
		switch {
		case !validMetric(label.Name) || strings.HasPrefix(label.Name, "__") || !utf8.ValidString(label.Value):
			return false
		case label.Name == "le" || label.Name == "plugin" || label.Name == "route":
			return false
		case i > 0 && label.Name == labels[i-1].Name:
			return false
		}
	}
	return true
}

// bounds are where the buckets of every histogram end: fit for seconds as for bytes, since plugins cannot say which.
var bounds = [...]float64{
	0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50,
	100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 2.5e6, 5e6,
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func (s *series) add(delta uint64) { s.count.Add(delta) }

func (s *series) observe(value float64) {
	i, _ := slices.BinarySearch(bounds[:], value) // the first bound that is not less
	s.buckets[i].Add(1)
	s.count.Add(1)
	for {
		old := s.sum.Load()
		if s.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+value)) {
			return
		}
	}
}
