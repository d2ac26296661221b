package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/discover"
)

const (
	// firstLookUp is how long a generation is waited with for its upstreams' first endpoints.
	firstLookUp = 2 * time.Second
	// maxQueries is how many questions to the same DNS servers are on their way at most, so that a config with thousands of names does
	// not drown them.
	maxQueries = 64
)

// discovery is what the sources of all upstreams share.
type discovery struct {
	feeds   shelf[*discover.Feed]
	follows shelf[*follow] // by upstream
	folders *discover.Folders
	queries map[string]chan struct{} // by servers: the dead ones of some hold up nobody else's; guarded by Gateway.mu
	off     bool                     // nothing is looked up
}

func (d *discovery) source(c *config.Discover) discover.Source {
	if c.File != "" {
		return &discover.File{Path: c.File, Folders: d.folders}
	}
	servers := fmt.Sprint(c.Resolver)
	if d.queries[servers] == nil {
		d.queries[servers] = make(chan struct{}, maxQueries)
	}
	o := discover.DNSOptions{
		Name: c.DNS, Port: c.Port, Family: c.Family, Servers: c.Resolver, Search: c.Search,
		MinTTL: c.MinTTL, MaxTTL: c.MaxTTL, Timeout: c.Timeout, Queries: d.queries[servers],
	}
	if c.SRV != "" {
		o.Name, o.SRV = c.SRV, true
	}
	return discover.NewDNS(o)
}

// awaitFeeds waits until each source has answered or failed, within bounds.
func (b *builder) awaitFeeds() {
	if len(b.wrong) > 0 {
		return
	}
	bound, cancel := context.WithTimeout(context.Background(), firstLookUp)
	defer cancel()
	late := []string{}
	for name, feed := range b.s.feeds {
		if !feed.Await(bound) {
			late = append(late, name)
		}
	}
	if len(late) > 0 {
		slices.Sort(late)
		b.g.log.Warn("endpoints are still being looked up", "upstreams", len(late), "first", late[0])
	}
}

// SourceStatus is a picture of where endpoints are looked up. Times that never came are left out.
type SourceStatus struct {
	Kind      string              `json:"kind"` // "file", "dns" or "srv"
	Name      string              `json:"name"`
	Success   time.Time           `json:"last_success,omitzero"`
	Failure   time.Time           `json:"last_failure,omitzero"`
	Error     string              `json:"error,omitempty"` // of the last look-up; none when it went well
	Endpoints []discover.Endpoint `json:"endpoints"`       // found last
	Changes   uint64              `json:"changes"`
	Failures  uint64              `json:"failures"`
}

// sourceStatus tells of the sources by upstream.
func (s *Snapshot) sourceStatus() map[string]SourceStatus {
	all := map[string]SourceStatus{}
	for name, feed := range s.feeds {
		state := feed.State()
		all[name] = SourceStatus{
			Kind: state.Kind, Name: state.Name, Success: state.Success, Failure: state.Failure, Error: state.Error,
			Endpoints: append([]discover.Endpoint{}, state.Endpoints...), Changes: state.Changes, Failures: state.Failures,
		}
	}
	return all
}
