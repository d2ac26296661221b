package admin

import (
	"net/http"

	"github.com/sallyport/sallyport/core/gateway"
	"github.com/sallyport/sallyport/core/telemetry"
)

// metrics makes what answers Prometheus.
func (a *api) metrics() http.HandlerFunc {
	handler, err := telemetry.PrometheusHandler(a.Gateway.MetricOptions())
	if err != nil {
		a.Log.Error("GET /metrics is not served", "error", err)
		return http.NotFound
	}
	return handler.ServeHTTP
}

// Stats is the answer of GET /stats.
type Stats struct {
	Version string `json:"version"`
	Ready   bool   `json:"ready"`
	gateway.Stats
}

func (a *api) stats(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, Stats{a.Version, a.Gateway.Ready(), a.Gateway.Stats()})
}

func (a *api) refusedKinds(w http.ResponseWriter, _ *http.Request) {
	list, missed := a.Gateway.Refusals()
	writeJSON(w, http.StatusOK, map[string]any{"refusals": list, "missed": missed})
}
