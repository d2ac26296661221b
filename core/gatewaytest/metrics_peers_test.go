package gatewaytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
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
	web := free.Address(t)
	cmd := exec.Command(path, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+web)
	log := &output.Text{}
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

// hasItems reports whether so many requests of the route items have come, as the conventions say.
func (c *collector) hasItems(n uint64) bool {
	m := c.metric("http.server.request.duration")
	if m == nil || m.Unit != "s" || m.GetHistogram().AggregationTemporality != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
		return false
	}
	for _, p := range m.GetHistogram().DataPoints {
		if attr(p.Attributes, "sallyport.route") == "items" && attr(p.Attributes, "http.route") == "/items/:id" &&
			attr(p.Attributes, "http.request.method") == "POST" && attr(p.Attributes, "http.response.status_code") == "200" &&
			attr(p.Attributes, "url.scheme") == "http" && p.Count == n && p.GetSum() > 0 && len(p.BucketCounts) == len(p.ExplicitBounds)+1 {
			return true
		}
	}
	return false
}

func TestOTLP(t *testing.T) {
	for _, protocol := range []string{"grpc", "http"} {
		t.Run(protocol, func(t *testing.T) {
			c := startCollector(t, nil)
			endpoint := map[string]string{"grpc": c.grpc, "http": c.http}[protocol]
			push := metricsTOML(endpoint, "service_name = \"edge\"\n") + fmt.Sprintf("protocol = %q\n", protocol)
			dir := busyDir(t)
			toml := careful(Backend(t, Echo)) + busyTOML
			g := newIn(t, dir)
			if err := g.ApplyText(push + toml); err != nil {
				t.Fatal(err)
			}
			g.Addr = g.Addresses()[listen]
			g.URL = "http://" + g.Addr
			makeTraffic(g)
			Until(t, "the metrics have come", func() bool { return c.hasItems(3) })
			for _, name := range []string{"http.client.request.duration", "sallyport.plugin.calls", "sallyport.endpoint.usable", "go.goroutine.count", "go.memory.used"} {
				if c.metric(name) == nil {
					t.Errorf("%s did not come", name)
				}
			}
			c.checkSender(t, "edge", "k")
			if strings.Contains(g.Logs(), "cannot be sent") {
				t.Errorf("the log says %s", g.Logs())
			}
			// The last are sent when the pushing ends.
			makeTraffic(g)
			Until(t, "all is counted", func() bool { return g.Stats().Routes["items"].Methods["POST"] == 6 })
			if err := g.ApplyText(counted + toml); err != nil {
				t.Fatal(err)
			}
			Until(t, "the last metrics have come", func() bool { return c.hasItems(6) })
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
