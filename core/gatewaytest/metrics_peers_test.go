package gatewaytest

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		wat.Missing(t, name)
	}
	return path
}

// promtool finds nothing to complain about.
func TestPromtool(t *testing.T) {
	path := tool(t, "promtool")
	g := StartIn(t, busyDir(t), counted+careful(Backend(t, Echo))+busyTOML)
	makeTraffic(g)
	wantSeries(t, g, map[string]float64{durations("count", "items", "/items/:id", "_OTHER", "200"): 1})
	text, _ := scrape(t, adminOf(g), "")
	cmd := exec.Command(path, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// A real Prometheus scrapes it and says so.
func TestPrometheus(t *testing.T) {
	path := tool(t, "prometheus")
	g := StartIn(t, busyDir(t), counted+careful(Backend(t, Echo))+busyTOML)
	makeTraffic(g)
	api := httptest.NewServer(adminOf(g))
	defer api.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	target := api.Listener.Addr().String()
	if err := os.WriteFile(config, fmt.Appendf(nil, "scrape_configs:\n- job_name: sallyport\n  scrape_interval: 1s\n  static_configs:\n  - targets: [%q]\n", target), 0o600); err != nil {
		t.Fatal(err)
	}
	web := freeAddress(t)
	cmd := exec.Command(path, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+web)
	log := &syncBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Log(log.String())
		}
	}()
	ask := func(query string) string {
		resp, err := http.Get("http://" + web + "/api/v1/query?query=" + url.QueryEscape(query))
		if err != nil {
			return ""
		}
		defer resp.Body.Close()
		var answer struct {
			Data struct{ Result []struct{ Value [2]any } }
		}
		if json.NewDecoder(resp.Body).Decode(&answer) != nil || len(answer.Data.Result) != 1 {
			return ""
		}
		return fmt.Sprint(answer.Data.Result[0].Value[1])
	}
	Until(t, "Prometheus has scraped the gateway", func() bool {
		return ask(`up{job="sallyport"}`) == "1" && ask(`sum(http_server_request_duration_seconds_count{sallyport_route="items"})`) == "5"
	})
}

// sink takes in metrics as a collector does, over gRPC or HTTP.
type sink struct {
	colmetricspb.UnimplementedMetricsServiceServer
	mu      sync.Mutex
	token   string
	service string
	metrics map[string]*metricspb.Metric
}

func (s *sink) take(token string, r *colmetricspb.ExportMetricsServiceRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
	if s.metrics == nil {
		s.metrics = map[string]*metricspb.Metric{}
	}
	for _, resource := range r.ResourceMetrics {
		s.service = attribute(resource.Resource.Attributes, "service.name")
		for _, scope := range resource.ScopeMetrics {
			for _, m := range scope.Metrics {
				s.metrics[m.Name] = m
			}
		}
	}
}

func attribute(list []*common.KeyValue, name string) string {
	for _, a := range list {
		if a.Key == name {
			if number, ok := a.Value.Value.(*common.AnyValue_IntValue); ok {
				return fmt.Sprint("int ", number.IntValue)
			}
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// Export is of the gRPC service.
func (s *sink) Export(ctx context.Context, r *colmetricspb.ExportMetricsServiceRequest) (*colmetricspb.ExportMetricsServiceResponse, error) {
	fields, _ := metadata.FromIncomingContext(ctx)
	s.take(strings.Join(fields.Get("x-token"), ","), r)
	return &colmetricspb.ExportMetricsServiceResponse{}, nil
}

// ServeHTTP takes in what is sent over HTTP.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil || r.URL.Path != "/v1/metrics" {
		http.Error(w, "no", 400)
		return
	}
	body, err := io.ReadAll(unzipped)
	var request colmetricspb.ExportMetricsServiceRequest
	if err != nil || proto.Unmarshal(body, &request) != nil {
		http.Error(w, "no", 400)
		return
	}
	s.take(r.Header.Get("X-Token"), &request)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// has reports whether requests of the route items have come, as the conventions say.
func (s *sink) has(n uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.metrics["http.server.request.duration"]
	if m == nil || m.Unit != "s" || m.GetHistogram().AggregationTemporality != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
		return false
	}
	for _, p := range m.GetHistogram().DataPoints {
		if attribute(p.Attributes, "sallyport.route") == "items" && attribute(p.Attributes, "http.route") == "/items/:id" &&
			attribute(p.Attributes, "http.request.method") == "POST" && attribute(p.Attributes, "http.response.status_code") == "int 200" &&
			attribute(p.Attributes, "url.scheme") == "http" && p.Count == n && p.GetSum() > 0 && len(p.BucketCounts) == len(p.ExplicitBounds)+1 {
			return true
		}
	}
	return false
}

func TestOTLP(t *testing.T) {
	tests := map[string]func(t *testing.T, s *sink) string{
		"grpc": func(t *testing.T, s *sink) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer()
			colmetricspb.RegisterMetricsServiceServer(server, s)
			go func() { _ = server.Serve(l) }()
			t.Cleanup(server.Stop)
			return "http://" + l.Addr().String()
		},
		"http": func(t *testing.T, s *sink) string {
			server := httptest.NewServer(s)
			t.Cleanup(server.Close)
			return server.URL
		},
	}
	for protocol, start := range tests {
		t.Run(protocol, func(t *testing.T) {
			s := &sink{}
			push := fmt.Sprintf("[metrics]\nservice_name = \"edge\"\notlp = { endpoint = %q, protocol = %q, interval = \"1s\", headers = { X-Token = \"hush\" } }\n", start(t, s), protocol)
			dir := busyDir(t)
			toml := careful(Backend(t, Echo)) + busyTOML
			g := newIn(t, dir)
			if err := g.ApplyText(push + toml); err != nil {
				t.Fatal(err)
			}
			g.Addr = g.Addresses()[listen]
			g.URL = "http://" + g.Addr
			makeTraffic(g)
			Until(t, "the metrics have come", func() bool { return s.has(3) })
			s.mu.Lock()
			for _, name := range []string{"http.client.request.duration", "sallyport.plugin.calls", "sallyport.endpoint.usable", "go.goroutine.count", "go.memory.used"} {
				if s.metrics[name] == nil {
					t.Errorf("%s did not come", name)
				}
			}
			if s.token != "hush" || s.service != "edge" {
				t.Errorf("got the token %q of %q", s.token, s.service)
			}
			s.mu.Unlock()
			if strings.Contains(g.Logs(), "hush") || strings.Contains(g.Logs(), "cannot be sent") {
				t.Errorf("the log says %s", g.Logs())
			}
			// The last are sent when the pushing ends.
			makeTraffic(g)
			Until(t, "all is counted", func() bool { return g.Stats().Routes["items"].Methods["POST"] == 6 })
			if err := g.ApplyText(counted + toml); err != nil {
				t.Fatal(err)
			}
			Until(t, "the last metrics have come", func() bool { return s.has(6) })
		})
	}
}

// A collector that is not there costs a line in the log, and no request.
func TestDeadCollector(t *testing.T) {
	for _, protocol := range []string{"grpc", "http"} {
		t.Run(protocol, func(t *testing.T) {
			g := Start(t, fmt.Sprintf("[metrics]\notlp = { endpoint = \"http://127.0.0.1:1\", protocol = %q, interval = \"1s\", timeout = \"100ms\" }\n", protocol)+routes(Backend(t, Echo), allToB))
			said := func() int { return strings.Count(g.Logs(), "metrics cannot be sent") }
			Until(t, "the log says so", func() bool { return said() > 0 })
			if status, _, _ := g.Get("/"); status != 200 {
				t.Errorf("got %d", status)
			}
			if said() != 1 {
				t.Errorf("the log says it %d times", said())
			}
		})
	}
}
