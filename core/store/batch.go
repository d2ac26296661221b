package store

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/limit"
)

const (
	batchShards = 16
	batchSize   = 256 // keys in one operation
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
	stop   chan struct{}
	ended  chan struct{}
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
	b := &Batch{Learner: o.Counter, o: o, store: r, stop: make(chan struct{}), ended: make(chan struct{})}
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

// Lost returns how many units were never told, since there were too many keys.
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

// tell books what was taken since the last time. What could not be told is told the next time.
func (b *Batch) tell() {
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

func (b *Batch) book(asks []limit.Ask, keys []uint64) {
	if len(asks) == 0 {
		return
	}
	known, err := b.store.Book(asks)
	if b.o.Told != nil {
		b.o.Told(err)
	}
	for i := range asks {
		if err != nil {
			b.Note(keys[i], asks[i].Key, asks[i].N)
			continue
		}
		b.learn(keys[i], &asks[i], known[i])
	}
}

// learn takes over what the store knows, and what was taken here while it was asked.
func (b *Batch) learn(key uint64, a *limit.Ask, known limit.Standing) {
	s := &b.shards[key%batchShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := s.taken[a.Key].n
	known.Ahead += time.Duration(pending * int64(b.o.Policy.Per) / b.o.Policy.Count)
	known.Current += pending
	b.Learn(key, b.At(time.Now()), known)
}
