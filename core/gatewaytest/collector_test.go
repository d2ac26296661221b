package gatewaytest

import (
	"compress/gzip"
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

	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/sallyport/sallyport/core/gateway"
)

// collector stands for one of OpenTelemetry's, for spans and metrics, over gRPC and HTTP.
type collector struct {
	t          testing.TB
	grpc, http string        // addresses
	hang       chan struct{} // while it is open nothing is answered; nil: all is

	mu      sync.Mutex
	all     []*tracepb.Span
	metrics map[string]*metricspb.Metric // the last of each name
	service []*commonpb.KeyValue         // what the last has said of its service
	keys    []string                     // what came as Api-Key
}

func startCollector(t testing.TB, hang chan struct{}) *collector {
	t.Helper()
	c := &collector{t: t, hang: hang, metrics: map[string]*metricspb.Metric{}}
	c.grpc = "http://" + c.serveGRPC(t)
	c.http = "http://" + Backend(t, c.serveHTTP)
	return c
}

// serveGRPC returns the address.
func (c *collector) serveGRPC(t testing.TB, options ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(options...)
	coltracepb.RegisterTraceServiceServer(s, spanService{c: c})
	colmetricspb.RegisterMetricsServiceServer(s, metricService{c: c})
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() { s.Stop(); <-served })
	return l.Addr().String()
}

type spanService struct {
	coltracepb.UnimplementedTraceServiceServer
	c *collector
}

// Export takes spans.
func (s spanService) Export(ctx context.Context, r *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	s.c.take(ctx, grpcKey(ctx), func() { s.c.takeSpans(r) })
	return &coltracepb.ExportTraceServiceResponse{}, ctx.Err() // else it might thank, at the last moment, for what it has let hang
}

type metricService struct {
	colmetricspb.UnimplementedMetricsServiceServer
	c *collector
}

// Export takes metrics.
func (s metricService) Export(ctx context.Context, r *colmetricspb.ExportMetricsServiceRequest) (*colmetricspb.ExportMetricsServiceResponse, error) {
	s.c.take(ctx, grpcKey(ctx), func() { s.c.takeMetrics(r) })
	return &colmetricspb.ExportMetricsServiceResponse{}, ctx.Err()
}

func grpcKey(ctx context.Context) string {
	fields, _ := metadata.FromIncomingContext(ctx)
	return strings.Join(fields.Get("api-key"), ",")
}

func (c *collector) serveHTTP(w http.ResponseWriter, r *http.Request) {
	take, err := c.read(r)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	c.take(r.Context(), r.Header.Get("Api-Key"), take)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// read returns what takes the message in.
func (c *collector) read(r *http.Request) (take func(), err error) {
	in := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		if in, err = gzip.NewReader(in); err != nil {
			return nil, err
		}
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	switch r.URL.Path {
	case "/v1/traces":
		m := &coltracepb.ExportTraceServiceRequest{}
		return func() { c.takeSpans(m) }, proto.Unmarshal(body, m)
	case "/v1/metrics":
		m := &colmetricspb.ExportMetricsServiceRequest{}
		return func() { c.takeMetrics(m) }, proto.Unmarshal(body, m)
	}
	return nil, fmt.Errorf("nothing is taken at %s", r.URL.Path)
}

func (c *collector) take(ctx context.Context, key string, in func()) {
	if c.hang != nil {
		select {
		case <-c.hang:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = append(c.keys, key)
	in()
}

func (c *collector) takeSpans(r *coltracepb.ExportTraceServiceRequest) {
	for _, resource := range r.ResourceSpans {
		c.service = resource.Resource.Attributes
		for _, scope := range resource.ScopeSpans {
			c.all = append(c.all, scope.Spans...)
		}
	}
}

func (c *collector) takeMetrics(r *colmetricspb.ExportMetricsServiceRequest) {
	for _, resource := range r.ResourceMetrics {
		c.service = resource.Resource.Attributes
		for _, scope := range resource.ScopeMetrics {
			for _, m := range scope.Metrics {
				c.metrics[m.Name] = m
			}
		}
	}
}

// metric returns the last of that name, nil if none has come.
func (c *collector) metric(name string) *metricspb.Metric {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.metrics[name]
}

// checkSender compares what the last message says of its sender.
func (c *collector) checkSender(t testing.TB, service, key string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := attr(c.service, "service.name"); got != service || c.keys[len(c.keys)-1] != key {
		t.Errorf("got the service %q and the keys %q", got, c.keys)
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

// metricsTOML sends metrics as often as it is possible.
func metricsTOML(endpoint, more string) string {
	return "[metrics]\n" + more + fmt.Sprintf("[metrics.otlp]\nendpoint = %q\ninterval = \"1s\"\nheaders = { Api-Key = \"k\" }\n", endpoint)
}

// tracingTOML samples everything.
func tracingTOML(endpoint, more string) string {
	return "[tracing]\nsample = 1\n" + more + fmt.Sprintf("[tracing.otlp]\nendpoint = %q\nheaders = { Api-Key = \"k\" }\n", endpoint)
}

// traceState is how it is going with the spans.
func (g *Gateway) traceState() gateway.TraceStatus { return *g.Status().Traces }
