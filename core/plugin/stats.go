package plugin

// Stats are a pool's counters since it was made, and what it has now.
type Stats struct {
	Instances int // idle, running or being made
	Idle      int
	Waiting   int  // hooks that wait for an instance
	Open      bool // its breaker keeps hooks away

	Calls        int64 // hooks run, failed ones and repetitions included
	Fuel         int64 // units that they used
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

// Stats returns the pool's counters.
func (p *Pool) Stats() Stats {
	f := &p.plugin.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	s := p.stats
	s.Instances, s.Idle, s.Open = p.live, len(p.idle), p.breaker.isOpen()
	for _, w := range f.waiting {
		if w.pool == p {
			s.Waiting++
		}
	}
	return s
}
