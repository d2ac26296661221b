package sallyport

import (
	"encoding/binary"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// Label tells series of one metric apart.
type Label struct {
	Name, Value string
}

// Counter is a number that grows. All copies of the plugin count together.
type Counter struct {
	name   string
	labels []byte
}

// NewCounter names a counter: letters, digits and _ in its name and those of its labels. A counter is best made once for each set of labels;
// their number is bounded, so keep what clients send out of labels.
func NewCounter(name string, labels ...Label) Counter { return Counter{name, encodeLabels(labels)} }

// Add adds delta, at least 0. ErrTooLarge when the plugin has too many series, ErrConflict when the name is a histogram's. It cannot be
// called while the plugin is configured.
func (c Counter) Add(delta int64) error { return failure(host.MetricAdd(c.name, c.labels, delta)) }

// Histogram counts values by how large they are.
type Histogram struct {
	name   string
	labels []byte
}

// NewHistogram names a histogram, as NewCounter does a counter. Its buckets are fixed and suit seconds as well as bytes.
func NewHistogram(name string, labels ...Label) Histogram {
	return Histogram{name, encodeLabels(labels)}
}

// Observe adds a value, which must be finite. Errors are as Counter.Add's.
func (h Histogram) Observe(value float64) error {
	return failure(host.MetricObserve(h.name, h.labels, value))
}

// encodeLabels writes a field list (sdk/ABI.md, section 10).
func encodeLabels(labels []Label) []byte {
	b := make([]byte, 0, 64)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(labels)))
	for _, l := range labels {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(l.Name)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(l.Value)))
	}
	for _, l := range labels {
		b = append(append(b, l.Name...), l.Value...)
	}
	return b
}
