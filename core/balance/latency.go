package balance

import (
	"math"
	"sync/atomic"
	"time"
)

// forget is how long it takes until an observation counts for a third.
const forget = 10 * time.Second

// Latency is how long a member takes to answer: a moving average that follows a rise at once and a fall slowly, and that decays when
// nothing is observed, so that a member that was slow is tried again. The zero value knows nothing yet. Many goroutines may use it at once.
type Latency struct {
	// state is the average in nanoseconds as the bits of a float32, and below them when it was as that, in units of 2^20 ns modulo
	// 2^32: in one word, so that neither is ever seen without the other.
	state atomic.Uint64
}

// Observe notes that an exchange took so long; now is in nanoseconds of Unix time.
func (l *Latency) Observe(took time.Duration, now int64) {
	seen := max(float64(took), 1)
	for {
		old := l.state.Load()
		average, age := unpack(old, now)
		if seen <= average {
			if age == 0 {
				return // within the same millisecond: what falls has time, and fewer write
			}
			keep := math.Exp(-float64(age) / float64(forget))
			seen = average*keep + seen*(1-keep)
		}
		if l.state.CompareAndSwap(old, pack(seen, now)) {
			return
		}
		seen = max(float64(took), 1)
	}
}

// At returns the average in nanoseconds as it is now, in nanoseconds of Unix time; 0 when nothing was ever observed.
func (l *Latency) At(now int64) float64 {
	average, age := unpack(l.state.Load(), now)
	if age == 0 {
		return average
	}
	return average * math.Exp(-float64(age)/float64(forget))
}

// TakeOver goes on from what another one has observed.
func (l *Latency) TakeOver(from *Latency) { l.state.Store(from.state.Load()) }

const stampShift = 20

func pack(average float64, now int64) uint64 {
	return uint64(math.Float32bits(float32(average)))<<32 | uint64(uint32(now>>stampShift))
}

// unpack returns the average and how long ago it was that. A clock that was set back makes it new.
func unpack(state uint64, now int64) (average float64, age time.Duration) {
	since := int32(uint32(now>>stampShift) - uint32(state))
	return float64(math.Float32frombits(uint32(state >> 32))), time.Duration(max(since, 0)) << stampShift
}
