package upstream

import (
	"fmt"
	"math"
	"time"
)

// RateOptions say when an endpoint answers so much worse than the others that it is ejected.
type RateOptions struct {
	Factor      float64 // how many standard deviations below the mean
	MinRequests int     // in one interval, or an endpoint is not looked at
	MinHosts    int     // endpoints with that many, or nobody is
}

// rate is an endpoint's share of tries without a 5xx or worse.
type rate struct {
	of    *standing
	share float64
}

// start begins to compare endpoints, if they are to be.
func (j *ejector) start() {
	if j.options.SuccessRate == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sweep = time.AfterFunc(j.options.Interval, j.compare)
}

func (j *ejector) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sweep != nil {
		j.sweep.Stop()
		j.sweep = nil
	}
}

// compare is the timer's function.
func (j *ejector) compare() {
	rates := j.takeRates()
	limit := j.options.SuccessRate.limit(rates)
	for _, r := range rates {
		if r.share < limit {
			j.eject(r.of, poorRate, fmt.Sprintf("a success rate of %.1f %%, where it must be %.1f %%", 100*r.share, 100*limit))
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sweep != nil {
		j.sweep.Reset(j.options.Interval)
	}
}

// takeRates returns the rates of the endpoints that had enough to do, and begins to count anew.
func (j *ejector) takeRates() []rate {
	var rates []rate
	for _, e := range j.home.all() {
		t := e.standing.tally
		tries, good := t.tries.Swap(0), t.good.Swap(0)
		if tries >= int64(max(j.options.SuccessRate.MinRequests, 1)) {
			rates = append(rates, rate{e.standing, min(float64(good)/float64(tries), 1)}) // a try may be counted between the two
		}
	}
	return rates
}

// limit returns the least rate that will do; 0 when there are too few to compare.
func (o *RateOptions) limit(rates []rate) float64 {
	if len(rates) < max(o.MinHosts, 1) {
		return 0
	}
	mean, variance := 0.0, 0.0
	for _, r := range rates {
		mean += r.share / float64(len(rates))
	}
	for _, r := range rates {
		variance += (r.share - mean) * (r.share - mean) / float64(len(rates))
	}
	return mean - o.Factor*math.Sqrt(variance)
}
