package metrics

import (
	"cmp"
	"slices"

	"github.com/sallyport/sallyport/core/fault"
)

// RoutePicture is what was counted of a route so far.
type RoutePicture struct {
	Name           string // "": of exchanges without a route
	Path           string // its pattern
	Durations      []Series
	Overhead       Histogram // what the gateway added, where that is known
	Received, Sent uint64    // bytes of content
	Faults         []Faults
}

// Faults are how many there were of a kind.
type Faults struct {
	Kind  string
	Side  string
	Count uint64
}

// UpstreamPicture is what was counted of an upstream so far.
type UpstreamPicture struct {
	Name    string
	Answers []Series // how long answers' heads were waited for, or until there was a fault instead
	Retries uint64
}

// Routes returns what was counted, in the order of names. Routes without an exchange are left out.
func (b *Book) Routes() []RoutePicture {
	b.mu.Lock()
	pictures := make([]RoutePicture, len(b.counted))
	routes := slices.Clone(b.counted)
	for i, r := range routes {
		pictures[i].Name, pictures[i].Path = r.name, r.path
	}
	b.mu.Unlock()
	for i, r := range routes { // without the lock: an exchange may want it
		r.counters.Load().read(&pictures[i])
	}
	pictures = slices.DeleteFunc(pictures, func(p RoutePicture) bool { return len(p.Durations) == 0 })
	slices.SortFunc(pictures, func(a, b RoutePicture) int { return cmp.Compare(a.Name, b.Name) })
	return pictures
}

func (c *routeCounters) read(p *RoutePicture) {
	p.Durations, p.Overhead = c.durations.read(), c.overhead.read()
	for i := range c.content {
		p.Received += c.content[i].received.Load()
		p.Sent += c.content[i].sent.Load()
	}
	all := c.faults.Load()
	if all == nil {
		return
	}
	for kind := range all {
		for side := range all[kind] {
			if n := all[kind][side].Load(); n > 0 {
				p.Faults = append(p.Faults, Faults{fault.Kind(kind).String(), fault.Side(side).String(), n})
			}
		}
	}
}

// Upstreams returns what was counted, in the order of names.
func (b *Book) Upstreams() []UpstreamPicture {
	var pictures []UpstreamPicture
	for name, u := range *b.upstreams.Load() {
		pictures = append(pictures, UpstreamPicture{name, u.answers.read(), u.retries.Load()})
	}
	slices.SortFunc(pictures, func(a, b UpstreamPicture) int { return cmp.Compare(a.Name, b.Name) })
	return pictures
}
