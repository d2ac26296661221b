package gatewaytest

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/sallyport/sallyport/core/gateway"
)

// collector stands for one of OpenTelemetry's, over gRPC and HTTP.
type collector struct {
	coltracepb.UnimplementedTraceServiceServer
	t          testing.TB
	grpc, http string        // addresses
	hang       chan struct{} // while it is open nothing is answered; nil: all is

	mu      sync.Mutex
	all     []*tracepb.Span
	service string
	keys    []string // what came as Api-Key
}

func startCollector(t testing.TB, hang chan struct{}) *collector {
	t.Helper()
	c := &collector{t: t, hang: hang}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	coltracepb.RegisterTraceServiceServer(s, c)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() { s.Stop(); <-served })
	c.grpc = "http://" + l.Addr().String()
	c.http = "http://" + Backend(t, c.serveHTTP)
	return c
}

// Export takes spans over gRPC.
func (c *collector) Export(ctx context.Context, r *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	fields, _ := metadata.FromIncomingContext(ctx)
	c.take(ctx, r, strings.Join(fields.Get("api-key"), ","))
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

func (c *collector) serveHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request coltracepb.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &request) != nil {
		w.WriteHeader(400)
		return
	}
	c.take(r.Context(), &request, r.Header.Get("Api-Key"))
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *collector) take(ctx context.Context, r *coltracepb.ExportTraceServiceRequest, key string) {
	if c.hang != nil {
		select {
		case <-c.hang:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = append(c.keys, key)
	for _, resource := range r.ResourceSpans {
		c.service = attr(resource.Resource.Attributes, "service.name")
		for _, scope := range resource.ScopeSpans {
			c.all = append(c.all, scope.Spans...)
		}
	}
}

func (c *collector) spans() []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.all)
}

// tree waits for so many spans and returns them as lines "name <kind> < parent's name" in order of time, and takes them.
func (c *collector) tree(n int) (spans []*tracepb.Span, lines []string) {
	c.t.Helper()
	Until(c.t, fmt.Sprint(n, " spans have come"), func() bool { return len(c.spans()) >= n })
	c.mu.Lock()
	spans, c.all = c.all, nil
	c.mu.Unlock()
	if len(spans) != n {
		c.t.Errorf("got %d spans, want %d", len(spans), n)
	}
	names := map[string]string{"": "-"}
	for _, s := range spans {
		names[string(s.SpanId)] = s.Name
	}
	for _, s := range spans {
		parent, known := names[string(s.ParentSpanId)]
		if !known {
			parent = hex.EncodeToString(s.ParentSpanId)
		}
		kind := strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_"))
		lines = append(lines, s.Name+" ("+kind+") < "+parent)
	}
	slices.Sort(lines)
	return spans, lines
}

// spanNamed returns the span of that name; the last of several.
func spanNamed(t testing.TB, spans []*tracepb.Span, name string) *tracepb.Span {
	t.Helper()
	for _, s := range slices.Backward(spans) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no span %q among %v", name, spans)
	return nil
}

// attr returns an attribute as text, "" where it is missing.
func attr(attrs []*commonpb.KeyValue, name string) string {
	for _, a := range attrs {
		if a.Key != name {
			continue
		}
		if n, ok := a.Value.Value.(*commonpb.AnyValue_IntValue); ok {
			return strconv.FormatInt(n.IntValue, 10)
		}
		return a.Value.GetStringValue()
	}
	return ""
}

// checkAttrs compares attributes of a span; "" wants none.
func checkAttrs(t testing.TB, s *tracepb.Span, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := attr(s.Attributes, name); got != value {
			t.Errorf("%s: %s: got %q, want %q", s.Name, name, got, value)
		}
	}
}

// tracingTOML samples everything.
func tracingTOML(endpoint, more string) string {
	return "[tracing]\nsample = 1\n" + more + fmt.Sprintf("[tracing.otlp]\nendpoint = %q\nheaders = { Api-Key = \"k\" }\n", endpoint)
}

// traceState is how it is going with the spans.
func (g *Gateway) traceState() gateway.TraceStatus { return *g.Status().Traces }
