package telemetry

import (
	"math"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
)

// sampling decides which exchanges get a line. It is immutable.
type sampling struct {
	on      bool
	slow    time.Duration
	shares  [10]float64 // by the first digit of the status
	passing [10]uint64  // of all hashes, those below
}

func newSampling(shares map[int]float64, slow time.Duration) sampling {
	s := sampling{on: len(shares) > 0, slow: slow}
	for class := range s.shares {
		s.shares[class], s.passing[class] = 1, math.MaxUint64
		if share, ok := shares[class]; ok && share < 1 {
			s.shares[class], s.passing[class] = share, uint64(share*(1<<63)*2)
		}
	}
	return s
}

// takes returns whether x gets a line, and the share of those like it that do. What went wrong behind a status that says otherwise
// always gets one.
func (s *sampling) takes(x *exchange.Exchange) (share float64, ok bool) {
	if !s.on {
		return 1, true
	}
	class := min(max(x.Resp.Status/100, 0), 9)
	switch {
	case s.shares[class] >= 1,
		s.slow > 0 && x.Times.End.Sub(x.Times.Start) >= s.slow,
		class < 4 && x.Fault != nil:
		return 1, true
	}
	return s.shares[class], mix(x.Number) < s.passing[class]
}

// mix spreads the numbers of exchanges evenly over 64 bits (the finalizer of SplitMix64): which are taken must not follow from how clients
// take turns.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
