package telemetry

import "github.com/sallyport/sallyport/core/trace"

// appendTrace adds the exchange's place in its trace, sampled or not; nothing when there is none.
func appendTrace(b []byte, t *trace.Trace) []byte {
	if !t.IsOn() {
		return b
	}
	b = append(b, `,"trace_id":"`...)
	b = t.Trace.AppendTo(b)
	b = append(b, `","span_id":"`...)
	b = t.Span.AppendTo(b)
	return append(b, '"')
}
