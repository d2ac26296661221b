// Package chain runs a route's filters: up in order with the request, back in reverse with the response.
package chain

import (
	"fmt"
	"math/bits"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// MaxSteps is the most filters that one chain may have.
const MaxSteps = 64

// Verdict is what a filter says of a request.
type Verdict uint8

// The verdicts.
const (
	Continue Verdict = iota
	Respond          // the answer is in Resp: the rest of the chain and the backend are left out
)

// Hooks says at which moments a filter wants to be called; one it does not ask for costs nothing.
type Hooks uint8

// The hooks.
const (
	OnRequest Hooks = 1 << iota
	OnResponse
	OnEnd // the filter is an Ender
)

// Filter is one step of a chain. A Filter is shared by all exchanges of its routes and keeps nothing of them: what
// it must remember from request to response goes into x.State(place), place being its place in the chain.
type Filter interface {
	// Hooks is asked once, when the chain is compiled.
	Hooks() Hooks
	// Request may change the request, or fill the response and say Respond. After an error everything is as before
	// the call.
	Request(x *exchange.Exchange, place int) (Verdict, error)
	// Response may change or replace the response. After an error everything is as before the call.
	Response(x *exchange.Exchange, place int) error
}

// Ender is a Filter that asks for OnEnd.
type Ender interface {
	// End is called once for each exchange that came to the filter, when its last byte has been sent or never will be.
	End(x *exchange.Exchange, place int)
}

// OnError says what happens when a filter fails.
type OnError uint8

// The answers to a filter's failure.
const (
	Deny OnError = iota // the client gets the fault's status, by default 503
	Skip                // as if the filter were not there
)

// Step is a filter at its place in a chain. Name is for logs and errors.
type Step struct {
	Name    string
	Filter  Filter
	OnError OnError
	Plugin  bool // it is a plugin's
}

// Chain is the compiled, ordered filters of a route. It is immutable and shared by all exchanges.
type Chain struct {
	steps      []Step
	requests   uint64 // one bit for each step with that hook
	responses  uint64
	ends       uint64
	answerWith func(*exchange.Exchange, *fault.Fault)
	timed      bool
}

// Compile makes a chain. answerWith puts a fault's answer into the response.
func Compile(steps []Step, answerWith func(*exchange.Exchange, *fault.Fault)) (*Chain, error) {
	if len(steps) > MaxSteps {
		return nil, fmt.Errorf("%d filters, at most %d are possible", len(steps), MaxSteps)
	}
	c := &Chain{steps: steps, answerWith: answerWith}
	for i, step := range steps {
		hooks := step.Filter.Hooks()
		if hooks&OnRequest != 0 {
			c.requests |= 1 << i
		}
		if hooks&OnResponse != 0 {
			c.responses |= 1 << i
		}
		if _, isEnder := step.Filter.(Ender); isEnder && hooks&OnEnd != 0 {
			c.ends |= 1 << i
		}
	}
	return c, nil
}

// Steps returns the chain's steps in order, not to be changed.
func (c *Chain) Steps() []Step { return c.steps }

// Request runs the request hooks in order until one responds. It says Respond when the answer is in x.Resp.
func (c *Chain) Request(x *exchange.Exchange) Verdict {
	for i := range c.steps {
		bit := uint64(1) << i
		if c.requests&bit == 0 {
			x.Ran |= bit
			continue
		}
		verdict, err := c.request(x, i)
		switch {
		case err != nil && c.skips(i, err):
			continue
		case err != nil:
			c.failed(x, i, err)
			return Respond
		case verdict == Respond:
			x.Answered = bit
			c.responded(x, i)
			return Respond
		}
		x.Ran |= bit
	}
	return Continue
}

// Response runs the response hooks, in reverse, of the filters that let the request pass. A failing one's answer
// takes the response's place and goes through the rest.
func (c *Chain) Response(x *exchange.Exchange) {
	for left := x.Ran & c.responses; left != 0; {
		i := bits.Len64(left) - 1
		left &^= 1 << i
		err := c.response(x, i)
		if err != nil && !c.skips(i, err) {
			c.failed(x, i, err)
		}
	}
}

// skips reports whether a step's error is passed over: only a failure of its own can be. Content that client or upstream did not bring
// as it should is gone, whoever asked for it.
func (c *Chain) skips(i int, err error) bool {
	side := fault.From(err).Side
	return c.steps[i].OnError == Skip && side != fault.Client && side != fault.Upstream
}

// HasEnd reports whether a filter wants to hear of the exchange's end.
func (c *Chain) HasEnd() bool { return c.ends != 0 }

// End tells the filters that let the request pass, and the one that responded, in reverse.
func (c *Chain) End(x *exchange.Exchange) {
	c.end(x, (x.Ran|x.Answered)&c.ends)
}

// end tells those that are left. A panic of one does not keep it from the others, which may have something to give back.
func (c *Chain) end(x *exchange.Exchange, left uint64) {
	if left == 0 {
		return
	}
	i := bits.Len64(left) - 1
	defer c.end(x, left&^(1<<i))
	c.steps[i].Filter.(Ender).End(x, i)
}
