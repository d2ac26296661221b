package limit

import (
	"sync"
	"time"
)

// flights are the Limiter of Concurrency: what is taken and not yet given back, for the keys that have anything taken. Nothing is ever
// forgotten, so its memory is bounded by whoever gives back: the exchanges that are open at once.
type flights struct {
	most   int64
	shards [stripes]flightShard
}

type flightShard struct {
	sync.Mutex
	taken map[uint64]int64
	_     [48]byte // a cache line each
}

// later is when to come again where nobody knows when anything will be given back.
const later = time.Second

func newFlights(most int64) *flights {
	f := &flights{most: most}
	for i := range f.shards {
		f.shards[i].taken = map[uint64]int64{}
	}
	return f
}

// At is part of Limiter; time plays no part.
func (f *flights) At(time.Time) int64 { return 0 }

// Take is part of Limiter.
func (f *flights) Take(key uint64, _, n int64) Decision {
	s := f.shard(key)
	s.Lock()
	defer s.Unlock()
	d := f.decide(s.taken[key], n)
	if d.Allowed {
		s.taken[key] += n
		d.Remaining -= n
	}
	return d
}

// Peek is part of Limiter.
func (f *flights) Peek(key uint64, _, n int64) Decision {
	s := f.shard(key)
	s.Lock()
	defer s.Unlock()
	return f.decide(s.taken[key], n)
}

// Give is part of Limiter.
func (f *flights) Give(key uint64, _, n int64) {
	s := f.shard(key)
	s.Lock()
	defer s.Unlock()
	if left := s.taken[key] - n; left > 0 {
		s.taken[key] = left
		return
	}
	delete(s.taken, key)
}

func (f *flights) decide(taken, n int64) Decision {
	if n < 1 || taken+n > f.most {
		return Decision{Remaining: f.most - taken, RetryAfter: later}
	}
	return Decision{Allowed: true, Remaining: f.most - taken}
}

func (f *flights) shard(key uint64) *flightShard { return &f.shards[spread(key, stripes)] }
