package upstream

import "sync/atomic"

// Endpoint is one server of an Upstream.
type Endpoint struct {
	address string
	weight  int

	active   atomic.Int64 // exchanges in flight
	requests atomic.Uint64
	failures atomic.Uint64

	idle pool
}

// EndpointState is how an endpoint is doing at one moment.
type EndpointState struct {
	Address  string
	Weight   int
	Active   int64  // exchanges in flight, up to the end of their bodies
	Idle     int    // connections kept for reuse
	Requests uint64 // tries so far
	Failures uint64 // tries that the endpoint is to blame for
}

func newEndpoint(one EndpointOptions, o Options) *Endpoint {
	e := &Endpoint{address: one.Address, weight: one.Weight}
	if e.weight == 0 {
		e.weight = 1
	}
	e.idle.max, e.idle.timeout = o.MaxIdle, o.IdleTimeout
	return e
}

// Address returns the endpoint's host:port.
func (e *Endpoint) Address() string { return e.address }

// Done ends the count of one exchange in flight. A Transport calls it when the response has been read or given up.
func (e *Endpoint) Done() { e.active.Add(-1) }

func (e *Endpoint) state() EndpointState {
	return EndpointState{
		Address: e.address, Weight: e.weight, Active: e.active.Load(), Idle: e.idle.len(),
		Requests: e.requests.Load(), Failures: e.failures.Load(),
	}
}
