package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// newMetricExporter returns what sends metrics. A sending that failed is tried again for as long as one may take: what it would have told is
// told by the next one, too.
func newMetricExporter(o *OTLPOptions) (sdkmetric.Exporter, error) {
	ctx := context.Background() // connecting is for later
	if o.HTTP {
		return otlpmetrichttp.New(ctx, o.metricHTTP()...)
	}
	return otlpmetricgrpc.New(ctx, o.metricGRPC()...)
}

// What the options below leave out, the environment would decide. They are not small: one sending has all there is of all routes.

func (o *OTLPOptions) metricGRPC() []otlpmetricgrpc.Option {
	options := []otlpmetricgrpc.Option{
		otlpmetricgrpc.WithEndpointURL(o.Endpoint), otlpmetricgrpc.WithHeaders(o.lowerHeaders()), otlpmetricgrpc.WithTimeout(o.Timeout),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{
			Enabled: true, InitialInterval: o.firstPause(), MaxInterval: o.Timeout, MaxElapsedTime: o.Timeout,
		}),
		otlpmetricgrpc.WithCompressor("gzip"), otlpmetricgrpc.WithTemporalitySelector(sdkmetric.CumulativeTemporalitySelector),
		otlpmetricgrpc.WithAggregationSelector(sdkmetric.DefaultAggregationSelector),
	}
	if !o.isSecure() {
		return append(options, otlpmetricgrpc.WithInsecure())
	}
	return append(options, otlpmetricgrpc.WithTLSCredentials(o.credentials()))
}

func (o *OTLPOptions) metricHTTP() []otlpmetrichttp.Option {
	return []otlpmetrichttp.Option{
		otlpmetrichttp.WithEndpointURL(o.Endpoint + "/v1/metrics"), otlpmetrichttp.WithHeaders(o.Headers), otlpmetrichttp.WithTimeout(o.Timeout),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{
			Enabled: true, InitialInterval: o.firstPause(), MaxInterval: o.Timeout, MaxElapsedTime: o.Timeout,
		}),
		otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression), otlpmetrichttp.WithTemporalitySelector(sdkmetric.CumulativeTemporalitySelector),
		otlpmetrichttp.WithAggregationSelector(sdkmetric.DefaultAggregationSelector),
		otlpmetrichttp.WithHTTPClient(o.httpClient()), otlpmetrichttp.WithTLSClientConfig(nil), // it is the client's
	}
}
