package config

// Tracing is the [tracing] table.
type Tracing struct {
	OTLP    OTLP
	Sample  float64 // the share of the traces that begin here, from 0 to 1
	Trust   string  // whose trace fields are taken: "all", "none" or "trusted_proxies"
	Service string  // what the gateway is called
	Baggage string  // "pass" or "drop"
}

// RouteTracing is a route's own part of it.
type RouteTracing struct {
	Sample float64
}

func readTracing(v value, c *Config) {
	t := &Tracing{Sample: 0.01, Trust: "trusted_proxies", Service: "sallyport", Baggage: "pass"}
	tracingKeys().read(v, t)
	if v.holdsKeys() {
		v.need("otlp", `where traces are sent, such as { endpoint = "http://127.0.0.1:4317" }`)
	}
	c.Tracing = t
}

func tracingKeys() keys[Tracing] {
	return keys[Tracing]{
		{"otlp", func(v value, t *Tracing) { t.OTLP = readOTLP(v) }},
		{"sample", func(v value, t *Tracing) { v.decimal(&t.Sample, 0, 1) }},
		{"trust_incoming", func(v value, t *Tracing) { readTrust(v, &t.Trust) }},
		{"service_name", func(v value, t *Tracing) { readService(v, &t.Service) }},
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

// readService takes what can stand in any collector's list.
func readService(v value, dst *string) {
	s, ok := v.text("what the gateway is called")
	switch {
	case !ok:
	case len(s) > 255 || !isFieldValue(s):
		v.fail("%q is no name for a service: up to 255 bytes, without control characters and spaces at an end", s)
	default:
		*dst = s
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
