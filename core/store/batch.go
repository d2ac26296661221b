package store

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/limit"
)

const (
	batchShards = 16
	batchSize   = 64 // keys in one operation: some milliseconds of work for Redis, which others wait for
)

// BatchOptions say what is counted in batches, and how often they are told.
type BatchOptions struct {
	Policy  limit.Policy
	Limit   string // as in limit.Ask
	Every   time.Duration
	Keys    int             // taken from between two tellings that are remembered; others count in this gateway alone
	Counter limit.Learner   // what decides, of the Policy
	Told    func(err error) // how each telling went; nil: nobody asks
}

// Batch decides by what this gateway knows, tells the store every so often what was taken, and learns what the others have taken. In between it
// knows nothing of the others: of n gateways, each can let through, in the time between two tellings, what n-1 others have let
// through already, at most n-1 times what the policy allows in that time and at once. GCRA pays that back: what is taken is told in full,
// so that buckets are the longer in filling.
type Batch struct {
	limit.Learner
	o      BatchOptions
	store  *Redis
	shards [batchShards]batchShard
	lost   atomic.Int64
	// doubtful is set until the store has answered, at first and after a failure.
	doubtful bool
	stop     chan struct{}
	ended    chan struct{}
}

// batchShard has what was taken since the last telling, by key.
type batchShard struct {
	mu    sync.Mutex
	taken map[string]taken
}

type taken struct {
	key uint64 // as the Counter has it
	n   int64
}

// NewBatch begins to tell. Close ends it.
func (r *Redis) NewBatch(o BatchOptions) *Batch {
	b := &Batch{Learner: o.Counter, o: o, store: r, doubtful: true, stop: make(chan struct{}), ended: make(chan struct{})}
	for i := range b.shards {
		b.shards[i].taken = map[string]taken{}
	}
	go b.run()
	return b
}

// Close tells for the last time, and ends.
func (b *Batch) Close() {
	close(b.stop)
	<-b.ended
}

// Note remembers that n units were taken for a key, by both its names, to be told; negative ones were given back.
func (b *Batch) Note(key uint64, name string, n int64) {
	s := &b.shards[key%batchShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	one, known := s.taken[name]
	if !known && len(s.taken) >= max(b.o.Keys/batchShards, 1) {
		b.lost.Add(n)
		return
	}
	s.taken[name] = taken{key, one.n + n}
}

// Lost returns how many units were not told: there were too many keys, or it is not known whether they were.
func (b *Batch) Lost() int64 { return b.lost.Load() }

func (b *Batch) run() {
	defer close(b.ended)
	tick := time.NewTicker(b.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.tell()
		case <-b.stop:
			b.tell()
			return
		}
	}
}

// tell books what was taken since the last time. What could not be told is told the next time. What may have been told is not: a store that
// hangs does what it was asked when it wakes up. So whether it answers is found out first when the last telling has failed; no more than one
// is lost then.
func (b *Batch) tell() {
	if b.doubtful {
		if err := b.store.Ping(); err != nil {
			b.report(err)
			return
		}
		b.doubtful = false
	}
	for i := range b.shards {
		asks, keys := make([]limit.Ask, 0, batchSize), make([]uint64, 0, batchSize)
		for name, one := range b.shards[i].empty() {
			asks = append(asks, limit.Ask{Policy: b.o.Policy, Limit: b.o.Limit, Key: name, N: one.n})
			if keys = append(keys, one.key); len(keys) == batchSize {
				b.book(asks, keys)
				asks, keys = asks[:0], keys[:0]
			}
		}
		b.book(asks, keys)
	}
}

func (b *Batch) report(err error) {
	if b.o.Told != nil {
		b.o.Told(err)
	}
}

// empty returns what the shard has, and leaves it none of it.
func (s *batchShard) empty() map[string]taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) == 0 {
		return nil
	}
	all := s.taken
	s.taken = make(map[string]taken, len(all))
	return all
}

// book tells of some keys, unless a telling of this time has failed.
func (b *Batch) book(asks []limit.Ask, keys []uint64) {
	if len(asks) == 0 {
		return
	}
	known, err := b.ask(asks)
	for i := range asks {
		failed := err
		if err == nil {
			failed = known[i].Err
		}
		switch {
		case failed == nil:
			b.learn(keys[i], &asks[i], known[i].Standing)
		case isRefused(failed):
			b.Note(keys[i], asks[i].Key, asks[i].N)
		default:
			b.lost.Add(asks[i].N)
		}
	}
}

func (b *Batch) ask(asks []limit.Ask) ([]Booked, error) {
	if b.doubtful {
		return nil, ErrUnavailable
	}
	known, err := b.store.Book(asks)
	b.doubtful = err != nil
	for i := range known {
		err = cmp.Or(err, known[i].Err)
	}
	b.report(err)
	if b.doubtful {
		return nil, err
	}
	return known, nil
}

// learn takes over what the store knows, and what was taken here while it was asked.
func (b *Batch) learn(key uint64, a *limit.Ask, known limit.Standing) {
	s := &b.shards[key%batchShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := s.taken[a.Key].n
	known.Ahead += time.Duration(pending * (int64(b.o.Policy.Per) / b.o.Policy.Count)) // the product of the first two may be too large
	known.Current += pending
	b.Learn(key, b.At(time.Now()), known)
}
