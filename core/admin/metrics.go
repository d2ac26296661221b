package admin

import (
	"net/http"

	"github.com/sallyport/sallyport/core/telemetry"
)

// serveMetrics answers GET /metrics for Prometheus, and GET /stats with the same counts as JSON.
func serveMetrics(mux *http.ServeMux, o Options) {
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, o.Gateway.Stats()) })
	handler, err := telemetry.PrometheusHandler(o.Gateway.MetricOptions())
	if err != nil {
		o.Log.Error("GET /metrics is not served", "error", err)
		return
	}
	mux.Handle("GET /metrics", handler)
}
