package telemetry

import (
	"log/slog"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

// OpenTraceExporter starts to send the spans of home to a collector, which need not be there. It connects when there is something to send.
func OpenTraceExporter(home *Traces, o OTLPOptions, log *slog.Logger) (*TraceExporter, error) {
	if o.HTTP {
		return newTraceExporter(home, otlptracehttp.NewClient(o.traceHTTP()...), o, log)
	}
	return newTraceExporter(home, otlptracegrpc.NewClient(o.traceGRPC()...), o, log)
}

// What the options below leave out, the environment would decide.

func (o *OTLPOptions) traceGRPC() []otlptracegrpc.Option {
	options := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpointURL(o.Endpoint), otlptracegrpc.WithHeaders(o.lowerHeaders()), otlptracegrpc.WithTimeout(o.Timeout),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
			Enabled: true, InitialInterval: o.firstPause(), MaxInterval: o.Timeout, MaxElapsedTime: o.Timeout,
		}),
		otlptracegrpc.WithDialOption(grpc.WithDefaultCallOptions(grpc.UseCompressor(encoding.Identity))),
	}
	if !o.isSecure() {
		return append(options, otlptracegrpc.WithInsecure())
	}
	return append(options, otlptracegrpc.WithTLSCredentials(o.credentials()))
}

func (o *OTLPOptions) traceHTTP() []otlptracehttp.Option {
	return []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(o.Endpoint + "/v1/traces"), otlptracehttp.WithHeaders(o.Headers), otlptracehttp.WithTimeout(o.Timeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: o.firstPause(), MaxInterval: o.Timeout, MaxElapsedTime: o.Timeout,
		}),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression), otlptracehttp.WithHTTPClient(o.httpClient()),
		otlptracehttp.WithTLSClientConfig(nil), // it is the client's
	}
}
