// Package backend is what ends a chain: it forwards the request to an upstream or answers by itself.
package backend

import (
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/filter"
	"github.com/sallyport/sallyport/core/upstream"
)

// Proxy forwards requests to an upstream. It is immutable and shared by all exchanges of its route.
type Proxy struct {
	Upstream *upstream.Upstream
	// Host goes upstream as the request's Host; "" passes on what the client sent.
	Host string
	// UpstreamHost sends the chosen endpoint's own address instead.
	UpstreamHost bool
	// Timeout bounds the exchange up to the response's head, a gRPC call to its end; 0 for none.
	Timeout time.Duration
	// Total bounds the exchange up to the response's last byte; 0 for none. Tunnels are not bounded by it.
	Total time.Duration
	// MaxBody is the most bytes of request content; 0 for no bound.
	MaxBody int64
	// Path changes the path on its way upstream; nil leaves it.
	Path *filter.PathRewrite
}

// Answer sends the request and fills the response; the body may still be on its way.
func (p *Proxy) Answer(x *exchange.Exchange) *fault.Fault {
	if p.Path != nil {
		if f := p.Path.Apply(x); f != nil {
			return f
		}
	}
	send := upstream.Send{Host: p.Host, MaxBody: p.MaxBody}
	if p.Host == "" && !p.UpstreamHost {
		send.Host = x.Req.Host
	}
	if p.Timeout > 0 {
		send.Deadline = x.Times.Start.Add(p.Timeout)
	}
	if p.Total > 0 {
		p.bound(x, &send)
	}
	if isCall(x) {
		if f := boundCall(x, &send); f != nil {
			return f
		}
	}
	return p.Upstream.Do(x, send)
}

// bound bounds the whole exchange, beside its head.
func (p *Proxy) bound(x *exchange.Exchange, send *upstream.Send) {
	end := x.Times.Start.Add(p.Total)
	if send.Deadline.IsZero() || end.Before(send.Deadline) {
		send.Deadline = end
	}
	if !isCall(x) { // whose Deadline is of the whole anyhow
		send.Head, send.Deadline = send.Deadline, end
	}
	send.Whole = true
}
