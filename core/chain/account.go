package chain

import (
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// Time has the chain note in x.Took how long each of its filters takes. It costs two looks at the clock for each hook, and is to be
// called before the chain is used.
func (c *Chain) Time() { c.timed = true }

func (c *Chain) request(x *exchange.Exchange, place int) (Verdict, error) {
	if !c.timed {
		return c.steps[place].Filter.Request(x, place)
	}
	defer c.took(x, place, time.Now())
	return c.steps[place].Filter.Request(x, place)
}

func (c *Chain) response(x *exchange.Exchange, place int) error {
	if !c.timed {
		return c.steps[place].Filter.Response(x, place)
	}
	defer c.took(x, place, time.Now())
	return c.steps[place].Filter.Response(x, place)
}

// took adds to what the filter has taken since start.
func (c *Chain) took(x *exchange.Exchange, place int, start time.Time) {
	name := c.steps[place].Name
	for i := range x.Took {
		if x.Took[i].Place == place {
			x.Took[i].Time += time.Since(start)
			return
		}
	}
	x.Took = append(x.Took, exchange.Took{Name: name, Place: place, Time: time.Since(start)})
}

// failed answers in the place of a filter that could not do its work. The first of several is the one of interest.
func (c *Chain) failed(x *exchange.Exchange, place int, err error) {
	if x.Filter == "" {
		x.Filter = c.steps[place].Name
	}
	c.answerWith(x, fault.From(err))
}

// responded notes who has answered. A plugin that answers with an error has refused the request, most likely by a limit if one said no.
func (c *Chain) responded(x *exchange.Exchange, place int) {
	step := &c.steps[place]
	x.Filter, x.By = step.Name, exchange.ByFilter
	if !step.Plugin {
		return
	}
	x.By = exchange.ByPlugin
	switch status := x.Resp.Status; {
	case x.Code != fault.NoCode || status < 400:
	case status == 429 && x.Limit != "":
		x.Code = fault.RateLimited
	default:
		x.Code = fault.PluginRefused
	}
}
