package gateway

import (
	"github.com/sallyport/sallyport/core/backend"
	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/filter"
	"github.com/sallyport/sallyport/core/key"
	"github.com/sallyport/sallyport/core/upstream"
)

// addCare translates what keeps an upstream's failures small.
func addCare(o *upstream.Options, c config.Upstream) {
	if r := c.Retry; r != nil {
		o.Retry = &upstream.RetryOptions{
			On: r.On, Methods: r.Methods, TryTimeout: r.TryTimeout, Backoff: r.Backoff, MaxBackoff: r.MaxBackoff, Budget: r.Budget,
			MaxBody: r.MaxBody, RetryAfter: r.MaxRetryAfter,
		}
	}
	if l := c.Limits; l != nil {
		o.Limits = upstream.LimitOptions(*l)
	}
	if b := c.Breaker; b != nil {
		o.Breaker = &upstream.BreakerOptions{
			Failures: b.Failures, Ratio: b.Ratio, Window: b.Window, MinRequests: b.MinRequests, OpenFor: b.OpenFor, MaxOpenFor: b.MaxOpenFor,
			Probes: b.HalfOpen, Statuses: b.Statuses,
		}
	}
}

// shedding returns the steps that bound how many exchanges are served at once: ahead of all others, since who is not served should cost
// nothing.
func (b *builder) shedding(r *config.Route) []chain.Step {
	var steps []chain.Step
	add := func(c *config.Concurrency, name string) {
		if c == nil {
			return
		}
		// An unchanged bound knows of the exchanges of earlier generations.
		kept, release, _ := b.g.concurrency.take(shelfKey("concurrency", name, c), func() (*filter.Concurrency, error) {
			return filter.NewConcurrency(filter.ConcurrencyOptions(*c)), nil
		}, func(*filter.Concurrency) {})
		b.s.releases = append(b.s.releases, release)
		b.s.concurrency[name] = kept
		steps = append(steps, chain.Step{Name: "concurrency", Filter: kept})
	}
	add(b.cfg.Server.Concurrency, "")
	add(r.Concurrency, r.Name)
	return steps
}

// buildTraffic returns what answers the exchanges of a route that has upstreams.
func (b *builder) buildTraffic(r *config.Route) answerer {
	var to backend.Answerer
	if r.Split == nil {
		to = b.buildProxy(r, r.Upstream)
	} else {
		to = b.buildSplit(r)
	}
	if m := r.Mirror; m != nil && to != nil {
		copies := b.buildProxy(r, m.Upstream)
		copies.Timeout, copies.Total = m.Timeout, m.Timeout
		mirror := backend.NewMirror(to, backend.MirrorOptions{Share: m.Share, MaxBody: m.MaxBody, Concurrency: m.Concurrency, To: copies})
		b.s.mirrors[r.Name] = mirror
		to = mirror
	}
	return to
}

func (b *builder) buildSplit(r *config.Route) backend.Answerer {
	o := backend.SplitOptions{By: b.part(r, r.Split.By), Sticky: b.part(r, r.Split.Sticky), Cookie: r.Split.Cookie, MaxAge: r.Split.MaxAge}
	for _, branch := range r.Split.Branches {
		o.Branches = append(o.Branches, backend.Branch{Name: branch.Name, Weight: branch.Weight, To: b.buildProxy(r, branch.Upstream)})
	}
	s, err := backend.NewSplit(o)
	if err != nil {
		b.fault(r.Key+".split", "%v", err)
		return nil
	}
	b.s.splits[r.Name] = s
	return s
}

// part parses a part of a key; nil for none.
func (b *builder) part(r *config.Route, text string) *key.Part {
	if text == "" {
		return nil
	}
	part, err := key.Parse(text)
	if err != nil {
		b.fault(r.Key, "%v", err)
	}
	return &part
}

// UpstreamStatus is a picture of an upstream as a whole.
type UpstreamStatus struct {
	Retries    uint64 `json:"retries"`     // further tries of requests
	Retrying   int64  `json:"retrying"`    // of those that are under way now
	OverBudget uint64 `json:"over_budget"` // retries not made, since there were too many at once
	Pending    int64  `json:"pending"`     // requests that wait for room now
	Overflowed uint64 `json:"overflowed"`  // requests refused since there was no room
	Unserved   uint64 `json:"unserved"`    // requests refused since every endpoint's breaker was open
}

// TrafficStatus is a picture of what a route does with its requests beside proxying them. What it does not do is left out.
type TrafficStatus struct {
	Concurrency *ConcurrencyStatus `json:"concurrency,omitempty"`
	Split       map[string]uint64  `json:"split,omitempty"` // requests by branch
	Mirror      *MirrorStatus      `json:"mirror,omitempty"`
}

// ConcurrencyStatus is a picture of a bound on requests served at once.
type ConcurrencyStatus struct {
	Limit   int    `json:"limit"`
	Active  int    `json:"active"`
	Waiting int    `json:"waiting"`
	Shed    uint64 `json:"shed"` // requests refused so far
}

// MirrorStatus is a picture of a route's mirror.
type MirrorStatus struct {
	Active  int64  `json:"active"`  // copies under way
	Sent    uint64 `json:"sent"`    // copies so far
	Failed  uint64 `json:"failed"`  // of those that were not answered
	Dropped uint64 `json:"dropped"` // requests not copied, since there was no room or too much content
}

// trafficStatus returns what there is to tell by route; "" stands for all of them together.
func (s *Snapshot) trafficStatus() map[string]TrafficStatus {
	all := map[string]TrafficStatus{}
	change := func(name string, set func(*TrafficStatus)) {
		t := all[name]
		set(&t)
		all[name] = t
	}
	for name, c := range s.concurrency {
		state := ConcurrencyStatus(c.State())
		change(name, func(t *TrafficStatus) { t.Concurrency = &state })
	}
	for name, split := range s.splits {
		change(name, func(t *TrafficStatus) { t.Split = split.Counts() })
	}
	for name, m := range s.mirrors {
		state := MirrorStatus(m.State())
		change(name, func(t *TrafficStatus) { t.Mirror = &state })
	}
	return all
}
