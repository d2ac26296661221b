package gateway

import (
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/metrics"
)

// refusedRoute is a servedRoute whose exchange was refused before its chain ran: it is counted with the route, and that is all.
type refusedRoute servedRoute

// openCounters has the exchanges of s counted if the config wants it. What was counted of routes and upstreams of the same names goes on.
func (b *builder) openCounters() {
	if !b.cfg.Metrics.Enabled {
		return
	}
	named := make([]metrics.Named, len(b.cfg.Routes))
	for i := range b.cfg.Routes {
		named[i] = metrics.Named{Name: b.cfg.Routes[i].Name, Path: b.cfg.Routes[i].Path}
	}
	upstreams := make([]string, 0, len(b.cfg.Upstreams))
	for name := range b.cfg.Upstreams {
		upstreams = append(upstreams, name)
	}
	counted, release := b.g.book.Open(named, upstreams)
	b.s.releases = append(b.s.releases, release)
	b.s.counts = true
	for i := range b.s.routes {
		b.s.routes[i].counted = counted[i]
	}
}

// count takes in an exchange that has ended, while it is still pinned.
func (g *Gateway) count(x *exchange.Exchange) {
	switch pinned := x.Pinned.(type) {
	case *servedRoute:
		if pinned.counted != nil {
			g.book.Count(pinned.counted, x)
		}
	case *refusedRoute:
		if pinned.counted != nil {
			g.book.Count(pinned.counted, x)
		}
	case *metrics.Route: // of a tunnel, which has let go of its Snapshot
		g.book.Count(pinned, x)
	case *Snapshot:
		if pinned.counts {
			g.book.Count(nil, x)
		}
	}
}

// countedAs returns what counts x, whose chain has run; nil: nothing does.
func countedAs(x *exchange.Exchange) *metrics.Route {
	if r, ok := x.Pinned.(*servedRoute); ok {
		return r.counted
	}
	return nil
}

// keepCount has a tunnel that holds no Snapshot any more counted when it ends.
func keepCount(x *exchange.Exchange, counted *metrics.Route) {
	if counted != nil {
		x.Pinned = counted
	}
}
