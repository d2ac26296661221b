package plugin

import (
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin/abi"
	"github.com/sallyport/sallyport/core/trace"
)

// runTraced is call with a span around it, which waits for instances and fetches included.
func (f *filter) runTraced(t task) (int32, error) {
	r := t.x.Trace.Recording
	t.span = r.Open(trace.Internal, t.x.Times.Now())
	result, err := f.call(t)
	s := r.Close(t.span, t.x.Times.Now())
	s.Name = f.pool.plugin.name + " " + hooks[t.hook].export
	s.Set("sallyport.plugin", f.pool.plugin.name)
	s.Set("sallyport.hook", hooks[t.hook].export)
	s.Set("sallyport.filter", f.where)
	s.SetNumber("sallyport.fuel", s.Fuel)
	switch {
	case err != nil:
		s.Fail(failureKind(err), err.Error())
	case t.hook == onRequest && result == abi.ResultRespond:
		s.Set("sallyport.verdict", "respond")
		s.SetNumber("http.response.status_code", int64(t.x.Resp.Status))
	case t.hook == onRequest:
		s.Set("sallyport.verdict", "continue")
	}
	return result, err
}

// noteFuel adds what an instance has used in the task's hook.
func (t *task) noteFuel(i *instance) {
	if t.span > 0 {
		t.x.Trace.Recording.Spans[t.span].Fuel += i.call.tank.used()
	}
}

// failureKind returns the cause of a failed hook, or what kept it from running.
func failureKind(err error) string {
	f := fault.From(err)
	if failure, ok := f.Err.(*Failure); ok {
		return failure.Cause.String()
	}
	return f.Kind.String()
}

// followTrace makes a fetch a part of what its exchange is a part of: of the hook's span, if that is recorded.
func followTrace(x, parent *exchange.Exchange) {
	if !parent.Trace.IsOn() {
		return
	}
	x.Trace.Context = parent.Trace.Context
	if r := parent.Trace.Recording; r != nil {
		x.Trace.Recording = r.Fork(trace.Internal, x.Times.Start)
		x.Trace.Context = x.Trace.Recording.At(0)
	}
	if state, ok := parent.Req.Fields.Get("tracestate"); ok {
		x.Req.Fields.Set("tracestate", state)
	} else {
		x.Req.Fields.Remove("tracestate")
	}
	x.SetTraceParent(x.Trace.Context)
}

// endSpan ends the fetch's span, if there is one. The fetch records nothing any more.
func (f *fetch) endSpan() {
	r := f.x.Trace.Recording
	if r == nil {
		return
	}
	f.x.Trace.Recording = nil
	s := r.Close(0, time.Now())
	s.Name = "fetch " + f.x.Upstream
	s.Set("sallyport.plugin", f.plugin)
	s.Set("sallyport.upstream", f.x.Upstream)
	if f.fault != nil {
		s.Fail(f.fault.Kind.String(), f.fault.Error())
	} else {
		s.SetNumber("http.response.status_code", int64(f.x.Resp.Status))
	}
	r.Submit()
}
