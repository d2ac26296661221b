package telemetry

// Kind is what a metric's values mean.
type Kind uint8

// The kinds of metrics.
const (
	Counter   Kind = iota // only grows, but for beginning anew
	Gauge                 // how it stands at the moment
	Histogram             // how many observations were of which class
)

// String returns the kind as the documentation names it.
func (k Kind) String() string { return [...]string{"counter", "gauge", "histogram"}[k] }

// Metric is one metric at one moment. Names and labels follow OpenTelemetry's conventions, units are those of UCUM.
type Metric struct {
	Name   string
	Unit   string
	Help   string
	Kind   Kind
	Labels []string  // that its points can have
	Bounds []float64 // of a histogram's classes, each included
	Points []Point

	Omitted int // points that are not told, since there are too many
}

// Point is one series of a metric.
type Point struct {
	Labels []Label // without those that are not known
	Value  float64 // of a counter or gauge
	Sum    float64 // of a histogram's observations
	Counts []uint64
}

// Label is a name and a value. A value that is a number by the conventions, such as http.response.status_code, is told as one.
type Label struct {
	Name, Value string
}
