package telemetry

// addTraceID adds the exchange's trace, sampled or not; nothing when there is none.
func (l *line) addTraceID(key string) {
	if t := &l.x.Trace; t.IsOn() {
		l.b = append(t.Trace.AppendTo(append(l.b, key...)), '"')
	}
}

// addSpanID adds the exchange's own span in its trace.
func (l *line) addSpanID(key string) {
	if t := &l.x.Trace; t.IsOn() {
		l.b = append(t.Span.AppendTo(append(l.b, key...)), '"')
	}
}
