package telemetry

import (
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/sallyport/sallyport/core/trace"
)

// maxAttr is how much of a text is sent.
const maxAttr = 1 << 10

// scopeName is what calls itself the maker of the spans.
const scopeName = "github.com/sallyport/sallyport"

// resourceSpans writes recordings in OTLP's form.
func resourceSpans(service string, batch []*trace.Recording) []*tracepb.ResourceSpans {
	var spans []*tracepb.Span
	for _, r := range batch {
		for i := range r.Spans {
			spans = append(spans, span(r, &r.Spans[i]))
		}
	}
	return []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("service.name", service)}},
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &commonpb.InstrumentationScope{Name: scopeName}, Spans: spans}},
	}}
}

func span(r *trace.Recording, s *trace.Span) *tracepb.Span {
	end := s.End
	if end.IsZero() { // a panic has ended it
		end = r.Spans[0].End
	}
	if end.Before(s.Start) {
		end = s.Start
	}
	out := &tracepb.Span{
		TraceId: r.Trace[:], SpanId: s.ID[:], Name: valid(s.Name), Kind: spanKind(s.Kind), Flags: spanFlags(r, s),
		StartTimeUnixNano: uint64(s.Start.UnixNano()), EndTimeUnixNano: uint64(end.UnixNano()),
	}
	if s.Parent != (trace.SpanID{}) {
		out.ParentSpanId = s.Parent[:]
	}
	if s.Failed {
		out.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: valid(s.Why)}
	}
	for _, a := range s.Attrs {
		if a.IsNumber {
			out.Attributes = append(out.Attributes, number(a.Name, a.Number))
			continue
		}
		out.Attributes = append(out.Attributes, text(a.Name, a.Text))
	}
	return out
}

// spanFlags also tells whether the parent is another process's.
func spanFlags(r *trace.Recording, s *trace.Span) uint32 {
	flags := uint32(r.Flags) | uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
	if s.Kind == trace.Server && s.Parent != (trace.SpanID{}) {
		flags |= uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
	}
	return flags
}

func spanKind(k trace.Kind) tracepb.Span_SpanKind {
	switch k {
	case trace.Server:
		return tracepb.Span_SPAN_KIND_SERVER
	case trace.Client:
		return tracepb.Span_SPAN_KIND_CLIENT
	}
	return tracepb.Span_SPAN_KIND_INTERNAL
}

func text(name, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: name, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: valid(value)}}}
}

func number(name string, n int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: name, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}}
}

// valid makes what a client has sent a text that protobuf takes: a batch with another would be lost as a whole.
func valid(s string) string {
	if len(s) > maxAttr {
		s = s[:maxAttr]
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
