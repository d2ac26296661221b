package exchange

import "github.com/sallyport/sallyport/core/trace"

// traceParent is the field that carries the place in a trace.
const traceParent = "traceparent"

// SetTraceParent makes what goes upstream a part of that span.
func (x *Exchange) SetTraceParent(c trace.Context) {
	var room [64]byte
	x.Req.Fields.Set(traceParent, x.Text.Copy(c.AppendParent(room[:0])))
}
