package config

import "time"

// Metrics is the [metrics] table.
type Metrics struct {
	Enabled     bool
	ServiceName string       // what the gateway is called
	OTLP        *MetricsOTLP // nil: metrics are not sent anywhere
}

// MetricsOTLP is where metrics are sent, and how often.
type MetricsOTLP struct {
	OTLP
	Interval time.Duration
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
		{"service_name", func(v value, m *Metrics) { readService(v, &m.ServiceName) }},
		{"otlp", func(v value, m *Metrics) { m.OTLP = readMetricsOTLP(v) }},
	}
}

func readMetricsOTLP(v value) *MetricsOTLP {
	o := &MetricsOTLP{Interval: 30 * time.Second}
	readOTLP(v, metricsOTLPKeys(), o, &o.OTLP)
	return o
}

// metricsOTLPKeys are those of every otlp table, and one more.
func metricsOTLPKeys() keys[MetricsOTLP] {
	k := keys[MetricsOTLP]{
		{"interval", func(v value, o *MetricsOTLP) { v.duration(&o.Interval, time.Second, time.Hour) }},
	}
	for _, shared := range otlpKeys() {
		k = append(k, keys[MetricsOTLP]{{shared.name, func(v value, o *MetricsOTLP) { shared.read(v, &o.OTLP) }}}...)
	}
	return k
}
