package plugin

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// filter is a pool at a place in gateway.toml.
type filter struct {
	pool    *Pool
	where   string
	onError chain.OnError

	calls, failed atomic.Int64
	times         [timeSteps]atomic.Uint64
}

// Filter returns the pool as a step of a chain. Many filters may share a pool; where tells them apart in the log.
// onError is for what the chain does not see: chunks of bodies that are on their way.
func (p *Pool) Filter(where string, onError chain.OnError) chain.Filter {
	return &filter{pool: p, where: where, onError: onError}
}

// Hooks returns what the plugin asked for when it was configured.
func (f *filter) Hooks() chain.Hooks {
	var wants chain.Hooks
	if f.pool.wants&(abi.HookRequest|abi.HookRequestChunks) != 0 {
		wants |= chain.OnRequest
	}
	if f.pool.wants&(abi.HookResponse|abi.HookResponseChunks) != 0 {
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
	if f.pool.wants&abi.HookRequest != 0 {
		result, err := f.run(task{hook: onRequest, x: x, place: place})
		if err != nil {
			return chain.Continue, err
		}
		if result == abi.ResultRespond {
			return chain.Respond, nil
		}
	}
	if f.pool.wants&abi.HookRequestChunks != 0 {
		return chain.Continue, f.streamRequest(x, place)
	}
	return chain.Continue, nil
}

// Response runs on_response in whatever instance is idle.
func (f *filter) Response(x *exchange.Exchange, place int) error {
	wantsBody := f.pool.wants&abi.HookResponseBody != 0 && x.Resp.Tunnel == nil
	absent := wantsBody && lacksContent(x)
	if wantsBody && !absent {
		if err := f.hold(&x.Resp.Body, fault.BadGateway, fault.Upstream); err != nil {
			return err
		}
	}
	if f.pool.wants&abi.HookResponse != 0 {
		if _, err := f.run(task{hook: onResponse, x: x, place: place}); err != nil {
			return err
		}
	}
	if absent && len(x.Resp.Body.Held) == 0 {
		x.Resp.Body.Length = exchange.Unknown // of what the hook would have made of the content
	}
	if f.pool.wants&abi.HookResponseChunks != 0 && x.Resp.Tunnel == nil {
		f.streamResponse(x, place)
	}
	return nil
}

// lacksContent reports whether the response tells of content that does not come with it (RFC 9110, section 6.4.1).
func lacksContent(x *exchange.Exchange) bool {
	bodyless := x.Req.Method == "HEAD" || x.Resp.Status == 204 || x.Resp.Status == 304
	return bodyless && len(x.Resp.Body.Held) == 0
}

// End runs on_end in whatever instance is idle. Its failure is logged; there is nothing left that it could change.
func (f *filter) End(x *exchange.Exchange, place int) {
	_, _ = f.run(task{hook: onEnd, x: x, place: place})
}

// hold waits for the whole of a body. One that is too large, or that does not come, is its sender's fault.
func (f *filter) hold(b *exchange.Body, tooLarge fault.Kind, side fault.Side) error {
	err := b.Hold(f.pool.plugin.limits.BufferLimit)
	if err == nil {
		return nil
	}
	var known *fault.Fault // behind the return: it is allocated
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, exchange.ErrTooLarge):
		return &fault.Fault{Kind: tooLarge, Side: side, Code: fault.TooLarge, Reason: "the content is larger than can be examined", Err: err}
	}
	return fault.Wrap(tooLarge, side, err)
}

// run runs a hook; where the exchange's trace is recorded, as a span of its own. Chunk hooks have none: a body can have any number of
// them, and those of the request run beside the rest of the exchange.
func (f *filter) run(t task) (int32, error) {
	if t.chunk == nil && t.x.Trace.Recording != nil {
		return f.runTraced(t)
	}
	return f.call(t)
}

// call runs a hook, and once more in a fresh instance if the first one's past may be to blame: not when others have failed just before.
func (f *filter) call(t task) (int32, error) {
	if !f.pool.breaker.pass(time.Now) {
		return 0, f.unavailable(t.x, errOpen)
	}
	if t.seat == nil && f.pool.wants&abi.LeaseBound != 0 {
		seat, err := f.pool.seatOf(t.x, t.place)
		if err != nil {
			f.pool.noteOutage(err)
			return 0, f.unavailable(t.x, err)
		}
		t.seat = seat
	}
	if isTimed(f.calls.Add(1)) {
		defer f.noteTime(time.Now())
	}
	result, err := f.try(t)
	if err != nil {
		f.failed.Add(1)
		f.pool.noteOutage(err)
		return 0, f.unavailable(t.x, err)
	}
	f.pool.noteSuccess()
	return result, nil
}

func (f *filter) try(t task) (int32, error) {
	i, err := f.lease(t.seat)
	for try := 0; ; try++ {
		if err != nil {
			return 0, err
		}
		result, failure := i.run(t)
		t.noteFuel(i)
		if failure == nil {
			f.give(i, t.seat)
			return f.wait(result, t)
		}
		if t.seat != nil || try > 0 || i.uses == 0 || i.call.work.lasting || !failure.Cause.retry() || f.pool.breaker.inRow.Load() > 0 {
			f.lose(i, t.seat, failure.Cause)
			return 0, failure
		}
		f.report(t.x, failure, slog.LevelInfo, "plugin failed, trying a fresh instance")
		i, err = f.pool.renew(i, failure.Cause)
	}
}

// lease takes the instance that the exchange keeps to, or any.
func (f *filter) lease(s *seat) (*instance, error) {
	if s != nil {
		return s.enter()
	}
	return f.pool.lease()
}

func (f *filter) give(i *instance, s *seat) {
	if s != nil {
		s.exit()
		return
	}
	f.pool.give(i)
}

func (f *filter) lose(i *instance, s *seat, cause Cause) {
	if s != nil {
		s.lose(cause)
		return
	}
	f.pool.drop(i, cause)
}

// wait resumes a hook for as long as it says wait. No instance is held meanwhile.
func (f *filter) wait(result int32, t task) (int32, error) {
	for t.hook.waits(result) {
		waiting := keptOf(t.x, t.place, false).fetches
		waiting.wait()
		i, err := f.lease(t.seat)
		if err != nil {
			waiting.parked.undoState(func() *[]byte { return t.x.State(t.place) })
			waiting.parked.undo(t.x)
			return 0, err
		}
		var failure *Failure
		result, failure = i.resume(t)
		t.noteFuel(i)
		if failure != nil {
			f.lose(i, t.seat, failure.Cause)
			return 0, failure
		}
		f.give(i, t.seat)
	}
	return result, nil
}

// unavailable makes the fault that answers the exchange, and logs why.
func (f *filter) unavailable(x *exchange.Exchange, err error) error {
	f.report(x, err, slog.LevelError, "plugin failed")
	return fault.Wrap(fault.Unavailable, fault.Plugin, err)
}

// report logs a failure with all there is to know, if not too many are.
func (f *filter) report(x *exchange.Exchange, err error, level slog.Level, text string) {
	failure, isFailure := err.(*Failure)
	if isFailure {
		f.pool.plugin.failures.add(FailureRecord{
			Time: time.Now(), Route: x.Route, Where: f.where, RequestID: x.ID, Retried: level == slog.LevelInfo,
		}, failure)
	}
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
	if isFailure {
		attrs = append(attrs, slog.String("cause", failure.Cause.String()), slog.String("detail", failure.Err.Error()))
	}
	if dropped > 0 {
		attrs = append(attrs, slog.Int("dropped", dropped))
	}
	f.pool.plugin.log.LogAttrs(context.Background(), level, text, attrs...)
}
