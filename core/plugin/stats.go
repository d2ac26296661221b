package plugin

import "time"

// Stats are a pool's counters since it was made, and what it has now.
type Stats struct {
	Instances int // idle, running or being made
	Idle      int
	Waiting   int  // hooks that wait for an instance
	Open      bool // its breaker keeps hooks away

	Calls        int64                      // hooks run, failed ones and repetitions included
	Fuel         int64                      // units that they used
	FuelCounts   [len(FuelBounds) + 1]int64 // hooks that used up to each of FuelBounds, and more
	Timed        int64                      // hooks whose duration was measured: one of each 64
	Time         time.Duration              // of those, waits for instances and fetches included
	IdleMemory   int64                      // bytes of the linear memories of idle instances
	Failures     [causes]int64
	Retried      int64 // hooks tried once more in a fresh instance
	TimedOut     int64 // hooks that found no instance in time
	Started      int64 // instances, without the canary
	StartsFailed int64
	Recycled     int64 // instances replaced because of use or size
	Evicted      int64 // instances that made room for another configuration
	Swept        int64 // instances closed because nobody needed them
}

// Failed returns how many hooks failed for that cause.
func (s *Stats) Failed(c Cause) int64 { return s.Failures[c] }

// FuelBounds are the upper bounds of Stats.FuelCounts.
var FuelBounds = [...]int64{1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26}

// count notes what a hook used.
func (s *Stats) count(fuel int64) {
	s.Calls++
	s.Fuel += fuel
	place := 0
	for place < len(FuelBounds) && fuel > FuelBounds[place] {
		place++
	}
	s.FuelCounts[place]++
}

// FilterStats are the counters of one filter: a pool at one place of gateway.toml.
type FilterStats struct {
	Where  string // the place's key path
	Calls  int64  // hooks
	Failed int64  // those that failed for good
}

// Stats returns the filter's counters.
func (f *filter) Stats() FilterStats {
	return FilterStats{f.where, f.calls.Load(), f.failed.Load()}
}

// timedEach is of how many hooks one is timed: a look at the clock costs as much as a small hook.
const timedEach = 64

func (p *Pool) noteTime(d time.Duration) {
	f := &p.plugin.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	p.stats.Timed++
	p.stats.Time += d
}

// Stats returns the pool's counters.
func (p *Pool) Stats() Stats {
	f := &p.plugin.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	s := p.stats
	s.Instances, s.Idle, s.Open = p.live, len(p.idle), p.breaker.isOpen()
	for _, i := range p.idle {
		s.IdleMemory += int64(i.call.mem.Size())
	}
	for _, w := range f.waiting {
		if w.pool == p {
			s.Waiting++
		}
	}
	return s
}
