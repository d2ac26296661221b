package upstream

import (
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

// watchOver sets up what finds out how endpoints do, and takes over what a former Upstream has found out.
func (u *Upstream) watchOver(former *Upstream) (err error) {
	if u.checker, err = newChecker(u.options.Health, u.options); err != nil {
		return err
	}
	if u.ejector, err = newEjector(u, u.options.Eject); err != nil {
		return err
	}
	return u.inherit(former)
}

// legacy is what a former Upstream of the name knew of one of its endpoints.
type legacy struct {
	standing *standing // a copy, not started
	endpoint *Endpoint
	risen    time.Time // of the endpoint
	wasOut   bool      // likewise
}

// inherit takes over what the former Upstream of the name knows of its endpoints, for those that will be among our own.
func (u *Upstream) inherit(former *Upstream) error {
	if former == nil {
		return nil
	}
	former.changing.Lock()
	defer former.changing.Unlock()
	u.inherited = map[string]legacy{}
	for _, e := range former.all() {
		s, err := e.standing.inherit(u)
		if err != nil {
			return err
		}
		u.inherited[e.address] = legacy{s, e, e.risen, e.wasOut}
	}
	return nil
}

// resume has a new endpoint go on from what is known of it: its weight from where it had risen to, its breaker from its state. One that
// nothing is known of begins slowly if there were others before it.
func (u *Upstream) resume(e *Endpoint, before []*Endpoint) {
	if u.options.Balance.SlowStart > 0 && len(before)+len(u.inherited) > 0 {
		e.risen = time.Now()
	}
	if old, known := u.inherited[e.address]; known {
		e.risen, e.wasOut = old.risen, old.wasOut
		e.latency.TakeOver(&old.endpoint.latency)
		e.breaker.takeOver(old.endpoint.breaker)
	}
}

// TakeDrains has the operator's word on endpoints be what it is with a former Upstream of the name. New does so by itself; this is for an
// Upstream that is used again.
func (u *Upstream) TakeDrains(former *Upstream) {
	before := map[string]*standing{}
	for _, e := range former.all() {
		before[e.address] = e.standing
	}
	for _, e := range u.all() {
		if old := before[e.address]; old != nil {
			e.standing.weigh(old.word())
			e.standing.drain(old.reasons.Load()&reasonDrained != 0)
		}
	}
	_ = u.refresh() // an error leaves the weights as they are; the next change of the endpoints will tell it
}

// known returns the standing of an address, nil if there is none.
func (u *Upstream) known(before []*Endpoint, address string) *standing {
	for _, e := range before {
		if e.address == address {
			return e.standing
		}
	}
	return u.inherited[address].standing
}

// standingOf returns what is known of an endpoint, or a new standing that has the reasons.
func (u *Upstream) standingOf(before []*Endpoint, one EndpointOptions, reasons uint32) (*standing, error) {
	if s := u.known(before, one.Address); s != nil {
		return s, nil
	}
	return newStanding(u, one, reasons)
}

// reasonsToJoin returns what those of the list that are new begin with: they wait for a check while others can serve.
func (u *Upstream) reasonsToJoin(before []*Endpoint, list []EndpointOptions) uint32 {
	if u.checker == nil {
		return 0
	}
	for _, one := range list {
		if s := u.known(before, one.Address); s != nil && s.reasons.Load() == 0 {
			return reasonUnchecked
		}
	}
	return 0
}

// settle starts what the new endpoints need and stops what those that have gone needed; the caller holds the lock.
func (u *Upstream) settle(before, next []*Endpoint) {
	for _, e := range before {
		if !slices.ContainsFunc(next, func(other *Endpoint) bool { return other.standing == e.standing }) {
			e.standing.stop()
		}
	}
	if !u.closed {
		for _, e := range next {
			e.standing.start()
		}
	}
	if len(next) > 0 {
		u.inherited = nil // those that are not needed have never been started
	}
}

// nobody is the fault of an exchange that there is no endpoint for.
func (v *view) nobody() *fault.Fault {
	if len(v.endpoints) == 0 {
		return fault.New(fault.Unavailable, fault.Upstream, "no endpoint")
	}
	return fault.New(fault.Unavailable, fault.Upstream, "no usable endpoint")
}
