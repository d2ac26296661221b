package gateway

import (
	"crypto/sha256"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/telemetry"
	"github.com/sallyport/sallyport/core/trace"
)

// collector is where a Snapshot's spans go; the zero value is nowhere.
type collector struct {
	key     string // another one for another collector
	options telemetry.OTLPOptions
}

// buildTracing translates the tracing table. What connects to the collector is opened when the Snapshot is to be the current one.
func (b *builder) buildTracing() {
	c := b.cfg.Tracing
	if c == nil {
		return
	}
	options, key, ok := b.collector("tracing.otlp", c.Service, &c.OTLP)
	if !ok {
		return
	}
	b.s.collector = collector{key, options}
	b.s.tracing = &tracing{
		sink: &b.g.traces, share: trace.NewShare(c.Sample), dropsBaggage: c.Baggage == "drop",
		trustsAll: c.Trust == "all", trustsProxy: c.Trust == "trusted_proxies",
	}
}

// collector translates an otlp table, whose key path it is told. Equal ones have the same key.
func (b *builder) collector(at, service string, c *config.OTLP) (o telemetry.OTLPOptions, key string, ok bool) {
	secure, files, ok := b.clientTLS("collector", at+".tls", c.TLS)
	o = telemetry.OTLPOptions{
		Endpoint: c.Endpoint, HTTP: c.Protocol == "http", Headers: map[string]string{}, Timeout: c.Timeout, TLS: secure, Service: service,
	}
	for _, h := range c.Headers {
		o.Headers[h.Name] = h.Value
	}
	return o, shelfKey("collector", service, struct {
		OTLP  *config.OTLP
		Files [][sha256.Size]byte
	}{c, files}), ok
}

// routeShare returns what r says of the traces that begin there; nil for nothing.
func routeShare(r *config.Route) *trace.Share {
	if r.Tracing == nil {
		return nil
	}
	share := trace.NewShare(r.Tracing.Sample)
	return &share
}

// openTraces has spans go to the collector of s from now on. What waits for another one is sent there, if it takes them soon.
func (g *Gateway) openTraces(s *Snapshot) error {
	if s.collector.key == g.collector {
		return nil
	}
	var next *telemetry.TraceExporter
	if s.tracing != nil {
		var err error
		if next, err = telemetry.OpenTraceExporter(&g.traces, s.collector.options, g.log); err != nil {
			return err
		}
	}
	g.collector = s.collector.key
	g.closeTraces(next)
	return nil
}

// closeTraces puts next in the place of the exporter, which ends beside what follows.
func (g *Gateway) closeTraces(next *telemetry.TraceExporter) {
	if old := g.traces.Swap(next); old != nil {
		g.closing.Go(old.Close)
	}
}

// TraceStatus is how it is going with the spans of traces.
type TraceStatus struct {
	Waiting  int    `json:"waiting"`
	Exported uint64 `json:"exported"`
	Dropped  uint64 `json:"dropped"` // since too many waited, or there was no collector any more
	Failed   uint64 `json:"failed"`  // sent in vain
}

// traceStatus returns nil while there is no tracing.
func (g *Gateway) traceStatus(s *Snapshot) *TraceStatus {
	if s.tracing == nil {
		return nil
	}
	status := TraceStatus(g.traces.State())
	return &status
}
