package telemetry

import (
	"context"
	"math"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// scope is the name that the gateway's metrics go under.
const scope = "github.com/sallyport/sallyport"

// statusCode is the one label that is a number.
const statusCode = "http.response.status_code"

// producer hands what collect returns to readers of the OpenTelemetry SDK. It implements its metric.Producer.
type producer struct {
	collect func() []Metric
	start   time.Time
	version string
}

// Produce never fails.
func (p *producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	now := time.Now()
	all := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: scope, Version: p.version}}
	for _, m := range p.collect() {
		if len(m.Points) > 0 {
			all.Metrics = append(all.Metrics, metricdata.Metrics{Name: m.Name, Unit: m.Unit, Description: m.Help, Data: p.data(&m, now)})
		}
	}
	return []metricdata.ScopeMetrics{all}, nil
}

func (p *producer) data(m *Metric, now time.Time) metricdata.Aggregation {
	if m.Kind == Histogram {
		return p.histogram(m, now)
	}
	if m.isWhole() {
		return aggregate(m.Kind, points(m, p.start, now, func(v float64) int64 { return int64(v) }))
	}
	return aggregate(m.Kind, points(m, p.start, now, func(v float64) float64 { return v }))
}

// isWhole reports whether all values are integers that no precision is lost of.
func (m *Metric) isWhole() bool {
	for i := range m.Points {
		if v := m.Points[i].Value; v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return false
		}
	}
	return m.Unit != "s" // which is a float at other times
}

func points[N int64 | float64](m *Metric, start, now time.Time, convert func(float64) N) []metricdata.DataPoint[N] {
	list := make([]metricdata.DataPoint[N], len(m.Points))
	for i := range m.Points {
		list[i] = metricdata.DataPoint[N]{Attributes: attributes(m.Points[i].Labels), StartTime: start, Time: now, Value: convert(m.Points[i].Value)}
	}
	return list
}

func aggregate[N int64 | float64](k Kind, list []metricdata.DataPoint[N]) metricdata.Aggregation {
	if k == Gauge {
		return metricdata.Gauge[N]{DataPoints: list}
	}
	return metricdata.Sum[N]{DataPoints: list, Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
}

func (p *producer) histogram(m *Metric, now time.Time) metricdata.Aggregation {
	list := make([]metricdata.HistogramDataPoint[float64], len(m.Points))
	for i := range m.Points {
		point := &m.Points[i]
		list[i] = metricdata.HistogramDataPoint[float64]{
			Attributes: attributes(point.Labels), StartTime: p.start, Time: now, Bounds: m.Bounds, BucketCounts: point.Counts, Sum: point.Sum,
		}
		for _, n := range point.Counts {
			list[i].Count += n
		}
	}
	return metricdata.Histogram[float64]{DataPoints: list, Temporality: metricdata.CumulativeTemporality}
}

func attributes(labels []Label) attribute.Set {
	list := make([]attribute.KeyValue, len(labels))
	for i, l := range labels {
		list[i] = attribute.String(l.Name, l.Value)
		if code, err := strconv.Atoi(l.Value); err == nil && l.Name == statusCode {
			list[i] = attribute.Int(l.Name, code)
		}
	}
	return attribute.NewSet(list...)
}
