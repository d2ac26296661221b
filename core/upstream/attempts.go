package upstream

import (
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// care is what an Upstream does beyond the plain way of an exchange. One that does nothing has none, so that others pay nothing.
type care struct {
	retry    *retryPolicy
	budget   budget
	gate     *gate // nil: no limits
	breaking bool  // its endpoints have breakers
}

func newCare(o Options) (*care, error) {
	limited := o.Limits != LimitOptions{}
	if o.Retry == nil && o.Breaker == nil && !limited {
		return nil, nil
	}
	policy, err := newRetryPolicy(o.Retries, o.Retry)
	if err != nil {
		return nil, err
	}
	c := &care{retry: policy, breaking: o.Breaker != nil}
	c.budget.percent, c.budget.most, c.budget.lately.slot = policy.Budget, o.Limits.MaxRetries, budgetSlot
	if limited {
		c.gate = &gate{o: o.Limits, shared: o.Protocol != "http/1.1"}
	}
	return c, nil
}

// guard gives a new endpoint what the Upstream's care asks for.
func (u *Upstream) guard(e *Endpoint) {
	if u.care == nil {
		return
	}
	e.gate = u.care.gate
	e.breaker = newBreaker(u.options.Breaker, e.address, u.options.Log)
	e.mux.gate = u.care.gate
}

// attempts is one exchange's way through an Upstream that takes care.
type attempts struct {
	u      *Upstream
	x      *exchange.Exchange
	v      *view
	send   Send
	policy *retryPolicy
	count  int   // retries
	tried  []int // places, of those that are still there
	place  int   // of the endpoint that is tried
	whole  bool  // the content was at hand from the start
	share  share
	era    uint32 // of the breaker that the try is under
}

// doWithCare is Do for an Upstream with a retry policy, limits or breakers.
func (u *Upstream) doWithCare(x *exchange.Exchange, send Send, v *view) *fault.Fault {
	a := attempts{u: u, x: x, v: v, send: send, policy: u.care.retry}
	if f := a.prepare(); f != nil {
		return f
	}
	u.care.budget.begin()
	defer func() { u.care.budget.end(a.share) }()
	for before := (*fault.Fault)(nil); ; {
		f := a.choose()
		switch {
		case f != nil && before != nil:
			return before // it says more than that there is no room for a retry
		case f != nil:
			return f
		}
		f = a.try()
		before = f
		why := a.judge(f)
		if why == final {
			return f
		}
		again, gone := a.again(why)
		if gone != nil {
			return gone
		}
		if !again {
			return a.exhausted(f)
		}
	}
}

// prepare sees to it that content can be sent again, if it is short enough: what is announced is held, what is not is recorded on its
// way, so that a conversation is not held up.
func (a *attempts) prepare() *fault.Fault {
	body, most := &a.x.Req.Body, a.policy.MaxBody
	a.send.Unsafe = a.policy.mayRepeat(a.x.Req.Method)
	a.whole = body.Whole()
	if a.whole || most <= 0 || a.policy.count == 0 || a.x.Req.Upgrade != "" {
		return nil
	}
	switch {
	case body.Length < 0:
		a.send.record = Record(body, most)
	case body.Length <= most && !a.x.Req.Expects:
		return a.hold(body, most)
	}
	return nil
}

// hold waits for all of the content.
func (a *attempts) hold(body *exchange.Body, most int64) *fault.Fault {
	announced := body.Length
	if err := body.Hold(most); err != nil {
		return bodyFault(err)
	}
	if int64(len(body.Held)) != announced {
		return bodyFault(errShort)
	}
	a.whole, a.x.Received = true, announced
	return nil
}

// try sends the exchange to the chosen endpoint.
func (a *attempts) try() *fault.Fault {
	e, send := a.v.endpoints[a.place], a.send
	if d := a.policy.TryTimeout; d > 0 {
		send.Head = earlier(send.Head, time.Now().Add(d))
	}
	ended := false
	defer func() {
		if !ended { // a panic, which ends only the exchange, must not keep room for ever
			a.abandon(e)
		}
	}()
	f := a.u.try(a.x, e, send)
	ended = true
	if b := e.breaker; b != nil {
		b.note(a.era, b.o.effect(f, &a.x.Resp), time.Now())
	}
	return f
}

// abandon gives back what a try has held that did not come to an end.
func (a *attempts) abandon(e *Endpoint) {
	e.Done()
	if e.breaker != nil {
		e.breaker.note(a.era, nothingSaid, time.Now())
	}
}

// judge says why the try is not the last word. What has been sent to the client, be it an early hint, is.
func (a *attempts) judge(f *fault.Fault) reason {
	repeatable := a.send.Unsafe && a.canResend()
	switch {
	case f != nil:
		if a.x.Begun && !f.Retry {
			return final
		}
		return a.policy.ofFault(f, repeatable, isPast(a.send.until()))
	case a.x.Begun || a.x.Resp.Tunnel != nil || !a.canResend():
		return final
	case a.policy.asksAgain(&a.x.Resp, repeatable):
		return answered
	}
	return final
}

// exhausted says of the last try, which was worth another, that it was not the only one. Its end may be an answer.
func (a *attempts) exhausted(f *fault.Fault) *fault.Fault {
	switch {
	case a.count == 0:
	case f == nil:
		a.x.Code = fault.RetriesExhausted
	default:
		f.Code = fault.RetriesExhausted
	}
	return f
}

func (a *attempts) canResend() bool { return a.whole || a.send.record.isWhole() }

// again makes ready for another try, if there may be one; the fault says that the client has gone meanwhile.
func (a *attempts) again(why reason) (bool, *fault.Fault) {
	if a.count >= a.policy.count || !a.hasOther() {
		return false, nil
	}
	pause, ok := a.pauseFor(why)
	if !ok || !a.u.care.budget.take(&a.share, why == unsent) {
		return false, nil
	}
	a.u.retries.Add(1)
	a.count++
	a.tried = append(a.tried, a.place)
	if why == answered {
		a.discard()
	}
	a.send.renew(a.x)
	return true, a.wait(pause)
}

// pauseFor returns how long to wait; false when the client should rather have what there is.
func (a *attempts) pauseFor(why reason) (time.Duration, bool) {
	pause, now := a.policy.pause(a.count+1), time.Now()
	if why == answered {
		if asked, ok := retryAfter(&a.x.Resp, now); ok {
			if asked > a.policy.RetryAfter {
				return 0, false
			}
			pause = max(pause, asked)
		}
	}
	until := a.send.until()
	return pause, until.IsZero() || now.Add(pause).Before(until)
}

// discardTime and maxDiscard bound what is done for a connection whose answer is not wanted.
const (
	discardTime = 50 * time.Millisecond
	maxDiscard  = 16 << 10
)

// discard lets go of the answer. A short one is read, so that its connection can be used again.
func (a *attempts) discard() {
	body := &a.x.Resp.Body
	if !body.Whole() && body.Length <= maxDiscard {
		idle := a.x.Idle
		a.x.Idle = discardTime
		_ = body.Hold(maxDiscard) // it is not wanted: how it ends is of no interest
		a.x.Idle = idle
	}
	a.x.Resp.Reset()
}

// wait waits, unless the client goes.
func (a *attempts) wait(d time.Duration) *fault.Fault {
	for ; d > 0; d -= firstSlice {
		time.Sleep(min(d, firstSlice))
		if d > firstSlice && isGone(a.x) {
			return fault.Wrap(fault.ClientGone, fault.Client, errGone)
		}
	}
	return nil
}

func isGone(x *exchange.Exchange) bool { return x.Client != nil && x.Client.Gone() }

// hasOther reports whether an endpoint that would take the exchange has not been tried, or all there are have been.
func (a *attempts) hasOther() bool {
	free := false
	for i, e := range a.v.endpoints {
		if !a.uses(i) || !e.mayTake(a.u.care.gate) {
			continue
		}
		if i != a.place && !slices.Contains(a.tried, i) {
			return true
		}
		free = true
	}
	return free && a.u.options.Retry != nil
}
