package admin

import (
	"runtime"

	"github.com/sallyport/sallyport/core/gateway"
)

// Status is the answer of GET /status.
type Status struct {
	Version       string            `json:"version"`
	Ready         bool              `json:"ready"`
	Listeners     map[string]string `json:"listeners"`
	AccessDropped uint64            `json:"access_log_dropped"`
	Goroutines    int               `json:"goroutines"`
	Gateway       gateway.Status    `json:"gateway"`
}

func status(o Options) Status {
	return Status{
		Version:       o.Version,
		Ready:         o.Gateway.Ready(),
		Listeners:     o.Gateway.Addresses(),
		AccessDropped: o.Gateway.AccessDropped(),
		Goroutines:    runtime.NumGoroutine(),
		Gateway:       o.Gateway.Status(),
	}
}
