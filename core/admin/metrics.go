package admin

import (
	"net/http"

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

func (a *api) stats(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, a.Gateway.Stats())
}
