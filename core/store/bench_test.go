package store

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// set stores bytes as the plugin host does: as strings that are only borrowed.
func set(m *Memory, key, value []byte) {
	_ = m.Set(unsafe.String(unsafe.SliceData(key), len(key)), unsafe.String(unsafe.SliceData(value), len(value)), 0)
}

func filled(b *testing.B) (*Memory, []string) {
	m, err := NewMemory(Options{Entries: 100_000, Bytes: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	keys := make([]string, 1<<15)
	for i := range keys {
		keys[i] = fmt.Sprintf("session:%08x", i*2654435761)
		_ = m.Set(keys[i], strings.Repeat("v", 100), time.Hour)
	}
	b.ReportAllocs()
	b.ResetTimer()
	return m, keys
}

func BenchmarkGet(b *testing.B) {
	m, keys := filled(b)
	for i := 0; b.Loop(); i++ {
		_, _, _ = m.Get(keys[i%len(keys)])
	}
}

func BenchmarkGetOfOne(b *testing.B) {
	m, keys := filled(b)
	for b.Loop() {
		_, _, _ = m.Get(keys[0])
	}
}

func BenchmarkSet(b *testing.B) {
	m, keys := filled(b)
	value := strings.Repeat("w", 100)
	for i := 0; b.Loop(); i++ {
		_ = m.Set(keys[i%len(keys)], value, time.Hour)
	}
}

func BenchmarkAdd(b *testing.B) {
	m, _ := filled(b)
	for b.Loop() {
		_, _, _ = m.Add("count", 1, time.Hour)
	}
}

func BenchmarkGetParallel(b *testing.B) {
	m, keys := filled(b)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			_, _, _ = m.Get(keys[i%len(keys)])
		}
	})
}
