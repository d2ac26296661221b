package gateway

import (
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/telemetry"
	"github.com/sallyport/sallyport/core/trace"
)

// tracing is what a Snapshot does about traces.
type tracing struct {
	sink         *telemetry.Traces
	share        trace.Share // of the traces that begin here, where the route does not say otherwise
	trustsAll    bool
	trustsProxy  bool
	dropsBaggage bool
}

// begin makes the exchange a part of the client's trace, or of a new one.
func (t *tracing) begin(x *exchange.Exchange) {
	tr := &x.Trace
	if parent, ok := t.takeFields(x); ok {
		tr.Context, tr.Parent = parent, parent.Span
	} else {
		tr.Context = trace.Context{Trace: trace.NewID(), Flags: trace.Random}
		t.draw(tr, t.share)
	}
	tr.Span = trace.NewSpanID()
	t.record(x)
}

// draw decides whether a trace that begins here is sampled.
func (t *tracing) draw(tr *trace.Trace, share trace.Share) {
	if share.Has(&tr.Trace) {
		tr.Flags |= trace.Sampled
	}
}

// record begins to record if the trace is sampled, and tells the upstream of the exchange's span.
func (t *tracing) record(x *exchange.Exchange) {
	tr := &x.Trace
	if tr.IsSampled() {
		tr.Recording = t.sink.Take()
		tr.Recording.Begin(t.sink, tr.Context, tr.Parent, trace.Server, x.Times.Start)
	}
	x.SetTraceParent(tr.Context)
}

// enter goes by what the exchange's route says of traces that begin here.
func (t *tracing) enter(x *exchange.Exchange, r *servedRoute) {
	tr := &x.Trace
	if r.share != nil && tr.Parent == (trace.SpanID{}) {
		before := tr.Flags
		tr.Flags &^= trace.Sampled
		if t.draw(tr, *r.share); tr.Flags != before {
			if tr.Recording != nil {
				tr.Recording.Discard()
				tr.Recording = nil
			}
			t.record(x)
		}
	}
	if tr.Recording != nil {
		tr.Recording.Spans[0].Name = r.pattern // to find it at the end, when the exchange may have let go of the route
	}
}

// endTrace hands in what was recorded, if anything was.
func endTrace(x *exchange.Exchange) {
	r := x.Trace.Recording
	if r == nil {
		return
	}
	x.Trace.Recording = nil
	end := x.Times.End
	if end.IsZero() {
		end = x.Times.Now()
	}
	describe(r.Close(0, end), r, x)
	r.Submit()
}
