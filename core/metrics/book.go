// Package metrics counts exchanges by route and by upstream, at a cost that every one of them can bear: a few additions to counters of
// the exchange's shard. What it has counted is read without a lock that exchanges take.
package metrics

import (
	"maps"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// MaxRoutes is how many routes have counters of their own: those that get a request first. The others count together, as OtherRoutes.
	MaxRoutes = 10_000
	// OtherRoutes is the name of what routes beyond MaxRoutes count as.
	OtherRoutes = "_other"
	// maxShards bounds the memory of a counter on machines with many cores.
	maxShards = 16
)

// Book holds the counters of one gateway, by the names of routes and upstreams, across its generations. Its methods may be called from
// any goroutine.
type Book struct {
	shards    int // a power of two
	durations *bounds
	overheads *bounds
	maxRoutes int
	upstreams atomic.Pointer[map[string]*Upstream]
	none      *Route // of exchanges without a route
	others    *Route

	mu      sync.Mutex
	routes  map[string]*Route
	counted []*Route // those that have counters of their own
}

// NewBook returns an empty Book.
func NewBook() *Book {
	shards := min(maxShards, 1<<bits.Len(uint(2*runtime.GOMAXPROCS(0)-1)))
	b := &Book{shards: shards, durations: newBounds(DurationBounds()), overheads: newBounds(OverheadBounds()), maxRoutes: MaxRoutes, routes: map[string]*Route{}}
	b.upstreams.Store(&map[string]*Upstream{})
	b.none, b.others = &Route{book: b}, &Route{book: b, name: OtherRoutes}
	for _, r := range []*Route{b.none, b.others} {
		r.counters.Store(b.newRouteCounters())
		b.counted = append(b.counted, r)
	}
	return b
}

// Named is a route as a config has it.
type Named struct {
	Name string
	Path string // its pattern
}

// Open returns what counts for those routes, in their order, and keeps it, and the upstreams', until release is called: who opens the
// same names before that finds the counts as they are.
func (b *Book) Open(routes []Named, upstreams []string) (opened []*Route, release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	opened = make([]*Route, len(routes))
	for i, named := range routes {
		r := b.routes[named.Name]
		if r == nil {
			r = &Route{book: b, name: named.Name}
			b.routes[named.Name] = r
		}
		r.path = named.Path
		r.users++
		opened[i] = r
	}
	b.openUpstreams(upstreams)
	return opened, func() { b.release(opened, upstreams) }
}

// openUpstreams makes a new map: exchanges read the old one without a lock. The caller holds mu.
func (b *Book) openUpstreams(names []string) {
	next := maps.Clone(*b.upstreams.Load())
	for _, name := range names {
		if next[name] == nil {
			next[name] = &Upstream{book: b, name: name}
		}
		next[name].users++
	}
	b.upstreams.Store(&next)
}

func (b *Book) release(routes []*Route, upstreams []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range routes {
		if r.users--; r.users == 0 {
			delete(b.routes, r.name)
			r.gone = true
		}
	}
	b.counted = slices.DeleteFunc(b.counted, func(r *Route) bool { return r.gone })
	next := maps.Clone(*b.upstreams.Load())
	for _, name := range upstreams {
		if u := next[name]; u != nil {
			if u.users--; u.users == 0 {
				delete(next, name)
			}
		}
	}
	b.upstreams.Store(&next)
}

// admit gives r counters at its first exchange: its own while there are few enough, else those that the others share.
func (b *Book) admit(r *Route) *routeCounters {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := r.counters.Load(); c != nil {
		return c
	}
	const unnamed = 2 // none and others
	if len(b.counted) >= b.maxRoutes+unnamed {
		r.counters.Store(b.others.counters.Load())
		return r.counters.Load()
	}
	c := b.newRouteCounters()
	if r.counters.Store(c); !r.gone {
		b.counted = append(b.counted, r)
	}
	return c
}
