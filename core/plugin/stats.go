package plugin

import (
	"math/bits"
	"time"
)

// Stats are a pool's counters since it was made, and what it has now.
type Stats struct {
	Instances int // idle, running or being made
	Idle      int
	Waiting   int  // hooks that wait for an instance
	Open      bool // its breaker keeps hooks away

	Calls        int64                      // hooks run, failed ones and repetitions included
	Fuel         int64                      // units that they used
	FuelCounts   [len(FuelBounds) + 1]int64 // hooks that used up to each of FuelBounds, and more
	Timed        int64                      // hooks whose duration was measured: see isTimed
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
	Where  string            // the place's key path
	Calls  int64             // hooks
	Failed int64             // those that failed for good
	Times  [timeSteps]uint64 // hooks that were timed, by TimeBound, waits included: those that took up to that, and more than the one before
}

// timeSteps is how many classes of duration there are: up to 1 µs, 2 µs, and so on to a second, and longer.
const timeSteps = 22

// TimeBound returns the upper bound of a class of FilterStats.Times, 0 for that of the longest.
func TimeBound(class int) time.Duration {
	if class == timeSteps-1 {
		return 0
	}
	return time.Microsecond << class
}

func timeClass(d time.Duration) int {
	return min(bits.Len64(uint64(max(d-1, 0)/time.Microsecond)), timeSteps-1)
}

// Stats returns the filter's counters.
func (f *filter) Stats() FilterStats {
	s := FilterStats{Where: f.where, Calls: f.calls.Load(), Failed: f.failed.Load()}
	for class := range s.Times {
		s.Times[class] = f.times[class].Load()
	}
	return s
}

// timedEach is of how many hooks one is timed: a look at the clock costs as much as a small hook. It is prime, so that where hooks come in turn
// (request, response, request, …) each of them is met.
const timedEach = 61

// isTimed reports whether a filter's nth hook, counted from 1, is timed: the first is, so that a filter which is seldom called has something to show.
func isTimed(n int64) bool { return n%timedEach == 1 }

// noteTime notes how long a hook took that began then.
func (f *filter) noteTime(began time.Time) {
	took := time.Since(began)
	f.times[timeClass(took)].Add(1)
	f.pool.noteTime(took)
}

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
