package config

import (
	"net/url"
	"strings"
	"time"
)

// Metrics is the [metrics] table.
type Metrics struct {
	Enabled     bool
	ServiceName string       // tells this gateway from others
	OTLP        *MetricsOTLP // nil: metrics are not sent anywhere
}

// MetricsOTLP is where metrics are sent, by the OpenTelemetry protocol.
type MetricsOTLP struct {
	Endpoint string // an http or https URL
	Protocol string // "grpc" or "http"
	Interval time.Duration
	Timeout  time.Duration
	Headers  map[string]Secret
}

// finishMetrics has exchanges counted where somebody can look at it.
func (c *Config) finishMetrics(root value) {
	if metrics := root.child("metrics"); root.has("metrics") && metrics.holdsKeys() && metrics.has("enabled") {
		return
	}
	c.Metrics.Enabled = c.Admin != nil || c.Metrics.OTLP != nil
}

func metricsKeys() keys[Metrics] {
	return keys[Metrics]{
		{"enabled", func(v value, m *Metrics) { v.boolean(&m.Enabled) }},
		{"service_name", func(v value, m *Metrics) { readMetricsService(v, &m.ServiceName) }},
		{"otlp", func(v value, m *Metrics) { m.OTLP = readMetricsOTLP(v) }},
	}
}

func readMetricsService(v value, dst *string) {
	if s, ok := v.text("a name"); ok && v.checkName(s) {
		*dst = s
	}
}

func readMetricsOTLP(v value) *MetricsOTLP {
	o := &MetricsOTLP{Protocol: "grpc", Interval: 30 * time.Second, Timeout: 10 * time.Second}
	metricsOTLPKeys().read(v, o)
	if v.holdsKeys() {
		v.need("endpoint", `where they are sent, such as "http://127.0.0.1:4317"`)
	}
	return o
}

func metricsOTLPKeys() keys[MetricsOTLP] {
	return keys[MetricsOTLP]{
		{"protocol", func(v value, o *MetricsOTLP) { v.oneOf(&o.Protocol, "grpc", "http") }},
		{"endpoint", func(v value, o *MetricsOTLP) { readMetricsCollector(v, o) }},
		{"interval", func(v value, o *MetricsOTLP) { v.duration(&o.Interval, time.Second, time.Hour) }},
		{"timeout", func(v value, o *MetricsOTLP) { v.duration(&o.Timeout, 100*time.Millisecond, time.Minute) }},
		{"headers", func(v value, o *MetricsOTLP) { o.Headers = readSecretFields(v) }},
	}
}

// readMetricsCollector comes behind the protocol: gRPC has a path of its own.
func readMetricsCollector(v value, o *MetricsOTLP) {
	s, ok := v.text(`a URL such as "http://127.0.0.1:4317"`)
	if !ok {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		v.fail(`must be a URL such as "http://127.0.0.1:4317", or "https://…"`)
	case u.User != nil:
		v.fail("cannot hold a password: send a token by headers")
	case u.RawQuery != "" || u.Fragment != "":
		v.fail("cannot have a query or a fragment")
	case o.Protocol == "grpc" && strings.Trim(u.Path, "/") != "":
		v.fail(`cannot have a path with protocol "grpc"`)
	default:
		o.Endpoint = s
	}
}

// readSecretFields reads fields that are sent along, name = value, whose values must not be shown.
func readSecretFields(v value) map[string]Secret {
	if !v.isTable() {
		return nil
	}
	fields := map[string]Secret{}
	for _, name := range v.names() {
		e := v.child(name)
		secret := readNamedSecret(e, "")
		switch {
		case !e.checkFieldName(name):
		case !isFieldValue(secret.Reveal()):
			e.fail("the value has a control character, or space at an end")
		default:
			fields[name] = secret
		}
	}
	return fields
}
