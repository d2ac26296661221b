package gateway

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/discover"
	"github.com/sallyport/sallyport/core/upstream"
)

// follow keeps one upstream's endpoints those of the config together with those that its feed has found.
type follow struct {
	u    *upstream.Upstream
	log  *slog.Logger
	stop func() // ends the subscription

	mu           sync.Mutex
	fixed, found []discover.Endpoint
}

// followFeed has u follow what c's source finds, for as long as both are in use, and reports whether c has one. Upstreams whose tables say
// the same have one feed.
func (b *builder) followFeed(name string, c *config.Upstream, u *upstream.Upstream) bool {
	d := &b.g.discovery
	if c.Discover == nil || d.off {
		return false
	}
	var former *discover.Feed
	if s := b.g.current.Load(); s != nil {
		former = s.feeds[name]
	}
	feed, release, _ := d.feeds.take(shelfKey("discover", "", c.Discover), func() (*discover.Feed, error) {
		return discover.Start(d.source(c.Discover), former, b.g.log), nil
	}, (*discover.Feed).Close)
	b.s.releases = append(b.s.releases, release)
	b.s.feeds[name] = feed
	fixed := fixedEndpoints(name, c)
	f, release, _ := d.follows.take(fmt.Sprintf("%p", u), func() (*follow, error) {
		f := &follow{u: u, log: b.g.log.With("upstream", name), fixed: fixed}
		f.stop = feed.Subscribe(f.find)
		return f, nil
	}, func(f *follow) { f.stop() })
	b.s.releases = append(b.s.releases, release)
	b.s.updates = append(b.s.updates, func() { f.fix(fixed) })
	return true
}

func fixedEndpoints(name string, c *config.Upstream) (fixed []discover.Endpoint) {
	for _, e := range upstreamOptions(name, *c).Endpoints {
		fixed = append(fixed, discover.Endpoint(e))
	}
	return fixed
}

// fix sets the endpoints of the config.
func (f *follow) fix(fixed []discover.Endpoint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fixed = fixed
	f.update()
}

// find sets those that were found.
func (f *follow) find(found []discover.Endpoint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found = found
	f.update()
}

// update tells the upstream; the caller holds mu, so that the last to come is the last to be heard.
func (f *follow) update() {
	var next []upstream.EndpointOptions
	for _, e := range discover.Merge(f.fixed, f.found) {
		next = append(next, upstream.EndpointOptions(e))
	}
	if err := f.u.Update(next); err != nil {
		f.log.Error("endpoints that were found cannot be used, the former ones stay", "error", err)
	}
}
