package gateway

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/limit"
)

// A gateway by itself has a part of the rate, but not so little that costly requests are denied for good.
func TestPartOfALimitFitsItsCosts(t *testing.T) {
	for _, algorithm := range []string{"gcra", "sliding_window", "quota"} {
		c := config.Limit{Algorithm: algorithm, Count: 10, Per: time.Hour, Burst: 10, Keys: 100, Store: "shared", Cost: config.LimitCost{Default: 1, Max: 8}}
		kept, err := newCounts("l", &c, sharedStore{gateways: 4})
		if err != nil {
			t.Fatal(err)
		}
		now := kept.limiter.At(time.Now())
		take := func(key uint64, n int64) limit.Decision { return kept.limiter.Take(key, now, n) }
		if d := take(7, 8); !d.Allowed {
			t.Errorf("%s: a costly request: %+v", algorithm, d)
		}
		if d := take(7, 1); d.Allowed {
			t.Errorf("%s: one more: %+v", algorithm, d)
		}
	}
}
