package gateway

import (
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/upstream"
)

// fetcher lets plugins send requests to an upstream. One that is closed meanwhile still answers.
type fetcher struct {
	upstream *upstream.Upstream
}

// Fetch is part of plugin.Fetcher.
func (f fetcher) Fetch(x *exchange.Exchange, deadline time.Time) *fault.Fault {
	return f.upstream.Do(x, upstream.Send{Host: x.Req.Host, Deadline: deadline, Whole: true})
}
