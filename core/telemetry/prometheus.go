package telemetry

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"github.com/prometheus/otlptranslator"
)

// MetricOptions say whose metrics are told, and what they are.
type MetricOptions struct {
	Collect func() []Metric // asked for each answer
	Version string          // of the gateway
	Service string          // its name, to tell it from others
}

func (o *MetricOptions) resource() *resource.Resource {
	return resource.NewWithAttributes(semconv.SchemaURL, semconv.ServiceName(o.Service), semconv.ServiceVersion(o.Version))
}

// scrapes is how many answers are made at once; more are refused with 503, so that scrapes cannot take all there is.
const scrapes = 2

// PrometheusHandler answers with the metrics in Prometheus' text format, or in OpenMetrics where the client accepts that. The Go
// runtime's and the process' come with them.
func PrometheusHandler(o MetricOptions) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo(),
		otelprometheus.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
		otelprometheus.WithProducer(&producer{collect: o.Collect, start: time.Now(), version: o.Version}),
	)
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	// The exporter collects as long as it has a provider, which nothing else needs to know of.
	sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithResource(o.resource()))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, MaxRequestsInFlight: scrapes, ErrorHandling: promhttp.ContinueOnError,
	}), nil
}
