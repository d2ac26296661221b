package filter

import (
	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/limit"
)

// MaxLimits is the most limits that one RateLimit can have.
const MaxLimits = 8

// RateLimitOptions say what is limited and how clients are told.
type RateLimitOptions struct {
	Limits []*Limit // 1 to MaxLimits
	// Store decides on the limits that are shared; nil if none is.
	Store Store
	// Group tells this filter's limits from those of others in the store.
	Group  string
	Legacy bool // tell X-RateLimit fields, too
	Hide   bool // tell nothing but Retry-After
	// Answer puts the answer to a request that is not let through into the response.
	Answer func(x *exchange.Exchange, status int, title, detail string)
}

// Store decides on limits that several gateways share. It may be used by many goroutines at once.
type Store interface {
	// Take takes for all asks at once, or for none if one is denied that is not dry. An error says that the store cannot be had.
	Take(group string, asks []limit.Ask, answers []limit.Decision) error
}

// RateLimit is the native filter that denies requests past limits, with 429 (RFC 6585) and Retry-After, and tells on every answer what is
// left in RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers). A request that one limit denies takes nothing from
// the others.
type RateLimit struct {
	o      RateLimitOptions
	shared bool // some limits are the Store's
	holds  bool // some limits get back what was taken
	told   told
}

// NewRateLimit returns a filter by the options, which are not to be changed any more.
func NewRateLimit(o RateLimitOptions) *RateLimit {
	r := &RateLimit{o: o, told: newTold(o.Limits)}
	for _, l := range o.Limits {
		r.shared = r.shared || l.isShared()
		r.holds = r.holds || l.holds()
	}
	return r
}

// Hooks asks for the request, to decide, for the response, to tell, and for the end if something is to be given back.
func (r *RateLimit) Hooks() chain.Hooks {
	hooks := chain.OnRequest
	if !r.o.Hide {
		hooks |= chain.OnResponse
	}
	if r.holds {
		hooks |= chain.OnEnd
	}
	return hooks
}

// Request takes what the request costs from all limits.
func (r *RateLimit) Request(x *exchange.Exchange, place int) (chain.Verdict, error) {
	var all [MaxLimits]turn
	turns := all[:len(r.o.Limits)]
	state := x.State(place)
	*state = (*state)[:0]
	if !r.prepare(x, turns) {
		x.Code = fault.RateLimited
		r.o.Answer(x, 403, "Forbidden", "the request lacks what a limit of this route goes by")
		return chain.Respond, nil
	}
	denied := r.takeHere(turns)
	if r.shared && !denied {
		denied = r.takeShared(turns)
	}
	if denied {
		r.giveBack(turns)
	}
	r.tally(x, turns, denied)
	if !denied {
		*state = appendTurns(*state, turns)
		return chain.Continue, nil
	}
	r.deny(x, turns)
	return chain.Respond, nil
}

// deny answers a request that one of the turns denies.
func (r *RateLimit) deny(x *exchange.Exchange, turns []turn) {
	wait, failed := int64(1), false
	for i := range turns {
		switch {
		case turns[i].outcome == failing:
			failed = true
			x.Limit = r.o.Limits[i].ID
		case turns[i].denies(r.o.Limits[i]):
			wait = max(wait, seconds(turns[i].decision.RetryAfter))
			if !failed {
				x.Limit = r.o.Limits[i].ID
			}
		}
	}
	x.Code = fault.RateLimited
	if failed {
		x.Code = fault.LimitLost
		r.o.Answer(x, 503, "Service Unavailable", "what counts the requests of this route is not to be had")
	} else {
		r.o.Answer(x, 429, "Too Many Requests", "the limit of this route is used up for now")
	}
	x.Resp.Fields.Add("Retry-After", number(x, wait))
	if !r.o.Hide {
		r.tell(x, turns)
	}
}

// Response tells what was left when the request was let through.
func (r *RateLimit) Response(x *exchange.Exchange, place int) error {
	var all [MaxLimits]turn
	r.tell(x, readTurns(*x.State(place), all[:len(r.o.Limits)]))
	return nil
}

// End is part of chain.Ender: what the exchange held is given back.
func (r *RateLimit) End(x *exchange.Exchange, place int) {
	state := x.State(place)
	var all [MaxLimits]turn
	for i, t := range readTurns(*state, all[:len(r.o.Limits)]) {
		if t.outcome == granted && r.o.Limits[i].holds() {
			r.o.Limits[i].Counter.Give(t.key, t.now, t.n)
		}
	}
	*state = (*state)[:0]
}
