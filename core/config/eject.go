package config

import (
	"math"
	"time"
)

// Eject is the eject table of an upstream.
type Eject struct {
	ConsecutiveErrors int          // 0: any number will do
	SuccessRate       *SuccessRate // nil: endpoints are not compared
	Interval          time.Duration
	BaseTime          time.Duration
	MaxTime           time.Duration
	MaxShare          int // percent
}

// SuccessRate says when an endpoint does so much worse than the others that it is ejected.
type SuccessRate struct {
	Factor      float64 // standard deviations below the mean
	MinRequests int     // of an endpoint in an interval
	MinHosts    int     // endpoints that have them
}

func readEject(v value) *Eject {
	e := &Eject{ConsecutiveErrors: 5, Interval: 10 * time.Second, BaseTime: 30 * time.Second, MaxTime: 300 * time.Second, MaxShare: 10}
	ejectKeys().read(v, e)
	switch {
	case e.MaxTime >= e.BaseTime:
	case v.has("max_time"):
		v.child("max_time").fail("is less than base_time, %s", span(e.BaseTime))
	default:
		v.child("base_time").fail("is more than max_time, %s", span(e.MaxTime))
	}
	if e.ConsecutiveErrors == 0 && e.SuccessRate == nil && v.holdsKeys() {
		v.fail("ejects nobody: set consecutive_errors or success_rate, or leave the table out")
	}
	return e
}

func ejectKeys() keys[Eject] {
	return keys[Eject]{
		{"consecutive_errors", func(v value, e *Eject) { integer(v, &e.ConsecutiveErrors, 0, 10_000) }},
		{"success_rate", func(v value, e *Eject) { e.SuccessRate = readSuccessRate(v) }},
		{"interval", func(v value, e *Eject) { v.duration(&e.Interval, 100*time.Millisecond, longest) }},
		{"base_time", func(v value, e *Eject) { v.duration(&e.BaseTime, 10*time.Millisecond, longest) }},
		{"max_time", func(v value, e *Eject) { v.duration(&e.MaxTime, 10*time.Millisecond, longest) }},
		{"max_share", func(v value, e *Eject) { integer(v, &e.MaxShare, 1, 100) }},
	}
}

func readSuccessRate(v value) *SuccessRate {
	r := &SuccessRate{Factor: 1.9, MinRequests: 100, MinHosts: 5}
	successRateKeys().read(v, r)
	return r
}

func successRateKeys() keys[SuccessRate] {
	return keys[SuccessRate]{
		{"factor", func(v value, r *SuccessRate) { v.decimal(&r.Factor, 0.1, 10) }},
		{"min_requests", func(v value, r *SuccessRate) { integer(v, &r.MinRequests, 1, maxCount) }},
		{"min_hosts", func(v value, r *SuccessRate) { integer(v, &r.MinHosts, 2, 10_000) }},
	}
}

// decimal reads a number, whole or not, from low to high.
func (v value) decimal(dst *float64, low, high float64) {
	n, ok := v.raw.(float64)
	if whole, isWhole := v.raw.(int64); isWhole {
		n, ok = float64(whole), true
	}
	switch {
	case !ok:
		v.wrongType("a number")
	case math.IsNaN(n) || n < low || n > high:
		v.fail("is %v, must be from %v to %v", n, low, high)
	default:
		*dst = n
	}
}
