package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// PushOptions say where metrics are sent, by OTLP.
type PushOptions struct {
	Endpoint string // http://host:port or https://host:port; over HTTP with a path, "/v1/metrics" when it has none
	Protocol string // "grpc" or "http"
	Interval time.Duration
	Timeout  time.Duration     // for one attempt, those that follow it included
	Headers  map[string]string // sent along, say with a token
	Log      *slog.Logger      // is told when sending begins to fail, and when it works again
}

// MetricPush sends metrics from time to time until Close.
type MetricPush struct {
	provider *sdkmetric.MeterProvider
	timeout  time.Duration
}

// PushMetrics begins to send metrics. It does not wait for the receiver, which may not be there yet.
func PushMetrics(m MetricOptions, o PushOptions) (*MetricPush, error) {
	exporter, err := newExporter(o)
	if err != nil {
		return nil, fmt.Errorf("OTLP: %w", err)
	}
	reader := sdkmetric.NewPeriodicReader(&watched{Exporter: exporter, o: o},
		sdkmetric.WithInterval(o.Interval), sdkmetric.WithTimeout(o.Timeout),
		sdkmetric.WithProducer(&producer{collect: m.Collect, start: time.Now(), version: m.Version}))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(m.resource()))
	if err := runtime.Start(runtime.WithMeterProvider(provider)); err != nil {
		return nil, errors.Join(fmt.Errorf("the Go runtime's metrics: %w", err), provider.Shutdown(context.Background()))
	}
	return &MetricPush{provider, o.Timeout}, nil
}

// newExporter tries a failed request again only until the next is due: what it would have told is told by that one, too.
func newExporter(o PushOptions) (sdkmetric.Exporter, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, err
	}
	ctx := context.Background() // connecting is for later
	if o.Protocol == "http" {
		if u.Path == "" || u.Path == "/" {
			u.Path = "/v1/metrics"
		}
		return otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(u.String()), otlpmetrichttp.WithHeaders(o.Headers),
			otlpmetrichttp.WithTimeout(o.Timeout), otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
	}
	return otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpointURL(u.String()), otlpmetricgrpc.WithHeaders(o.Headers),
		otlpmetricgrpc.WithTimeout(o.Timeout), otlpmetricgrpc.WithCompressor("gzip"))
}

// Close sends what there is once more, for as long as one attempt may take, and stops.
func (p *MetricPush) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	return p.provider.Shutdown(ctx)
}

// watched logs how sending goes, once for each change. The SDK would tell a handler that the whole process shares, each time.
type watched struct {
	sdkmetric.Exporter
	o      PushOptions
	failed atomic.Bool
}

// Export reports no error: it has been logged.
func (w *watched) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	err := w.Exporter.Export(ctx, m)
	if failed := err != nil; w.failed.Swap(failed) != failed {
		if failed {
			w.o.Log.Warn("metrics cannot be sent", "endpoint", w.o.Endpoint, "error", err)
		} else {
			w.o.Log.Info("metrics are sent again", "endpoint", w.o.Endpoint)
		}
	}
	return nil
}
