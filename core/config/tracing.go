package config

// Tracing is the [tracing] table.
type Tracing struct {
	OTLP          OTLP
	Sample        float64 // the share of the traces that begin here, from 0 to 1
	TrustIncoming string  // whose trace fields are taken: "all", "none" or "trusted_proxies"
	ServiceName   string  // what the gateway is called
	Baggage       string  // "pass" or "drop"
}

// RouteTracing is a route's own part of it.
type RouteTracing struct {
	Sample float64
}

func readTracing(v value, c *Config) {
	t := &Tracing{Sample: 0.01, TrustIncoming: "trusted_proxies", ServiceName: "sallyport", Baggage: "pass"}
	tracingKeys().read(v, t)
	if v.holdsKeys() {
		v.need("otlp", `where traces are sent, such as { endpoint = "http://127.0.0.1:4317" }`)
	}
	c.Tracing = t
}

func tracingKeys() keys[Tracing] {
	return keys[Tracing]{
		{"otlp", func(v value, t *Tracing) { readOTLP(v, otlpKeys(), &t.OTLP, &t.OTLP) }},
		{"sample", func(v value, t *Tracing) { v.decimal(&t.Sample, 0, 1) }},
		{"trust_incoming", func(v value, t *Tracing) { readTrust(v, &t.TrustIncoming) }},
		{"service_name", func(v value, t *Tracing) { readService(v, &t.ServiceName) }},
		{"baggage", func(v value, t *Tracing) { v.oneOf(&t.Baggage, "pass", "drop") }},
	}
}

func readTrust(v value, dst *string) {
	switch v.raw {
	case true:
		*dst = "all"
	case false:
		*dst = "none"
	case "trusted_proxies":
		*dst = "trusted_proxies"
	default:
		v.fail(`must be true, false or "trusted_proxies"`)
	}
}

func readRouteTracing(v value) *RouteTracing {
	t := &RouteTracing{}
	routeTracingKeys().read(v, t)
	if v.holdsKeys() {
		v.need("sample", "the share of the traces that begin at this route, from 0 to 1")
	}
	if v.r.config.Tracing == nil {
		v.fail("has no effect without a [tracing] table")
	}
	return t
}

func routeTracingKeys() keys[RouteTracing] {
	return keys[RouteTracing]{
		{"sample", func(v value, t *RouteTracing) { v.decimal(&t.Sample, 0, 1) }},
	}
}
