package plugin

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// filter is a pool at a place in gateway.toml.
type filter struct {
	pool  *Pool
	where string
}

// Filter returns the pool as a step of a chain. Many filters may share a pool; where tells them apart in the log.
func (p *Pool) Filter(where string) chain.Filter { return &filter{p, where} }

// Hooks returns what the plugin asked for when it was configured.
func (f *filter) Hooks() chain.Hooks {
	var wants chain.Hooks
	if f.pool.wants&abi.HookRequest != 0 {
		wants |= chain.OnRequest
	}
	if f.pool.wants&abi.HookResponse != 0 {
		wants |= chain.OnResponse
	}
	if f.pool.wants&abi.HookEnd != 0 {
		wants |= chain.OnEnd
	}
	return wants
}

// Request runs on_request in whatever instance is idle. The body is waited for before an instance is taken: a slow client holds none.
func (f *filter) Request(x *exchange.Exchange, place int) (chain.Verdict, error) {
	if f.pool.wants&abi.HookRequestBody != 0 {
		if err := f.hold(&x.Req.Body, fault.BodyTooLarge, fault.Client); err != nil {
			return chain.Continue, err
		}
	}
	result, err := f.run(onRequest, x, place)
	if err == nil && result == abi.ResultRespond {
		return chain.Respond, nil
	}
	return chain.Continue, err
}

// Response runs on_response in whatever instance is idle.
func (f *filter) Response(x *exchange.Exchange, place int) error {
	if f.pool.wants&abi.HookResponseBody != 0 && x.Resp.Tunnel == nil {
		if err := f.hold(&x.Resp.Body, fault.BadGateway, fault.Upstream); err != nil {
			return err
		}
	}
	_, err := f.run(onResponse, x, place)
	return err
}

// End runs on_end in whatever instance is idle. Its failure is logged; there is nothing left that it could change.
func (f *filter) End(x *exchange.Exchange, place int) { _, _ = f.run(onEnd, x, place) }

// hold waits for the whole of a body. One that is too large, or that does not come, is its sender's fault.
func (f *filter) hold(b *exchange.Body, tooLarge fault.Kind, side fault.Side) error {
	err := b.Hold(f.pool.plugin.limits.BufferLimit)
	var known *fault.Fault
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, exchange.ErrTooLarge):
		return &fault.Fault{Kind: tooLarge, Side: side, Reason: "the content is larger than can be examined", Err: err}
	}
	return fault.Wrap(tooLarge, side, err)
}

// run runs a hook, and once more in a fresh instance if the first one's past may be to blame.
func (f *filter) run(h hook, x *exchange.Exchange, place int) (int32, error) {
	i, err := f.pool.lease()
	for try := 0; ; try++ {
		if err != nil {
			return 0, f.unavailable(x, err)
		}
		result, failure := i.run(h, x, place)
		if failure == nil {
			f.pool.give(i)
			return result, nil
		}
		if try > 0 || i.uses == 0 || !failure.Cause.retry() || i.call.work.lasting {
			f.pool.drop(i, failure.Cause)
			return 0, f.unavailable(x, failure)
		}
		f.report(x, failure, slog.LevelInfo, "plugin failed, trying a fresh instance")
		i, err = f.pool.renew(i, failure.Cause)
	}
}

// unavailable makes the fault that answers the exchange, and logs why.
func (f *filter) unavailable(x *exchange.Exchange, err error) error {
	f.report(x, err, slog.LevelError, "plugin failed")
	return fault.Wrap(fault.Unavailable, fault.Plugin, err)
}

// report logs a failure with all there is to know, if not too many are.
func (f *filter) report(x *exchange.Exchange, err error, level slog.Level, text string) {
	dropped, pass := f.pool.alarm.pass(time.Now())
	if !pass {
		return
	}
	attrs := []slog.Attr{
		slog.String("filter", f.where),
		slog.String("route", x.Route),
		slog.String("request_id", x.ID),
		slog.Any("error", err),
	}
	if failure, isFailure := err.(*Failure); isFailure {
		attrs = append(attrs, slog.String("cause", failure.Cause.String()), slog.String("detail", failure.Err.Error()))
	}
	if dropped > 0 {
		attrs = append(attrs, slog.Int("dropped", dropped))
	}
	f.pool.plugin.log.LogAttrs(context.Background(), level, text, attrs...)
}
