package gateway

import (
	"sync"
	"time"
)

// reloads counts how changes of the config went.
type reloads struct {
	mu sync.Mutex
	n  ReloadStats
}

// ReloadStats are how changes of the config went. The one that the gateway began with is no change.
type ReloadStats struct {
	Succeeded   uint64    `json:"succeeded"`
	Failed      uint64    `json:"failed"`
	LastSuccess time.Time `json:"last_success"` // or when the gateway began
	LastFailed  bool      `json:"last_failed"`  // what is served is not what the file says
}

func (r *reloads) succeeded(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.n.LastSuccess.IsZero() {
		r.n.Succeeded++
	}
	r.n.LastSuccess, r.n.LastFailed = now, false
}

func (r *reloads) refused() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n.Failed++
	r.n.LastFailed = true
}

func (r *reloads) read() ReloadStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// NoteRefused counts a config that could not be read, and so never came to Apply.
func (g *Gateway) NoteRefused() { g.reloads.refused() }
