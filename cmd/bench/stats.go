package main

import (
	"slices"
	"time"
)

// round is one proxy under load for some seconds.
type round struct {
	load
	turn int
	cpu  time.Duration // of the proxy and its children
}

// busy is the share of its core that the proxy used while it was under load.
func (r round) busy() float64 {
	return ratio(r.cpu.Seconds(), r.elapsed.Seconds())
}

// cpuPerRequest is in microseconds.
func (r round) cpuPerRequest() float64 {
	return ratio(float64(r.cpu.Nanoseconds())/1e3, float64(r.requests))
}

// perSecond is requests in a second.
func (r round) perSecond() float64 {
	return ratio(float64(r.requests), r.elapsed.Seconds())
}

// result is everything that one proxy's rounds brought.
type result struct {
	name     string
	protocol protocol
	counts   []round // busy enough
	thrown   []round // not busy enough, so their CPU per request says little
}

// add keeps a round, or throws it away when the proxy used less than minBusy of its core: then something else held
// the core or the load was too weak, and CPU per request would tell of that.
func (r *result) add(one round, minBusy float64) {
	if one.busy() < minBusy {
		r.thrown = append(r.thrown, one)
		return
	}
	r.counts = append(r.counts, one)
}

func (r result) medianOf(value func(round) float64) float64 {
	return median(r.valuesOf(value))
}

// rangeOf is the least and the most: how steady the machine was.
func (r result) rangeOf(value func(round) float64) (least, most float64) {
	values := r.valuesOf(value)
	if len(values) == 0 {
		return 0, 0
	}
	return slices.Min(values), slices.Max(values)
}

func (r result) valuesOf(value func(round) float64) []float64 {
	var values []float64
	for _, one := range r.counts {
		values = append(values, value(one))
	}
	return values
}

// ratioTo is the median of the ratios to another result, turn by turn; 0 when they have none in common.
func (r result) ratioTo(other result, value func(round) float64) float64 {
	var ratios []float64
	for _, one := range r.counts {
		for _, its := range other.counts {
			if one.turn == its.turn {
				ratios = append(ratios, ratio(value(one), value(its)))
			}
		}
	}
	return median(ratios)
}

// median is the middle value, or the mean of the two in the middle, or 0 of none.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratio is a/b, or 0 where there is no b.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
