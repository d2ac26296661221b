package metrics

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// DurationBounds returns where the classes of durations end, each included. Those that OpenTelemetry's conventions advise begin at 5 ms,
// which is longer than most exchanges with a gateway take: they are all here, with finer ones before and coarser ones behind.
func DurationBounds() []time.Duration {
	const us, ms, s = time.Microsecond, time.Millisecond, time.Second
	return []time.Duration{
		100 * us, 250 * us, 500 * us, 1 * ms, 2500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 75 * ms, 100 * ms, 250 * ms, 500 * ms, 750 * ms,
		1 * s, 2500 * ms, 5 * s, 7500 * ms, 10 * s, 30 * s, 60 * s,
	}
}

// OverheadBounds returns where the classes of what the gateway adds end, each included.
func OverheadBounds() []time.Duration {
	const us, ms = time.Microsecond, time.Millisecond
	return []time.Duration{
		10 * us, 25 * us, 50 * us, 100 * us, 250 * us, 500 * us, 1 * ms, 2500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms,
		1000 * ms, 10_000 * ms,
	}
}

// bounds finds the class of a duration.
type bounds struct {
	upTo  []int64
	first [65]uint8 // by the number of bits: the first class that such a duration can be of
}

func newBounds(list []time.Duration) *bounds {
	b := &bounds{}
	for _, d := range list {
		b.upTo = append(b.upTo, int64(d))
	}
	for n := 1; n < len(b.first); n++ {
		least := int64(1) << min(n-1, 62)
		for int(b.first[n]) < len(b.upTo) && b.upTo[b.first[n]] < least {
			b.first[n]++
		}
	}
	return b
}

func (b *bounds) class(d int64) int {
	class := int(b.first[bits.Len64(uint64(d))])
	for class < len(b.upTo) && d > b.upTo[class] {
		class++
	}
	return class
}

// classes is how many a histogram can have: with the sum they fill three cache lines.
const classes = 22

// cell is one shard of a histogram.
type cell struct {
	counts [classes]atomic.Uint64
	sum    atomic.Uint64 // nanoseconds
	_      [8]byte
}

// histogram is how many durations there were of which class.
type histogram struct {
	bounds *bounds
	cells  []cell
}

func newHistogram(b *bounds, shards int) histogram { return histogram{b, make([]cell, shards)} }

// observe takes in a duration; a clock that went back counts as none.
func (h *histogram) observe(shard uint32, d time.Duration) {
	ns := max(int64(d), 0)
	c := &h.cells[shard&uint32(len(h.cells)-1)]
	c.counts[h.bounds.class(ns)].Add(1)
	c.sum.Add(uint64(ns))
}

// Histogram is a picture of durations.
type Histogram struct {
	Counts []uint64      // by class: up to each of the bounds, those below not included; at the end those beyond the last
	Count  uint64        // all of Counts
	Sum    time.Duration // of all durations
}

func (h *histogram) read() Histogram {
	p := Histogram{Counts: make([]uint64, len(h.bounds.upTo)+1)}
	for i := range h.cells {
		c := &h.cells[i]
		for class := range p.Counts {
			n := c.counts[class].Load()
			p.Counts[class] += n
			p.Count += n
		}
		p.Sum += time.Duration(c.sum.Load())
	}
	return p
}

// Add adds what another picture with the same bounds has.
func (p *Histogram) Add(other Histogram) {
	if p.Counts == nil {
		p.Counts = make([]uint64, len(other.Counts))
	}
	for i, n := range other.Counts {
		p.Counts[i] += n
	}
	p.Count += other.Count
	p.Sum += other.Sum
}
