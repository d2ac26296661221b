// Package store keeps values by key for a while, in bounded memory.
package store

import (
	"errors"
	"hash/maphash"
	"math/bits"
	"time"
)

// Options bound a Memory.
type Options struct {
	Entries int   // kept at most, at least 1
	Bytes   int64 // of keys, values and what an entry costs beside them, at least MinBytes
	// Now returns nanoseconds of a clock that is never set back; nil for the process's monotonic clock.
	Now func() int64
}

// MinBytes is the least room that a Memory can be given: that of a few of the largest values a plugin can store.
const MinBytes = 1 << 20

// Each shard has room for so much at least: with less, one shard would be full long before the whole is.
const (
	shardEntries = 1024
	shardBytes   = MinBytes
	maxShards    = 32
)

// Memory keeps values in the process's memory. Room is made, where it is short, by taking away what has expired and then what was used
// least recently among the keys of the same shard. It may be used by many goroutines at once and has none of its own:
// what has expired goes when there is something to write. Its errors are all nil; they stand in the signatures for stores that
// are somewhere else.
type Memory struct {
	now    func() int64
	seed   maphash.Seed
	shards []shard // a power of two of them
}

// NewMemory returns an empty store.
func NewMemory(o Options) (*Memory, error) {
	if o.Entries < 1 || o.Bytes < MinBytes {
		return nil, errors.New("a store needs room for at least one entry and 1 MiB")
	}
	if o.Now == nil {
		born := time.Now()
		o.Now = func() int64 { return int64(time.Since(born)) }
	}
	n := int(min(int64(o.Entries/shardEntries), o.Bytes/shardBytes, maxShards))
	n = 1 << (bits.Len(uint(max(n, 1))) - 1)
	m := &Memory{now: o.Now, seed: maphash.MakeSeed(), shards: make([]shard, n)}
	for i := range m.shards {
		m.shards[i].init(o.Entries/n, o.Bytes/int64(n))
	}
	return m, nil
}

func (m *Memory) shard(key string) *shard {
	return &m.shards[maphash.String(m.seed, key)&uint64(len(m.shards)-1)]
}

// Get returns the value of key, and whether there is one. A number is returned in decimal.
func (m *Memory) Get(key string) (value string, found bool, err error) {
	s, now := m.shard(key), m.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(key, now)
	if e == nil {
		return "", false, nil
	}
	s.touch(e)
	return e.text(), true, nil
}

// Set stores a copy of value for ttl; 0 keeps it for good, as long as there is room.
func (m *Memory) Set(key, value string, ttl time.Duration) error {
	s, now := m.shard(key), m.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(key, value, now, ttl)
	return nil
}

// Delete takes key's value away and reports whether there was one.
func (m *Memory) Delete(key string) (found bool, err error) {
	s, now := m.shard(key), m.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(key, now)
	if e != nil {
		s.remove(e)
	}
	return e != nil, nil
}

// Add adds delta to the number that key has and returns the sum; it reports false, and does nothing, if the value is no number in
// decimal or the sum would not fit. A number that is not there counts as 0 and is kept for ttl; one that is there keeps its time.
func (m *Memory) Add(key string, delta int64, ttl time.Duration) (sum int64, ok bool, err error) {
	s, now := m.shard(key), m.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(key, now)
	if e == nil {
		s.putNumber(key, delta, now, ttl)
		return delta, true, nil
	}
	s.touch(e)
	n, ok := e.asNumber()
	sum = n + delta
	if !ok || (sum > n) != (delta > 0) && delta != 0 {
		return 0, false, nil
	}
	s.setNumber(e, sum)
	return sum, true, nil
}

// Swap stores a copy of next for ttl, as Set does, if the value of key is old, or if there is none and there is false. It reports
// whether it did.
func (m *Memory) Swap(key, old string, there bool, next string, ttl time.Duration) (swapped bool, err error) {
	s, now := m.shard(key), m.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(key, now)
	if (e != nil) != there || e != nil && e.text() != old {
		return false, nil
	}
	s.put(key, next, now, ttl)
	return true, nil
}

// Stats are a store's size and what became of entries that nobody deleted.
type Stats struct {
	Entries int
	Bytes   int64
	Expired int64 // taken away since their time was over
	Evicted int64 // taken away to make room
}

// Stats returns what the store holds, entries included that have expired and were not taken away yet.
func (m *Memory) Stats() Stats {
	var all Stats
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		all.Entries += len(s.entries)
		all.Bytes += s.bytes
		all.Expired += s.expired
		all.Evicted += s.evicted
		s.mu.Unlock()
	}
	return all
}
