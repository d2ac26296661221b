package gateway

import (
	"fmt"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/upstream"
)

// watchOver says how the upstream finds out which of its endpoints are well, and what it goes on from.
func (b *builder) watchOver(o *upstream.Options, c config.Upstream) {
	o.Health, o.Eject, o.Log, o.Former = healthOptions(c.Health), ejectOptions(c.Eject), b.g.log.With("upstream", o.Name), b.former(o.Name)
}

// former returns the upstream of that name in the current Snapshot, nil if there is none.
func (b *builder) former(name string) *upstream.Upstream {
	if s := b.g.current.Load(); s != nil {
		return s.upstreams[name]
	}
	return nil
}

func healthOptions(h *config.Health) *upstream.HealthOptions {
	if h == nil {
		return nil
	}
	o := &upstream.HealthOptions{
		Kind: h.Kind, Method: h.Method, Path: h.Path, Query: h.Query, Host: h.Host, Port: h.Port,
		Interval: h.Interval, UnhealthyInterval: h.UnhealthyInterval, Jitter: h.Jitter, Timeout: h.Timeout,
		Healthy: h.Healthy, Unhealthy: h.Unhealthy, Body: h.Body, Service: h.Service,
	}
	for _, r := range h.Statuses {
		o.Statuses = append(o.Statuses, upstream.StatusRange(r))
	}
	return o
}

func ejectOptions(e *config.Eject) *upstream.EjectOptions {
	if e == nil {
		return nil
	}
	o := &upstream.EjectOptions{
		ConsecutiveErrors: e.ConsecutiveErrors, Interval: e.Interval, BaseTime: e.BaseTime, MaxTime: e.MaxTime, MaxShare: e.MaxShare,
	}
	if r := e.SuccessRate; r != nil {
		o.SuccessRate = &upstream.RateOptions{Factor: r.Factor, MinRequests: r.MinRequests, MinHosts: r.MinHosts}
	}
	return o
}

// DrainEndpoint takes an endpoint of an upstream out of service, or puts it back; see upstream.Drain. It waits for a reload that is under way,
// which may have taken over the endpoint's standing already.
func (g *Gateway) DrainEndpoint(name, address string, drained bool) error {
	return g.onUpstream(name, func(u *upstream.Upstream) error { return u.Drain(address, drained) })
}

// WeighEndpoint gives an endpoint of an upstream another weight than the config does, 0 takes that back; see upstream.Weigh.
func (g *Gateway) WeighEndpoint(name, address string, weight int) error {
	return g.onUpstream(name, func(u *upstream.Upstream) error { return u.Weigh(address, weight) })
}

func (g *Gateway) onUpstream(name string, do func(*upstream.Upstream) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.current.Load(); s != nil && s.upstreams[name] != nil {
		return do(s.upstreams[name])
	}
	return fmt.Errorf("there is no upstream %q", name)
}
