package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
)

func TestProduce(t *testing.T) {
	labels := []Label{{"http.response.status_code", "200"}, {"sallyport.route", "200"}}
	attributes := attribute.NewSet(attribute.Int("http.response.status_code", 200), attribute.String("sallyport.route", "200"))
	p := &producer{start: time.Unix(1, 0), collect: func() []Metric {
		return []Metric{
			{Name: "empty", Kind: Counter},
			{Name: "whole", Kind: Counter, Unit: "{x}", Help: "h", Points: []Point{{Labels: labels, Value: 3}}},
			{Name: "part", Kind: Gauge, Points: []Point{{Value: 0.5}}},
			{Name: "time", Kind: Gauge, Unit: "s", Points: []Point{{Value: 5}}},
			{Name: "histogram", Kind: Histogram, Bounds: []float64{1, 2}, Points: []Point{{Sum: 4, Counts: []uint64{1, 0, 2}}}},
		}
	}}
	got, err := p.Produce(context.Background())
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	want := []metricdata.Metrics{
		{Name: "whole", Unit: "{x}", Description: "h", Data: metricdata.Sum[int64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: []metricdata.DataPoint[int64]{{Attributes: attributes, Value: 3}},
		}},
		{Name: "part", Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{{Value: 0.5}}}},
		{Name: "time", Unit: "s", Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{{Value: 5}}}},
		{Name: "histogram", Data: metricdata.Histogram[float64]{
			Temporality: metricdata.CumulativeTemporality,
			DataPoints:  []metricdata.HistogramDataPoint[float64]{{Count: 3, Sum: 4, Bounds: []float64{1, 2}, BucketCounts: []uint64{1, 0, 2}}},
		}},
	}
	if len(got[0].Metrics) != len(want) {
		t.Fatalf("got %+v", got[0].Metrics)
	}
	for i := range want {
		metricdatatest.AssertEqual(t, want[i], got[0].Metrics[i], metricdatatest.IgnoreTimestamp())
	}
}

// failing is an exporter that does as it is told.
type failing struct {
	sdkmetric.Exporter
	err error
}

func (f *failing) Export(context.Context, *metricdata.ResourceMetrics) error { return f.err }

func TestTroubleIsLoggedOnceForEachChange(t *testing.T) {
	var log bytes.Buffer
	f := &failing{}
	w := &watched{Exporter: f, trouble: trouble{log: slog.New(slog.NewJSONHandler(&log, nil)), what: "metrics", endpoint: "http://c"}}
	for _, err := range []error{nil, errors.New("a"), errors.New("b"), nil, nil, errors.New("c")} {
		f.err = err
		if got := w.Export(context.Background(), &metricdata.ResourceMetrics{}); got != nil {
			t.Errorf("got %v: the SDK would log it, too", got)
		}
	}
	if failed, again := strings.Count(log.String(), "cannot be sent"), strings.Count(log.String(), "again"); failed != 2 || again != 1 {
		t.Errorf("%d failures and %d recoveries are logged:\n%s", failed, again, &log)
	}
}
