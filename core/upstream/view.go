package upstream

import (
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/core/balance"
)

// view is the endpoints of an Upstream at one moment, and what chooses among them. It is immutable, so that an exchange needs no lock:
// whatever changes makes a new one.
type view struct {
	endpoints []*Endpoint       // usable or not
	terms     []EndpointOptions // of the endpoints
	picker    *balance.Picker   // its places are those of endpoints
	pins      map[string]int    // places by what sticky cookies call the endpoints; nil without
}

// Update changes the endpoints to those given. One whose address stays keeps its connections and all that is known of it, also when its
// weight, zone or priority changes; exchanges with one that goes are finished. After an error nothing has changed. Any goroutine may call it.
func (u *Upstream) Update(list []EndpointOptions) error {
	u.changing.Lock()
	defer u.changing.Unlock()
	before := u.view.Load()
	reasons := u.reasonsToJoin(before.endpoints, list)
	next := make([]*Endpoint, 0, len(list))
	terms := slices.Clone(list)
	for i, one := range list {
		e, err := u.endpoint(before.endpoints, one, reasons)
		if err != nil {
			return fmt.Errorf("upstream %q: endpoint %q: %w", u.options.Name, one.Address, err)
		}
		next = append(next, e)
		if one.Weight == 0 {
			terms[i].Weight = 1
		}
	}
	if len(list) > 0 && slices.Equal(next, before.endpoints) && slices.Equal(terms, before.terms) {
		return nil
	}
	if err := u.choose(next, terms); err != nil {
		return err
	}
	for _, e := range before.endpoints {
		if !slices.Contains(next, e) {
			e.close()
		}
	}
	u.settle(before.endpoints, next)
	return nil
}

// moved returns where the endpoints at those places of v are in next. Those that have gone are left out.
func (v *view) moved(next *view, places []int) []int {
	kept := places[:0]
	for _, place := range places {
		if now := slices.Index(next.endpoints, v.endpoints[place]); now >= 0 {
			kept = append(kept, now)
		}
	}
	return kept
}

// latest returns the view for another look at the endpoints, with the tried ones' places in it, and changes the choice likewise.
func (u *Upstream) latest(v *view, c *choice, tried []int) (*view, []int) {
	next := u.view.Load()
	if next == v {
		return v, tried
	}
	if c.pinned > 0 {
		c.pinned = int32(slices.Index(next.endpoints, v.endpoints[c.pinned-1])) + 1
	}
	return next, v.moved(next, tried)
}

// all returns the endpoints, whether they are usable or not.
func (u *Upstream) all() []*Endpoint { return u.view.Load().endpoints }

// endpoint returns the one of before that the options are of, or a new one, which begins slowly if there were others before it; one that
// nothing is known of has the reasons not to be used.
func (u *Upstream) endpoint(before []*Endpoint, one EndpointOptions, reasons uint32) (*Endpoint, error) {
	for _, e := range before {
		if e.address == one.Address {
			return e, nil
		}
	}
	e, err := newEndpoint(one, u.options)
	if err != nil {
		return nil, err
	}
	u.guard(e)
	if u.closed {
		e.close()
	}
	u.resume(e, before)
	e.standing, err = u.standingOf(before, one, reasons)
	return e, err
}

// choose makes a view of the endpoints, for the exchanges from now on; the caller holds the lock.
func (u *Upstream) choose(endpoints []*Endpoint, terms []EndpointOptions) error {
	b := &u.options.Balance
	members := make([]balance.Member, len(endpoints))
	for i, e := range endpoints {
		usable := e.usable()
		members[i] = balance.Member{
			Weight: e.standing.weight(terms[i].Weight), Percent: e.percent(usable, b.SlowStart), Priority: terms[i].Priority,
			Away: b.Zone != "" && b.Zone != terms[i].Zone, Out: !usable, New: e.unchecked(), Never: e.drained(),
			Hash: e.hash, Active: &e.active, Latency: &e.latency,
		}
	}
	picker, err := balance.New(balance.Options{Policy: u.options.Policy, Factor: b.HashBalance, Panic: b.Panic, Turn: &u.turn}, members)
	if err != nil {
		return fmt.Errorf("upstream %q: %w", u.options.Name, err)
	}
	u.view.Store(&view{endpoints: endpoints, terms: terms, picker: picker, pins: pins(endpoints)})
	u.keepRising(members)
	if u.care != nil {
		u.care.gate.look()
	}
	return nil
}

// refresh makes a new view after something has changed of an endpoint that matters to the choice. Any goroutine may call it.
func (u *Upstream) refresh() error {
	u.changing.Lock()
	defer u.changing.Unlock()
	v := u.view.Load()
	return u.choose(v.endpoints, v.terms)
}
