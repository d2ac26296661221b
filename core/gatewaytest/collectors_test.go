package gatewaytest

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

// secure returns the addresses of the collector behind TLS.
func (c *collector) secure(t *testing.T, pair *certs.Pair) map[string]string {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{pair.TLS}}
	web := httptest.NewUnstartedServer(http.HandlerFunc(c.serveHTTP))
	web.TLS = config
	web.StartTLS()
	t.Cleanup(web.Close)
	return map[string]string{"grpc": "https://" + c.serveGRPC(t, grpc.Creds(credentials.NewTLS(config))), "http": web.URL}
}

const respondingRoute = `
[[routes]]
name = "a"
path = "/a"
respond = {}
`

// signals are what can be sent, with the table that has it sent and what tells that it was not.
var signals = map[string]struct {
	toml func(endpoint, more string) string
	lost string
}{
	"spans":   {tracingTOML, "spans cannot be sent"},
	"metrics": {metricsTOML, "metrics cannot be sent"},
}

// got reports whether anything has come.
func (c *collector) got() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.keys) > 0
}

// A collector is believed only with a certificate that the config's authority has signed.
func TestCollectorsOverTLS(t *testing.T) {
	pair, other := certs.New(t, "127.0.0.1"), certs.New(t, "127.0.0.1")
	for what, signal := range signals {
		for protocol := range map[string]bool{"grpc": true, "http": true} {
			for _, ca := range []*certs.Pair{pair, other} {
				t.Run(fmt.Sprint(what, " ", protocol, " ", ca == pair), func(t *testing.T) {
					c, timeout := startCollector(t, nil), "30s"
					if ca != pair {
						timeout = "2s"
					}
					g := Start(t, signal.toml(c.secure(t, pair)[protocol], "")+fmt.Sprintf("protocol = %q\ntimeout = %q\ntls = { ca = %q }\n", protocol, timeout, ca.CA)+respondingRoute)
					g.Get("/a")
					if ca == pair {
						Until(t, what+" have come", c.got)
						return
					}
					Until(t, what+" are given up", func() bool { return strings.Contains(g.Logs(), signal.lost) })
					if !strings.Contains(g.Logs(), "certificate") || c.got() {
						t.Errorf("the log does not say why, or something came:\n%s", g.Logs())
					}
				})
			}
		}
	}
}

// Headers, which may hold secrets, go nowhere else.
func TestTelemetryIsNotRedirected(t *testing.T) {
	for what, signal := range signals {
		t.Run(what, func(t *testing.T) {
			c := startCollector(t, nil)
			from := Backend(t, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, c.http+r.URL.Path, http.StatusTemporaryRedirect)
			})
			g := Start(t, signal.toml("http://"+from, "")+"protocol = \"http\"\ntimeout = \"1s\"\n"+respondingRoute)
			g.Get("/a")
			Until(t, what+" are given up", func() bool { return strings.Contains(g.Logs(), signal.lost) })
			if c.got() {
				t.Errorf("%s have gone elsewhere", what)
			}
		})
	}
}

// The environment, which containers inherit, decides nothing: the config is all there is.
func TestCollectorsIgnoreTheEnvironment(t *testing.T) {
	lured := startCollector(t, nil)
	for name, value := range map[string]string{
		"ENDPOINT": lured.http, "TRACES_ENDPOINT": lured.http, "METRICS_ENDPOINT": lured.http, "HEADERS": "api-key=lured", "TRACES_HEADERS": "api-key=lured",
		"METRICS_HEADERS": "api-key=lured", "COMPRESSION": "gzip", "INSECURE": "false", "TIMEOUT": "1", "METRICS_TEMPORALITY_PREFERENCE": "delta",
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
	}
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "lured=yes")
	t.Setenv("OTEL_SERVICE_NAME", "lured")
	for what, signal := range signals {
		for _, protocol := range []string{"grpc", "http"} {
			t.Run(what+" "+protocol, func(t *testing.T) {
				c := startCollector(t, nil)
				endpoint := map[string]string{"grpc": c.grpc, "http": c.http}[protocol]
				g := Start(t, signal.toml(endpoint, "")+fmt.Sprintf("protocol = %q\n", protocol)+respondingRoute)
				g.Get("/a")
				Until(t, what+" have come", c.got)
				c.checkSender(t, "sallyport", "k")
				c.mu.Lock()
				defer c.mu.Unlock()
				if attr(c.service, "lured") != "" || lured.got() {
					t.Errorf("the environment is heard: %v", c.service)
				}
				if m := c.metrics["http.server.request.duration"]; m != nil && m.GetHistogram().AggregationTemporality != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
					t.Error("the environment makes it deltas")
				}
			})
		}
	}
}
