package upstream

import (
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/core/balance"
)

// view is the endpoints of an Upstream at one moment, and what chooses among them. It is immutable, so that an exchange needs no lock:
// whatever changes makes a new one.
type view struct {
	endpoints []*Endpoint
	picker    balance.Picker // its places are those of endpoints
}

// Update changes the endpoints to those given. One whose address stays keeps its connections and all that is known of it; exchanges with
// one that goes are finished. After an error nothing has changed. Any goroutine may call it.
func (u *Upstream) Update(list []EndpointOptions) error {
	u.changing.Lock()
	defer u.changing.Unlock()
	before := u.view.Load().endpoints
	next := make([]*Endpoint, 0, len(list))
	for _, one := range list {
		e, err := u.endpoint(before, one)
		if err != nil {
			return fmt.Errorf("upstream %q: endpoint %q: %w", u.options.Name, one.Address, err)
		}
		next = append(next, e)
	}
	if err := u.choose(next); err != nil {
		return err
	}
	for _, e := range before {
		if !slices.Contains(next, e) {
			e.close()
		}
	}
	return nil
}

// endpoint returns the one of before that the options are of, or a new one.
func (u *Upstream) endpoint(before []*Endpoint, one EndpointOptions) (*Endpoint, error) {
	for _, e := range before {
		if e.address == one.Address && e.weight == max(one.Weight, 1) {
			return e, nil
		}
	}
	e, err := newEndpoint(one, u.options)
	if err == nil {
		u.guard(e)
	}
	if err == nil && u.closed {
		e.close()
	}
	return e, err
}

// choose makes a view of the endpoints, for the exchanges from now on; the caller holds the lock.
func (u *Upstream) choose(endpoints []*Endpoint) error {
	members := make([]balance.Member, len(endpoints))
	for i, e := range endpoints {
		members[i] = balance.Member{Weight: e.weight, Active: &e.active}
	}
	picker, err := balance.New(u.options.Policy, members)
	if err != nil {
		return fmt.Errorf("upstream %q: %w", u.options.Name, err)
	}
	u.view.Store(&view{endpoints: endpoints, picker: picker})
	return nil
}

// refresh makes a new view after something has changed of an endpoint that matters to the choice. Any goroutine may call it.
func (u *Upstream) refresh() error {
	u.changing.Lock()
	defer u.changing.Unlock()
	return u.choose(u.view.Load().endpoints)
}
