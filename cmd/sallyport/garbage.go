package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// largeConfig is how many routes make a reload's garbage worth a thought.
	largeConfig = 1000
	// garbagePerRoute is about what reading and building a route allocates, in bytes.
	garbagePerRoute = 6 << 10
)

// sparingly runs a reload of a config with so many routes with one collection of the heap at its end, instead of several on the way: while
// the collector marks a large heap, exchanges wait for it. The heap grows by no more than it would otherwise, twice what is live, or by what
// the reload allocates. Only one call may run at a time, since the collector's setting is the whole process's.
func sparingly(routes int, reload func()) {
	live := liveHeap()
	if routes < largeConfig || live == 0 {
		reload()
		return
	}
	before := debug.SetGCPercent(-1)
	if before >= 0 {
		debug.SetGCPercent(max(before, int(uint64(routes)*garbagePerRoute*100/live)))
	}
	reload()
	runtime.GC() // before the setting is back, with which exchanges would have to help, the heap being too large
	debug.SetGCPercent(before)
}

// liveHeap returns what the last collection has left, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
