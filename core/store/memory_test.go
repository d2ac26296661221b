package store

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a store's time in a test.
type clock struct{ now atomic.Int64 }

func (c *clock) pass(d time.Duration) { c.now.Add(int64(d)) }

func newMemory(t testing.TB, entries int, bytes int64) (*Memory, *clock) {
	t.Helper()
	c := &clock{}
	c.now.Store(1000)
	m, err := NewMemory(Options{Entries: entries, Bytes: bytes, Now: c.now.Load})
	if err != nil {
		t.Fatal(err)
	}
	return m, c
}

// get is what key has, "-" if nothing.
func get(m *Memory, key string) string {
	value, found, _ := m.Get(key)
	if !found {
		return "-"
	}
	return value
}

func wantValue(t *testing.T, m *Memory, key, want string) {
	t.Helper()
	if got := get(m, key); got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{0, MinBytes, nil}, {1, MinBytes - 1, nil}, {-1, -1, nil}} {
		if _, err := NewMemory(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	m, err := NewMemory(Options{Entries: 1, Bytes: MinBytes})
	if err != nil {
		t.Fatal(err)
	}
	_ = m.Set("a", "1", time.Hour)
	wantValue(t, m, "a", "1")
}

func TestShards(t *testing.T) {
	for _, tt := range []struct {
		entries int
		bytes   int64
		want    int
	}{{1, 1 << 30, 1}, {1 << 20, MinBytes, 1}, {3000, 1 << 30, 2}, {100_000, 64 << 20, 32}, {1 << 20, 1 << 40, 32}, {1 << 20, 7 << 20, 4}} {
		m, _ := newMemory(t, tt.entries, tt.bytes)
		if got := len(m.shards); got != tt.want {
			t.Errorf("%d entries in %d bytes: %d shards, want %d", tt.entries, tt.bytes, got, tt.want)
		}
	}
}

func TestSetGetDelete(t *testing.T) {
	m, _ := newMemory(t, 100, MinBytes)
	wantValue(t, m, "a", "-")
	key := []byte("a")
	_ = m.Set(string(key), "1", 0)
	_ = m.Set("a", "", 0)
	wantValue(t, m, "a", "")
	if found, _ := m.Delete("a"); !found {
		t.Error("not found to be deleted")
	}
	if found, _ := m.Delete("a"); found {
		t.Error("deleted twice")
	}
	wantValue(t, m, "a", "-")
	if s := m.Stats(); s != (Stats{}) {
		t.Errorf("an empty store has %+v", s)
	}
}

func TestExpiry(t *testing.T) {
	m, c := newMemory(t, 100, MinBytes)
	_ = m.Set("short", "1", time.Second)
	_ = m.Set("long", "2", time.Minute)
	_ = m.Set("ever", "3", 0)
	c.pass(time.Second - 1)
	wantValue(t, m, "short", "1")
	c.pass(1)
	wantValue(t, m, "short", "-")
	if found, _ := m.Delete("short"); found {
		t.Error("what has expired could be deleted")
	}
	if swapped, _ := m.Swap("short", "1", true, "x", 0); swapped {
		t.Error("what has expired could be swapped")
	}
	_ = m.Set("long", "4", 0)
	c.pass(time.Hour)
	wantValue(t, m, "long", "4")
	wantValue(t, m, "ever", "3")
	if s := m.Stats(); s.Entries != 2 || s.Expired != 1 || s.Evicted != 0 {
		t.Errorf("got %+v: a write takes away what has expired", s)
	}
	_ = m.Set("longest", "5", math.MaxInt64)
	c.pass(100 * 365 * 24 * time.Hour)
	wantValue(t, m, "longest", "5")
}

func TestAdd(t *testing.T) {
	m, c := newMemory(t, 100, MinBytes)
	_ = m.Set("text", "many", 0)
	_ = m.Set("seven", "7", 0)
	for _, odd := range []string{"+7", "07", " 7", "-0", "7 ", "", "1e3", "9223372036854775808"} {
		_ = m.Set("odd", odd, 0)
		if _, ok, _ := m.Add("odd", 1, 0); ok {
			t.Errorf("%q is taken for a number", odd)
		}
		wantValue(t, m, "odd", odd)
	}
	tests := []struct {
		key   string
		delta int64
		want  int64
		ok    bool
	}{
		{"new", 5, 5, true}, {"new", -7, -2, true}, {"new", 0, -2, true},
		{"seven", 1, 8, true},
		{"text", 1, 0, false},
		{"max", math.MaxInt64, math.MaxInt64, true}, {"max", 1, 0, false}, {"max", -1, math.MaxInt64 - 1, true},
		{"min", math.MinInt64, math.MinInt64, true}, {"min", -1, 0, false},
	}
	for _, tt := range tests {
		if got, ok, err := m.Add(tt.key, tt.delta, 0); got != tt.want || ok != tt.ok || err != nil {
			t.Errorf("Add(%s, %d) = %d, %v, %v; want %d, %v", tt.key, tt.delta, got, ok, err, tt.want, tt.ok)
		}
	}
	wantValue(t, m, "new", "-2")
	wantValue(t, m, "text", "many")
	_, _, _ = m.Add("count", 1, time.Second)
	c.pass(time.Second / 2)
	_, _, _ = m.Add("count", 1, time.Hour) // which does not keep it longer
	wantValue(t, m, "count", "2")
	c.pass(time.Second / 2)
	if got, _, _ := m.Add("count", 3, 0); got != 3 {
		t.Errorf("a number that has expired is %d, want 3", got)
	}
	c.pass(time.Hour)
	wantValue(t, m, "count", "3")
}

func TestSwap(t *testing.T) {
	m, _ := newMemory(t, 100, MinBytes)
	swap := func(old string, there bool, next string, want bool) {
		t.Helper()
		if got, err := m.Swap("k", old, there, next, 0); got != want || err != nil {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	swap("", true, "x", false)
	swap("", false, "1", true)
	swap("", false, "2", false)
	swap("2", true, "3", false)
	swap("1", true, "4", true)
	if n, _, _ := m.Add("k", 1, 0); n != 5 {
		t.Errorf("got %d, want 5", n)
	}
	swap("5", true, "end", true)
	wantValue(t, m, "k", "end")
}

func TestValuesAreCopies(t *testing.T) {
	m, _ := newMemory(t, 100, MinBytes)
	key, value := []byte("key"), []byte("value")
	set(m, key, value)
	copy(key, "???")
	copy(value, "?????")
	wantValue(t, m, "key", "value")
}

// The least recently used goes first, what has expired before it.
func TestEviction(t *testing.T) {
	m, c := newMemory(t, 4, MinBytes)
	_ = m.Set("a", "1", 0)
	_ = m.Set("dead", "2", time.Second)
	_ = m.Set("b", "3", 0)
	_ = m.Set("c", "4", time.Hour)
	c.pass(time.Second)
	_ = m.Set("d", "5", 0)
	if s := m.Stats(); s.Expired != 1 || s.Evicted != 0 || s.Entries != 4 {
		t.Errorf("got %+v, want the expired one gone and no other", s)
	}
	wantValue(t, m, "a", "1") // and so used it
	_ = m.Set("e", "6", 0)
	wantValue(t, m, "b", "-")
	_, _, _ = m.Add("n", 1, 0)
	wantValue(t, m, "c", "-")
	for _, key := range []string{"d", "a", "e", "n"} {
		if get(m, key) == "-" {
			t.Errorf("%s is gone", key)
		}
	}
}

func TestBytesAreBounded(t *testing.T) {
	m, _ := newMemory(t, 1000, MinBytes)
	big := strings.Repeat("x", 256<<10)
	for i := range 100 {
		_ = m.Set(fmt.Sprint("key", i), big, 0)
		if s := m.Stats(); s.Bytes > MinBytes || s.Entries > 3 {
			t.Fatalf("after %d: %+v", i, s)
		}
	}
	wantValue(t, m, "key99", big)
	wantValue(t, m, "key97", big)
	wantValue(t, m, "key96", "-")
	_ = m.Set("key98", "short", 0)
	_, _, _ = m.Add("key97", 1, 0) // it is no number, and stays
	want := int64(256<<10*2 + len("short") + 3*(len("key99")+overhead))
	if s := m.Stats(); s.Bytes != want {
		t.Errorf("%d bytes, want %d", s.Bytes, want)
	}
	_ = m.Set("huge", strings.Repeat("x", 2*MinBytes), 0)
	if s := m.Stats(); s.Entries != 1 {
		t.Errorf("%d entries beside what is larger than the store", s.Entries-1)
	}
}

// Many goroutines count, set, swap and delete; the counts agree in the end, and the books too.
func TestHammer(t *testing.T) {
	m, c := newMemory(t, 3000, 4<<20)
	const workers, rounds = 8, 4000
	var wait sync.WaitGroup
	var swaps atomic.Int64
	for w := range workers {
		wait.Go(func() {
			for i := range rounds {
				key := fmt.Sprint("k", (i*7+w)%4000)
				_ = m.Set(key, key, time.Duration(i%50+1))
				if v, found, _ := m.Get(key); found && v != key {
					t.Errorf("%s has %q", key, v)
				}
				_, _, _ = m.Add("sum", 1, 0)
				if old := get(m, "word"); old == "-" {
					_, _ = m.Swap("word", "", false, "0", 0)
				} else if ok, _ := m.Swap("word", old, true, fmt.Sprint(len(old), w, i), 0); ok {
					swaps.Add(1)
				}
				if i%3 == 0 {
					_, _ = m.Delete(key)
				}
				c.pass(1)
			}
		})
	}
	wait.Wait()
	wantValue(t, m, "sum", fmt.Sprint(workers*rounds))
	if swaps.Load() == 0 {
		t.Error("nobody could swap")
	}
	for i := range m.shards {
		checkShard(t, &m.shards[i])
	}
}

// checkShard compares a shard's map, ring, heap and sums.
func checkShard(t *testing.T, s *shard) {
	t.Helper()
	var size int64
	ring, ends := 0, 0
	for e := s.recent.next; e != &s.recent; e = e.next {
		ring++
		size += int64(len(e.key)) + overhead + e.size()
		if s.entries[e.key] != e || e.next.before != e {
			t.Errorf("the entry of %s is not where it should be", e.key)
		}
		if (e.end == never) != (e.place == notInHeap) || e.place != notInHeap && s.ends[e.place] != e {
			t.Errorf("%s ends at %d and has place %d", e.key, e.end, e.place)
		}
		if e.place != notInHeap {
			ends++
			if parent := (e.place - 1) / 2; s.ends[parent].end > e.end {
				t.Errorf("the heap is out of order at %d", e.place)
			}
		}
	}
	if ring != len(s.entries) || ends != len(s.ends) || size != s.bytes || s.full() {
		t.Errorf("%d in the ring, %d in the map; %d with an end, %d in the heap; %d bytes, %d counted",
			ring, len(s.entries), ends, len(s.ends), size, s.bytes)
	}
}
