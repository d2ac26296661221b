package upstream

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/balance"
)

// Endpoint is one server of an Upstream.
type Endpoint struct {
	address string
	network string      // "tcp" or "unix"
	target  string      // what is dialled: host:port, or the socket's path
	host    string      // for the Host field when nothing else is to be sent
	tls     *tls.Config // nil: none

	active   atomic.Int64 // exchanges in flight
	requests atomic.Uint64
	failures atomic.Uint64

	idle pool // of HTTP/1.1
	mux  mux  // of HTTP/2

	hash    uint64          // where ring_hash and maglev place it
	pin     string          // what sticky cookies call it; "" without
	latency balance.Latency // only ewma feeds it
	risen   time.Time       // since when its weight rises; zero: it does not; guarded by Upstream.changing
	wasOut  bool            // it was not usable in the view before; guarded likewise

	standing *standing // whether it may get exchanges; those of the same address share one
	gate     *gate     // nil: no limits
	entered  int       // exchanges that have passed the gate; guarded by it
	breaker  *breaker  // nil: none
}

// EndpointState is how an endpoint is doing at one moment.
type EndpointState struct {
	Address  string
	Weight   int    // what the operator says, else what it was given with
	Active   int64  // exchanges in flight, up to the end of their bodies
	Idle     int    // connections kept for reuse, of HTTP/2 those without an exchange
	Requests uint64 // tries so far
	Failures uint64 // tries that the endpoint is to blame for

	Zone      string
	Priority  int
	Effective float64 // what Weight comes to for now: 0 when the endpoint is not picked unless others have been tried in vain
	Standing  StandingState
	Breaker   string // "closed", "open", "half_open"; "" without one
	Opened    uint64 // how often the breaker has opened
	Given     int    // the weight that it was given with
}

// unixPrefix begins the address of a Unix socket.
const unixPrefix = "unix:"

func newEndpoint(one EndpointOptions, o Options) (*Endpoint, error) {
	e := &Endpoint{address: one.Address, network: "tcp", target: one.Address, host: one.Address}
	e.hash = balance.Hash(0, one.Address)
	if o.Balance.Sticky != nil {
		e.pin = pinOf(o.Name, one.Address)
	}
	name := "localhost"
	if path, ok := strings.CutPrefix(one.Address, unixPrefix); ok {
		if path == "" {
			return nil, errors.New("a Unix socket needs a path")
		}
		e.network, e.target, e.host = "unix", path, name
	} else {
		host, port, err := net.SplitHostPort(one.Address)
		switch {
		case err != nil:
			return nil, err
		case host == "" || port == "":
			return nil, errors.New("want host:port")
		}
		name = host
	}
	if o.TLS != nil {
		e.tls = o.TLS.config(name, o.Protocol)
	}
	e.idle.max, e.idle.timeout = o.MaxIdle, o.IdleTimeout
	return e, nil
}

// Address returns the endpoint's host:port, or unix: and a path.
func (e *Endpoint) Address() string { return e.address }

// Done ends the count of one exchange in flight. A Transport calls it when the response has been read or given up.
func (e *Endpoint) Done() {
	e.active.Add(-1)
	if e.gate != nil {
		e.gate.leave(e)
	}
}

// close lets go of the connections that are not in use, and of the others as soon as they are not.
func (e *Endpoint) close() {
	e.idle.close()
	e.mux.close()
}

func (e *Endpoint) state() EndpointState {
	s := EndpointState{
		Address: e.address, Active: e.active.Load(), Idle: e.idle.len() + e.mux.unused(),
		Requests: e.requests.Load(), Failures: e.failures.Load(),
		Standing: e.standing.state(),
	}
	if e.breaker != nil {
		s.Breaker, s.Opened = breakerName(e.breaker.state.Load()), e.breaker.opens.Load()
	}
	return s
}
