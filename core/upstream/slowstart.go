package upstream

import (
	"time"

	"github.com/sallyport/sallyport/core/balance"
)

const (
	// firstPercent of its weight is what an endpoint begins with: enough to see it work.
	firstPercent = 10
	// risingSteps is in how many steps a weight rises, and shortestStep what the least time between two is: each makes a Picker.
	risingSteps  = 20
	shortestStep = 50 * time.Millisecond
)

// percent returns how much of its weight the endpoint has for now: all, unless it has joined others or come back less than a time of slow
// ago. It is called for each new view, with the Upstream's lock held.
func (e *Endpoint) percent(usable bool, slow time.Duration) int {
	if slow <= 0 {
		return 100
	}
	if usable && e.wasOut {
		e.risen = time.Now()
	}
	e.wasOut = !usable
	if e.risen.IsZero() {
		return 100
	}
	age := time.Since(e.risen)
	if age >= slow {
		e.risen = time.Time{}
		return 100
	}
	return max(firstPercent, int(100*age/slow))
}

// keepRising sees to it that there is a next view while the weight of an endpoint rises, and only then; the caller holds the lock.
func (u *Upstream) keepRising(members []balance.Member) {
	rising := false
	for i := range members {
		rising = rising || members[i].Percent < 100 && !members[i].Out
	}
	if u.rising != nil {
		u.rising.Stop()
		u.rising = nil
	}
	if !rising || u.closed {
		return
	}
	u.rising = time.AfterFunc(max(u.options.Balance.SlowStart/risingSteps, shortestStep), func() {
		_ = u.refresh() // an error leaves the weights as they are; the next change of the endpoints will tell it
	})
}
