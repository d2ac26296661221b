package upstream

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/core/balance"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/key"
)

// BalanceOptions say how an Upstream picks endpoints beside its policy.
type BalanceOptions struct {
	Hash        []key.Part     // what ring_hash and maglev tell requests apart by; a request that lacks all of it goes anywhere
	HashCookie  *CookieOptions // of a cookie that is one of Hash: it is made where a request lacks it; nil: none is
	HashBalance float64        // how many times its share of the load an endpoint may have by hash; 0: no bound
	Sticky      *CookieOptions // of a cookie that keeps a client with its endpoint; nil: none
	SlowStart   time.Duration  // in which the weight of an endpoint that joins others or comes back rises; 0: it has all at once
	Panic       int            // the percentage of usable endpoints below which all are used; 0: never
	Zone        string         // endpoints in it come first within their priority; "": all zones are the same
}

// BalanceState is how an Upstream picks at one moment.
type BalanceState struct {
	Policy     string
	Zone       string
	Panic      bool   // so few endpoints are usable that all are used
	PanicPicks uint64 // picks so far while that was so
}

// failedLatency is what an exchange that an endpoint has failed counts for: who fails is quick at times, and must not be preferred for it.
const failedLatency = time.Second

// choice is what an exchange has to say about which endpoint it goes to. The zero value has nothing to say.
type choice struct {
	hash   uint64
	made   uint64 // the cookie that was made for it; 0: none
	pinned int32  // the place of the endpoint that its sticky cookie names, and one; 0: none
}

// affinity is how an Upstream keeps requests that belong together with one endpoint.
type affinity struct {
	hash       []key.Part // none: the policy does not go by it
	made       key.Part   // the one that is made where it is missing
	hashCookie *cookie    // nil: none is made
	sticky     *cookie    // nil: none
}

func newAffinity(o Options) (*affinity, error) {
	a := &affinity{}
	if balance.Hashes(o.Policy) {
		a.hash = o.Balance.Hash
		if made := o.Balance.HashCookie; made != nil {
			a.hashCookie = newCookie(*made)
			var err error
			if a.made, err = key.Parse("cookie:" + made.Name); err != nil {
				return nil, err
			}
		}
	}
	if o.Balance.Sticky != nil {
		a.sticky = newCookie(*o.Balance.Sticky)
	}
	if len(a.hash) == 0 && a.sticky == nil {
		return nil, nil
	}
	return a, nil
}

// choice looks at the request.
func (a *affinity) choice(x *exchange.Exchange, v *view) (c choice) {
	if len(a.hash) > 0 {
		c.hash, c.made = a.sum(x)
	}
	if a.sticky == nil {
		return c
	}
	if value, ok := http1.Cookie(&x.Req.Fields, a.sticky.name); ok {
		if place, known := v.pins[value]; known && v.picker.Keeps(place) {
			c.pinned = int32(place) + 1
		}
	}
	return c
}

// sum returns the request's hash, and the cookie that was made for it.
func (a *affinity) sum(x *exchange.Exchange) (sum, made uint64) {
	found := false
	for _, part := range a.hash {
		value, ok := part.Value(x)
		if !ok && a.hashCookie != nil && part == a.made {
			made = rand.Uint64() | 1
			value, ok = cookieText(made), true
		}
		sum, found = balance.Hash(sum, value), found || ok
	}
	if !found {
		sum = rand.Uint64()
	}
	return sum, made
}

// cookieText is the value of a cookie that is made. It need not be a secret: it says nothing, and opens nothing.
func cookieText(made uint64) string { return strconv.FormatUint(made, 36) }

// pick returns the place of an endpoint, one of tried only when there is no other, and -1 when there is none that may be used.
func (u *Upstream) pick(v *view, c *choice, tried []int) int {
	if v.picker.Panics() {
		u.panicPicks.Add(1)
	}
	if pinned := int(c.pinned) - 1; pinned >= 0 && !slices.Contains(tried, pinned) {
		return pinned
	}
	return v.picker.Pick(c.hash, tried)
}

// mark gives the client the cookies that bring it back to the endpoint that has answered.
func (a *affinity) mark(x *exchange.Exchange, e *Endpoint, c *choice) {
	if c.made != 0 {
		x.Resp.Fields.Add("Set-Cookie", a.hashCookie.set(cookieText(c.made)))
	}
	if a.sticky == nil {
		return
	}
	if value, _ := http1.Cookie(&x.Req.Fields, a.sticky.name); value != e.pin {
		x.Resp.Fields.Add("Set-Cookie", a.sticky.set(e.pin))
	}
}

// observe tells the latency of a try that has ended. How long a request with content that is still to come takes says more of its client.
func (e *Endpoint) observe(x *exchange.Exchange, f *fault.Fault) {
	switch {
	case f != nil && f.Side == fault.Upstream, x.Resp.Status >= 502 && x.Resp.Status <= 504:
		e.latency.Observe(failedLatency, time.Now().UnixNano())
	case f == nil && !x.Times.Sent.IsZero() && x.Req.Body.Length >= 0 && x.Req.Body.Length <= int64(len(x.Req.Body.Held)):
		e.latency.Observe(x.Times.Answered.Sub(x.Times.Sent), x.Times.Answered.UnixNano())
	}
}

// Balance returns how endpoints are picked.
func (u *Upstream) Balance() BalanceState {
	return BalanceState{
		Policy: u.options.Policy, Zone: u.options.Balance.Zone,
		Panic: u.view.Load().picker.Panics(), PanicPicks: u.panicPicks.Load(),
	}
}
