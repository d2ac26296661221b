package gateway

import (
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/telemetry"
	"github.com/sallyport/sallyport/core/trace"
)

// buildTracing translates the tracing table, but for the collector.
func (b *builder) buildTracing() {
	c := b.cfg.Tracing
	if c == nil {
		return
	}
	b.s.tracing = &tracing{
		sink: &b.g.traces, share: trace.NewShare(c.Sample), dropsBaggage: c.Baggage == "drop",
		trustsAll: c.TrustIncoming == "all", trustsProxy: c.TrustIncoming == "trusted_proxies",
	}
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
	if s.spansTo.key == g.spansTo {
		return nil
	}
	var next *telemetry.TraceExporter
	if s.tracing != nil {
		var err error
		if next, err = telemetry.OpenTraceExporter(&g.traces, s.spansTo.options, g.log); err != nil {
			return err
		}
	}
	g.spansTo = s.spansTo.key
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
