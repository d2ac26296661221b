package upstream

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

// maxDraws is how often the picker is asked before the endpoints are looked through.
const maxDraws = 4

// choose sets the place to an endpoint that takes the exchange now: its breaker is not open, and there is room. The first try of an
// exchange may wait for room.
func (a *attempts) choose() *fault.Fault {
	g := a.u.care.gate
	q := ticket{g: g}
	defer q.leave()
	for {
		seen := g.version()
		a.v, a.tried = a.u.latest(a.v, &a.send.choice, a.tried)
		refused := refusals{}
		if a.draw(&refused, q.woken) {
			return nil
		}
		if a.count > 0 || !refused.full {
			return a.refuse(refused)
		}
		if f := q.wait(a.x, a.send.until(), seen); f != nil {
			return f
		}
	}
}

// refusals are why no endpoint takes the exchange.
type refusals struct {
	full, open bool
	until      time.Time // the first open breaker lets somebody try
}

// draw asks the picker, then looks through the endpoints: through those that have not been tried, and at last through all.
func (a *attempts) draw(why *refusals, woken bool) bool {
	avoid := slices.Clone(a.tried)
	for range maxDraws {
		place := a.pick(avoid)
		if place < 0 {
			return false
		}
		if slices.Contains(avoid, place) {
			continue
		}
		if a.enter(place, why, woken) {
			return true
		}
		avoid = append(avoid, place)
	}
	return a.look(avoid, why, woken) || len(a.tried) > 0 && a.look(a.tried[len(a.tried)-1:], why, woken) ||
		len(a.v.endpoints) == 1 && a.look(nil, why, woken)
}

// pick and uses are all that is asked of the view.
func (a *attempts) pick(avoid []int) int { return a.u.pick(a.v, &a.send.choice, avoid) }

func (a *attempts) uses(place int) bool { return a.v.picker.Keeps(place) }

// look takes the first endpoint that takes the exchange, from anywhere on.
func (a *attempts) look(avoid []int, why *refusals, woken bool) bool {
	n := len(a.v.endpoints)
	if n == 0 {
		return false
	}
	start := rand.N(n)
	for i := range n {
		place := (start + i) % n
		if a.uses(place) && !slices.Contains(avoid, place) && a.enter(place, why, woken) {
			return true
		}
	}
	return false
}

// enter takes room at an endpoint for the exchange, which Endpoint.Done gives back. The breaker is asked first: a probe that is given back
// concerns nobody, but room would look to those who wait for it as if somebody had left.
func (a *attempts) enter(place int, why *refusals, woken bool) bool {
	e, g := a.v.endpoints[place], a.u.care.gate
	if b := e.breaker; b != nil {
		era, ok := b.enter(time.Time{})
		if !ok {
			why.isOpen(b.reopens())
			return false
		}
		a.era = era
	}
	if !g.enter(e, woken) {
		if e.breaker != nil {
			e.breaker.note(a.era, nothingSaid, time.Time{})
		}
		why.full = true
		return false
	}
	a.place = place
	return true
}

func (r *refusals) isOpen(until time.Time) {
	r.open = true
	r.until = earlier(r.until, until)
}

// refuse makes a fault of there being nobody who takes the exchange.
func (a *attempts) refuse(why refusals) *fault.Fault {
	switch {
	case why.full:
		return a.u.care.gate.overflow()
	case why.open:
		a.u.unserved.Add(1)
		f := fault.New(fault.Unavailable, fault.Upstream, "circuit open: the upstream has failed too often")
		f.Code, f.RetryAfter = fault.Overflow, max(time.Until(why.until), time.Second)
		return f
	}
	return a.v.nobody()
}

// mayTake reports whether the endpoint would take an exchange, as far as can be seen without taking room.
func (e *Endpoint) mayTake(g *gate) bool {
	if e.breaker != nil && !e.breaker.isClosed() && !e.breaker.mayPass(time.Now()) {
		return false
	}
	return g.hasRoom(e)
}
