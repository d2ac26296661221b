package admin

import (
	"net/http"
	"runtime"

	"github.com/sallyport/sallyport/core/gateway"
)

// Status is the answer of GET /status.
type Status struct {
	Version       string            `json:"version"`
	Ready         bool              `json:"ready"`
	Hash          string            `json:"config_hash"` // SHA-256 of the config file
	Listeners     map[string]string `json:"listeners"`
	AccessDropped uint64            `json:"access_log_dropped"`
	Goroutines    int               `json:"goroutines"`
	Gateway       gateway.Status    `json:"gateway"`
}

func (a *api) status(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("ETag", a.etag())
	writeJSON(w, http.StatusOK, a.currentStatus())
}

func (a *api) currentStatus() Status {
	s := Status{
		Version:       a.Version,
		Ready:         a.Gateway.Ready(),
		Listeners:     a.Gateway.Addresses(),
		AccessDropped: a.Gateway.AccessDropped(),
		Goroutines:    runtime.NumGoroutine(),
		Gateway:       a.Gateway.Status(),
	}
	if current := a.Gateway.Current(); current != nil {
		s.Hash = current.Config.Hash()
	}
	return s
}
