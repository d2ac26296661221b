package telemetry

import (
	"crypto/tls"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
)

// OTLPOptions say where and how telemetry is sent by the OpenTelemetry protocol.
type OTLPOptions struct {
	Endpoint string // http:// or https://, host and port, for HTTP perhaps a path that those of the signals are behind
	HTTP     bool   // not gRPC
	Headers  map[string]string
	Timeout  time.Duration // of one batch
	TLS      *tls.Config   // with https; nil: the system's authorities
	Service  string        // service.name
}

// OpenTraceExporter starts to send the spans of home to a collector, which need not be there. It connects when there is something to send.
func OpenTraceExporter(home *Traces, o OTLPOptions, log *slog.Logger) (*TraceExporter, error) {
	if o.HTTP {
		return newTraceExporter(home, otlptracehttp.NewClient(httpOptions(o)...), o, log)
	}
	return newTraceExporter(home, otlptracegrpc.NewClient(grpcOptions(o)...), o, log)
}

// The options leave nothing to the environment's OTEL_ variables: the config is all there is.

func grpcOptions(o OTLPOptions) []otlptracegrpc.Option {
	options := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpointURL(o.Endpoint), otlptracegrpc.WithHeaders(lowerNames(o.Headers)), otlptracegrpc.WithTimeout(o.Timeout),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
			Enabled: true, InitialInterval: firstPause(o.Timeout), MaxInterval: o.Timeout, MaxElapsedTime: o.Timeout,
		}),
	}
	if !isSecure(o) {
		return append(options, otlptracegrpc.WithInsecure())
	}
	return append(options, otlptracegrpc.WithTLSCredentials(credentials(o)))
}

func httpOptions(o OTLPOptions) []otlptracehttp.Option {
	return []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(o.Endpoint + "/v1/traces"), otlptracehttp.WithHeaders(o.Headers), otlptracehttp.WithTimeout(o.Timeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: firstPause(o.Timeout), MaxInterval: o.Timeout, MaxElapsedTime: o.Timeout,
		}),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression), otlptracehttp.WithHTTPClient(httpClient(o)),
		otlptracehttp.WithTLSClientConfig(nil), // it is the client's
	}
}

// firstPause is the first of those between tries, each of which is longer.
func firstPause(timeout time.Duration) time.Duration { return min(timeout/8, time.Second) }

func isSecure(o OTLPOptions) bool { return strings.HasPrefix(o.Endpoint, "https:") }

// lowerNames writes names as gRPC demands them.
func lowerNames(headers map[string]string) map[string]string {
	lower := make(map[string]string, len(headers))
	for name, value := range headers {
		lower[strings.ToLower(name)] = value
	}
	return lower
}
