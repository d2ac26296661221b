package store

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// overhead is what an entry costs beside its key and value: itself, its place in map, list and heap.
const overhead = 192

// shard is a part of a Memory, with a lock of its own. Its entries are in a map, in a ring by use, and, if they expire, in a heap
// by time.
type shard struct {
	mu         sync.Mutex
	entries    map[string]*entry
	recent     entry // the ring's knot: next is the entry used last, before it the one used longest ago
	ends       endHeap
	bytes      int64
	maxEntries int
	maxBytes   int64
	expired    int64
	evicted    int64
}

// entry is a key with its value.
type entry struct {
	key          string
	value        string
	number       int64 // in the place of value, if isNumber
	isNumber     bool
	end          int64 // the time at which it expires; never for one that does not
	place        int   // in the heap; notInHeap
	before, next *entry
}

const (
	never     = math.MaxInt64
	notInHeap = -1
	swept     = 8 // expired entries that one write takes away though there is room: more than come, and no long wait
)

func (s *shard) init(entries int, bytes int64) {
	s.entries = make(map[string]*entry)
	s.recent.before, s.recent.next = &s.recent, &s.recent
	s.maxEntries, s.maxBytes = max(entries, 1), bytes
}

// find returns the entry of key, nil if there is none or its time is over.
func (s *shard) find(key string, now int64) *entry {
	e := s.entries[key]
	if e == nil || e.end <= now {
		return nil
	}
	return e
}

// put stores a copy of value.
func (s *shard) put(key, value string, now int64, ttl time.Duration) {
	e := s.place(key, now, ttl)
	s.bytes += int64(len(value)) - e.size()
	e.value, e.isNumber = strings.Clone(value), false
	s.makeRoom(now, e)
}

func (s *shard) putNumber(key string, number int64, now int64, ttl time.Duration) {
	s.setNumber(s.place(key, now, ttl), number)
	s.makeRoom(now, s.recent.next)
}

// setNumber makes the entry's value a number.
func (s *shard) setNumber(e *entry, number int64) {
	s.bytes -= e.size()
	e.value, e.number, e.isNumber = "", number, true
}

// place returns the entry of key, a new one if there is none, as the one used last, with its end by ttl.
func (s *shard) place(key string, now int64, ttl time.Duration) *entry {
	e := s.entries[key]
	if e == nil {
		e = &entry{key: strings.Clone(key), place: notInHeap}
		s.entries[e.key] = e
		s.bytes += int64(len(key)) + overhead
	} else {
		e.unlink()
	}
	s.recent.link(e)
	e.end = never
	if ttl > 0 && int64(ttl) < never-now {
		e.end = now + int64(ttl)
	}
	s.ends.fix(e)
	return e
}

// makeRoom takes away what has expired, and then what was used longest ago, until the rest fits; never what was stored just now.
func (s *shard) makeRoom(now int64, stored *entry) {
	for n := 0; len(s.ends) > 0 && s.ends[0].end <= now && (n < swept || s.full()); n++ {
		s.remove(s.ends[0])
		s.expired++
	}
	for s.full() && s.recent.before != stored {
		s.remove(s.recent.before)
		s.evicted++
	}
}

func (s *shard) full() bool { return len(s.entries) > s.maxEntries || s.bytes > s.maxBytes }

func (s *shard) remove(e *entry) {
	e.unlink()
	e.end = never
	s.ends.fix(e)
	delete(s.entries, e.key)
	s.bytes -= int64(len(e.key)) + overhead + e.size()
}

// touch makes e the one used last.
func (s *shard) touch(e *entry) {
	if s.recent.next == e {
		return
	}
	e.unlink()
	s.recent.link(e)
}

// link puts e behind the knot.
func (knot *entry) link(e *entry) {
	e.before, e.next = knot, knot.next
	knot.next.before = e
	knot.next = e
}

func (e *entry) unlink() {
	e.before.next, e.next.before = e.next, e.before
	e.before, e.next = nil, nil
}

// size is what the value costs: numbers are in the entry.
func (e *entry) size() int64 { return int64(len(e.value)) }

// text returns the value as it is read.
func (e *entry) text() string {
	if e.isNumber {
		return strconv.FormatInt(e.number, 10)
	}
	return e.value
}

// asNumber returns the value as a number, if it is one in the form that text writes.
func (e *entry) asNumber() (int64, bool) {
	if e.isNumber {
		return e.number, true
	}
	n, err := strconv.ParseInt(e.value, 10, 64)
	if err != nil {
		return 0, false
	}
	var room [20]byte
	return n, string(strconv.AppendInt(room[:0], n, 10)) == e.value
}
