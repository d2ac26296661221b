package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// MetricPush sends metrics from time to time until Close.
type MetricPush struct {
	provider *sdkmetric.MeterProvider
	patience time.Duration
}

// PushMetrics begins to send metrics to a collector, which need not be there, every interval.
func PushMetrics(m MetricOptions, o OTLPOptions, interval time.Duration, log *slog.Logger) (*MetricPush, error) {
	exporter, err := newMetricExporter(&o)
	if err != nil {
		return nil, fmt.Errorf("OTLP: %w", err)
	}
	m.Service = o.Service
	watched := &watched{Exporter: exporter, of: m.resource(), trouble: trouble{log: log, what: "metrics", endpoint: o.Endpoint}}
	reader := sdkmetric.NewPeriodicReader(watched,
		sdkmetric.WithInterval(interval), sdkmetric.WithTimeout(o.Timeout),
		sdkmetric.WithProducer(&producer{collect: m.Collect, start: time.Now(), version: m.Version}))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(watched.of))
	if err := runtime.Start(runtime.WithMeterProvider(provider)); err != nil {
		return nil, errors.Join(fmt.Errorf("the Go runtime's metrics: %w", err), provider.Shutdown(context.Background()))
	}
	return &MetricPush{provider, o.patience()}, nil
}

// Close sends what there is once more and lets go of the collector, within the timeout and five seconds at most.
func (p *MetricPush) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	return p.provider.Shutdown(ctx)
}

// watched logs how sending goes: the SDK would tell a handler that the whole process shares, each time.
type watched struct {
	sdkmetric.Exporter
	of      *resource.Resource // whose metrics they are; the SDK adds what the environment says of it
	trouble trouble
}

// Export reports no error: it has been logged.
func (w *watched) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	m.Resource = w.of
	w.trouble.note(w.Exporter.Export(ctx, m))
	return nil
}
