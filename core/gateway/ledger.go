package gateway

import (
	"maps"
	"sync"

	"github.com/sallyport/sallyport/core/plugin"
)

// ledger sums up what plugins' filters and pools count by themselves. A reload makes new ones while exchanges still use the old: what those
// had counted when they were closed stays in the sum, so that it never goes down.
type ledger struct {
	mu      sync.Mutex
	living  map[*Snapshot]bool
	pools   map[*plugin.Pool]string // the plugins' names
	filters map[place]FilterTotal   // of Snapshots that are closed
	plugins map[string]PluginTotal  // of pools that are closed
}

// place is a plugin in a route's chain.
type place struct {
	Route, Plugin string
}

// countedFilter is a filter of a Snapshot that counts.
type countedFilter struct {
	place
	filter interface{ Stats() plugin.FilterStats }
}

// FilterTotal is what was counted of a plugin in one route's chain.
type FilterTotal struct {
	Calls, Failed int64
	Times         []uint64 // of one hook in 64, by class; see plugin.TimeBound
}

func (t *FilterTotal) add(calls, failed int64, times []uint64) {
	t.Calls += calls
	t.Failed += failed
	sum := make([]uint64, len(times))
	copy(sum, t.Times)
	for i, n := range times {
		sum[i] += n
	}
	t.Times = sum
}

// PluginTotal is what was counted of a plugin in all its pools.
type PluginTotal struct {
	Calls, Fuel, Retried, TimedOut, Started, StartsFailed, Recycled int64
	Failures                                                        map[plugin.Cause]int64
}

func (t *PluginTotal) add(s *plugin.Stats) {
	t.Calls += s.Calls
	t.Fuel += s.Fuel
	t.Retried += s.Retried
	t.TimedOut += s.TimedOut
	t.Started += s.Started
	t.StartsFailed += s.StartsFailed
	t.Recycled += s.Recycled
	sum := map[plugin.Cause]int64{}
	for cause, n := range s.Failures {
		sum[plugin.Cause(cause)] = n + t.Failures[plugin.Cause(cause)]
	}
	t.Failures = sum
}

// enter takes in a Snapshot that begins to serve.
func (l *ledger) enter(s *Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.living == nil {
		l.living = map[*Snapshot]bool{}
	}
	l.living[s] = true
}

// leave takes in the last counts of a Snapshot that no exchange uses any more, and forgets what no other one has.
func (l *ledger) leave(s *Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.living[s] {
		return
	}
	delete(l.living, s)
	past := l.filters
	for _, f := range s.filters {
		past = addFilter(past, f)
	}
	l.filters = map[place]FilterTotal{}
	for other := range l.living {
		for _, f := range other.filters {
			if total, ok := past[f.place]; ok {
				l.filters[f.place] = total
			}
		}
	}
	maps.DeleteFunc(l.plugins, func(name string, _ PluginTotal) bool { return !l.isUsed(name) })
}

// isUsed reports whether a Snapshot that serves has the plugin. The caller holds mu.
func (l *ledger) isUsed(name string) bool {
	for s := range l.living {
		if s.plugins[name] != nil {
			return true
		}
	}
	return false
}

func addFilter(to map[place]FilterTotal, f countedFilter) map[place]FilterTotal {
	if to == nil {
		to = map[place]FilterTotal{}
	}
	total, stats := to[f.place], f.filter.Stats()
	total.add(stats.Calls, stats.Failed, stats.Times[:])
	to[f.place] = total
	return to
}

// open takes in a pool of a plugin.
func (l *ledger) open(name string, p *plugin.Pool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pools == nil {
		l.pools = map[*plugin.Pool]string{}
	}
	l.pools[p] = name
}

// close closes a pool and takes in its last counts, if its plugin is still of use.
func (l *ledger) close(p *plugin.Pool) {
	p.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	name, stats := l.pools[p], p.Stats()
	delete(l.pools, p)
	if !l.isUsed(name) {
		return
	}
	if l.plugins == nil {
		l.plugins = map[string]PluginTotal{}
	}
	total := l.plugins[name]
	total.add(&stats)
	l.plugins[name] = total
}

// totals returns the sums.
func (l *ledger) totals() (map[place]FilterTotal, map[string]PluginTotal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	filters, plugins := map[place]FilterTotal{}, map[string]PluginTotal{}
	for at, total := range l.filters {
		filters[at] = total
	}
	for s := range l.living {
		for _, f := range s.filters {
			addFilter(filters, f)
		}
	}
	for name, total := range l.plugins {
		plugins[name] = total
	}
	for p, name := range l.pools {
		total, stats := plugins[name], p.Stats()
		total.add(&stats)
		plugins[name] = total
	}
	return filters, plugins
}

// active returns how many exchanges are being served.
func (l *ledger) active() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n int64
	for s := range l.living {
		for i := range s.pins {
			n += s.pins[i].n.Load()
		}
	}
	return max(n, 0)
}
