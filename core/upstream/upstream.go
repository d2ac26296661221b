// Package upstream sends exchanges to the endpoints of a named group of servers: it picks one, connects, retries
// and brings the answer back.
package upstream

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/balance"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

// Options say what an Upstream is. Of durations and of HeadLimits.URI, 0 is no bound.
type Options struct {
	Name            string
	Endpoints       []EndpointOptions
	Policy          string        // of core/balance
	ConnectTimeout  time.Duration // for one endpoint
	ResponseTimeout time.Duration // from the request wholly sent to the response's head; also bounds a write that stalls
	IdleTimeout     time.Duration // how long a connection is kept unused
	MaxIdle         int           // unused connections kept per endpoint
	Retries         int           // further endpoints tried when the request can be replayed
	HeadLimits      http1.Limits  // of responses; 0 stands for 64 KiB and 1 000 fields
	Protocol        string        // "http/1.1", also when empty, "h2" over TLS, or "h2c": HTTP/2 without TLS and without asking
	TLS             *TLSOptions   // nil: none
	Balance         BalanceOptions

	// Health and its like are about which endpoints are well: see standing.go.
	Health *HealthOptions // nil: endpoints are not checked
	Eject  *EjectOptions  // nil: endpoints are not ejected
	Former *Upstream      // what it knows of endpoints that stay is taken over; nil: none. It is not kept
	Log    *slog.Logger   // is told when an endpoint's standing or its breaker changes; nil: nobody is

	// Beyond Retries, what keeps failures small. All are off when they are nil or zero.
	Retry   *RetryOptions
	Limits  LimitOptions
	Breaker *BreakerOptions
}

// EndpointOptions are one server.
type EndpointOptions struct {
	Address string // host:port, where the host may be a name, or unix: and the path of a socket
	Weight  int    // its share of the exchanges; 0 stands for 1

	Zone     string // where it is; "": not known
	Priority int    // 0 first; others when those of lower numbers cannot take all
}

// What a response head may have when Options say nothing of it.
const (
	defaultHead   = 64 << 10
	defaultFields = 1000
)

// Upstream is a named group of servers that can each answer. Many goroutines may use it at once.
type Upstream struct {
	options   Options
	transport Transport
	view      atomic.Pointer[view]
	changing  sync.Mutex // held by whoever makes the next view
	closed    bool       // guarded by changing

	affinity   *affinity // nil: none
	timed      bool      // the policy goes by latencies
	turn       balance.Turn
	rising     *time.Timer // makes the next view while an endpoint's weight rises; nil: none does; guarded by changing
	panicPicks atomic.Uint64
	checker    *checker          // nil: endpoints are not checked
	ejector    *ejector          // nil: endpoints are not ejected
	inherited  map[string]legacy // of the Former, by address, until there are endpoints; guarded by changing
	care       *care             // nil: none is taken
	retries    atomic.Uint64
	unserved   atomic.Uint64 // for open breakers
}

// Transport carries one exchange to one endpoint.
type Transport interface {
	// RoundTrip sends x.Req and fills x.Resp. Without a fault it calls e.Done once, when the response's body or tunnel is
	// closed (for an answer without either: before it returns). With a fault it calls nothing, leaves nothing of its own
	// behind, and has set Retry when another endpoint may be tried.
	RoundTrip(x *exchange.Exchange, e *Endpoint, send Send) *fault.Fault
}

// Send is what holds for one exchange beyond its request.
type Send struct {
	Host     string    // the Host field to send; "" stands for the endpoint's address, "localhost" where that is a socket's
	Deadline time.Time // by which the response's head must be there; zero: no bound
	Whole    bool      // the Deadline is for the response's last byte, too
	Unsafe   bool      // the request may be sent again although its method is not idempotent
	MaxBody  int64     // bytes of request content; 0: no bound
	// ClientsDeadline says that the Deadline is what the client has asked for: that it passes says nothing about the endpoint.
	ClientsDeadline bool
	Head            time.Time // an earlier bound for the response's head alone; zero: none

	choice choice     // what the exchange has to say about its endpoint
	record *Recording // of the content; nil: none
}

// until returns when the response's head must be there; zero: no bound.
func (s *Send) until() time.Time {
	if s.Head.IsZero() {
		return s.Deadline
	}
	return earlier(s.Deadline, s.Head)
}

// New returns an Upstream; it connects only when there is something to send.
func New(o Options) (*Upstream, error) {
	u := &Upstream{}
	former, err := o.Former, error(nil)
	o.Former = nil
	if u.transport, err = newTransport(&o); err != nil {
		return nil, fmt.Errorf("upstream %q: %w", o.Name, err)
	}
	if u.affinity, err = newAffinity(o); err != nil {
		return nil, fmt.Errorf("upstream %q: %w", o.Name, err)
	}
	if u.care, err = newCare(o); err != nil {
		return nil, fmt.Errorf("upstream %q: %w", o.Name, err)
	}
	u.options, u.timed = o, o.Policy == "ewma"
	u.view.Store(&view{})
	if err := u.watchOver(former); err != nil {
		return nil, fmt.Errorf("upstream %q: %w", o.Name, err)
	}
	if err := u.Update(o.Endpoints); err != nil {
		return nil, err
	}
	if u.ejector != nil {
		u.ejector.start()
	}
	return u, nil
}

// newTransport also fills in the protocol that an empty one stands for.
func newTransport(o *Options) (Transport, error) {
	switch {
	case o.Protocol == "" || o.Protocol == "http/1.1":
		o.Protocol = "http/1.1"
		return newHTTP1(*o), nil
	case o.Protocol == "h2" && o.TLS == nil:
		return nil, errNoTLS
	case o.Protocol == "h2c" && o.TLS != nil:
		return nil, errTLS
	case o.Protocol == "h2", o.Protocol == "h2c":
		return newHTTP2(*o), nil
	}
	return nil, fmt.Errorf("no protocol %q", o.Protocol)
}

// Do answers x from one of the endpoints. Without a fault x.Resp is filled and must be closed; with one it is empty.
// Either way x.Upstream, x.Endpoint, x.Tries and x.Times say how it went, and after a fault nothing uses x any more.
func (u *Upstream) Do(x *exchange.Exchange, send Send) *fault.Fault {
	x.Upstream = u.options.Name
	if f := checkBody(&x.Req.Body, send.MaxBody); f != nil {
		return f
	}
	x.Received = int64(len(x.Req.Body.Held))
	v := u.view.Load()
	if u.affinity != nil {
		send.choice = u.affinity.choice(x, v)
	}
	if u.care != nil {
		return u.doWithCare(x, send, v)
	}
	var tried []int
	for left := u.options.Retries; ; left-- {
		place := u.pick(v, &send.choice, tried)
		if place < 0 {
			return v.nobody()
		}
		f := u.try(x, v.endpoints[place], send)
		if f == nil || !f.Retry || left <= 0 || isPast(send.until()) || len(v.endpoints) == 1 {
			return exhausted(x, f)
		}
		u.retries.Add(1)
		v, tried = u.latest(v, &send.choice, append(tried, place))
	}
}

// exhausted says of the last try's fault that it was not the only one.
func exhausted(x *exchange.Exchange, f *fault.Fault) *fault.Fault {
	if f != nil && f.Retry && x.Tries > 1 {
		f.Code = fault.RetriesExhausted
	}
	return f
}

// try sends x to one endpoint, which counts it in flight until Done.
func (u *Upstream) try(x *exchange.Exchange, e *Endpoint, send Send) *fault.Fault {
	x.Endpoint = e.address
	x.Tries++
	e.requests.Add(1)
	e.active.Add(1)
	x.Resp.Reset()
	span := u.beginTrySpan(x)
	f := u.transport.RoundTrip(x, e, send)
	if span > 0 {
		u.endTrySpan(x, e, span, outcomeOf(f, x.Resp.Status, &send), f)
	}
	if u.timed {
		e.observe(x, f)
	}
	e.note(f, x.Resp.Status, &send)
	if f == nil {
		x.Answer = x.Resp.Status
		if u.affinity != nil {
			u.affinity.mark(x, e, &send.choice)
		}
		return nil
	}
	x.Answer = 0
	x.Resp.Reset()
	e.Done()
	if f.Side == fault.Upstream {
		e.failures.Add(1)
	}
	return f
}

// checkBody refuses a body that is known to be too large before anything is sent.
func checkBody(body *exchange.Body, most int64) *fault.Fault {
	if most > 0 && max(body.Length, int64(len(body.Held))) > most {
		return tooLarge()
	}
	return nil
}

func tooLarge() *fault.Fault {
	return fault.New(fault.BodyTooLarge, fault.Client, "request body too large")
}

func isPast(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}

// Close closes the connections that are not in use now, and each other one when its exchange ends. Exchanges that
// still come are served on connections of their own.
func (u *Upstream) Close() {
	u.changing.Lock()
	defer u.changing.Unlock()
	u.closed = true
	if u.rising != nil {
		u.rising.Stop()
	}
	for _, e := range u.all() {
		e.close()
		e.standing.stop()
	}
	if u.ejector != nil {
		u.ejector.stop()
	}
}

// Endpoints returns how the endpoints are doing, in the order that they were last given in.
func (u *Upstream) Endpoints() []EndpointState {
	v := u.view.Load()
	states := make([]EndpointState, len(v.endpoints))
	for i, e := range v.endpoints {
		states[i] = e.state()
		states[i].Given, states[i].Zone, states[i].Priority = v.terms[i].Weight, v.terms[i].Zone, v.terms[i].Priority
		states[i].Weight = e.standing.weight(v.terms[i].Weight)
		states[i].Effective = v.picker.Weight(i)
	}
	return states
}
