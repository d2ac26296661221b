package plugin

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// failureOf returns the Failure that a filter's error holds, after checking the Fault around it.
func failureOf(t *testing.T, err error) *Failure {
	t.Helper()
	f := fault.From(err)
	if f == nil || f.Kind != fault.Unavailable || f.Side != fault.Plugin || f.Reason != "" {
		t.Fatalf("got %v, want a fault of kind unavailable on the plugin's side", err)
	}
	var failure *Failure
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want a Failure", err)
	}
	return failure
}

func TestHostileGuests(t *testing.T) {
	tests := []struct {
		name   string
		limits Limits
		want   Cause
	}{
		{"loop", Limits{Fuel: 5_000_000, TimeLimit: time.Minute}, OutOfFuel},
		{"loop", Limits{Fuel: 1 << 50, TimeLimit: time.Millisecond}, OutOfTime},
		{"recurse", Limits{}, OutOfStack},
		{"exits", Limits{}, Exited},
		{"floods", Limits{TimeLimit: time.Minute}, OutOfFuel},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.want.String(), func(t *testing.T) {
			pool, _ := newPoolOf(t, tt.name, tt.limits)
			_, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0)
			if got := failureOf(t, err); got.Cause != tt.want || got.Export != "on_request" {
				t.Errorf("got %v (%s), want cause %s", got, got.Err, tt.want)
			}
			stats := pool.Stats()
			if stats.Failed(tt.want) != 1 || stats.Calls != 1 || stats.Instances != 0 {
				t.Errorf("stats are %+v", stats)
			}
		})
	}
}

func TestFuelIsBounded(t *testing.T) {
	const fuel = 3_500_000
	pool, _ := newPoolOf(t, "loop", Limits{Fuel: fuel, TimeLimit: time.Minute})
	_, _ = pool.Filter("test", chain.Deny).Request(newExchange(), 0)
	if got := pool.Stats().Fuel; got <= fuel || got > fuel+1000 {
		t.Errorf("%d units used of %d", got, fuel)
	}
}

func TestMemoryBomb(t *testing.T) {
	pool, _ := newPoolOf(t, "bomb", Limits{Memory: 3 << 20})
	x := newExchange()
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint32(*x.State(0)); got != 3<<20/pageSize {
		t.Errorf("the guest got %d pages, want %d", got, 3<<20/pageSize)
	}
	if s := pool.Stats(); s.Recycled != 1 || s.Instances != 0 {
		t.Errorf("an instance full of memory was kept: %+v", s)
	}
}

func TestStartLoop(t *testing.T) {
	h, _ := newHost(t)
	p := load(t, h, "startloop", Limits{FuelStart: 3_000_000})
	_, err := p.Configure(nil, Grants{})
	var failure *Failure
	if !errors.As(err, &failure) || failure.Cause != OutOfFuel || failure.Export != "start" {
		t.Errorf("got %v, want out of fuel at start", err)
	}
	if p.fleet.total != 0 {
		t.Errorf("%d instances left", p.fleet.total)
	}
}

func TestPointersOutside(t *testing.T) {
	const end = probeMemory
	tests := []struct {
		name string
		step step
	}{
		{"beyond the end", do("header_get", 0, end, 1, 0, 0)},
		{"across the end", do("set", 4, end-1, 2)},
		{"around zero", do("attr_set", 0, 1, -1, 2)},
		{"lying length", do("state_set", 0, -1)},
		{"buffer across the end, value short", do("get", 1, end-8, 9)},
		{"huge buffer", do("state_get", 0, 0x7fffffff)},
		{"random", do("random", end, 1)},
		{"huge body", do("respond", 200, 16, -16)},
		{"log", do("log", 1, end, 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := script{hooks: abi.HookRequest, request: []step{tt.step}}
			pool, _ := newProbe(t, &s)
			_, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0)
			if got := failureOf(t, err); got.Cause != Trap || !strings.Contains(got.Error(), "pointer outside the memory") {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestPointerOfNothingIsNotLookedAt(t *testing.T) {
	s := script{request: []step{do("state_set", -1, 0), do("get", 1, -1, 0), do("respond", 200, probeMemory+1, 0)}}
	compare(t, runRequest(t, s, newExchange()), []string{"0", "3", "0"})
}

func TestHugeArguments(t *testing.T) {
	const huge = 3 * pageSize
	s := script{request: []step{
		do("header_get", 0, 0, huge, 0, 0),
		do("header_all", 0, 0, huge, 0, 0),
		do("header_set", 0, 0, huge, 0, 0),
		do("header_add", 0, 0, 0, 0, huge),
		do("header_remove", 0, 0, huge),
		do("param", 0, huge, 0, 0),
		do("query", 0, huge, 0, 0),
		do("attr_get", 0, huge, 0, 0),
		do("attr_set", 0, huge, 0, 0),
		do("set", 3, 0, huge),
		do("set", 4, 0, huge),
		do("set", 5, 0, huge),
		do("set", 10, 0, huge),
		do("state_set", 0, huge),
		do("random", 0, huge),
		do("log", 0, 0, huge),
	}}
	got := runRequest(t, s, newExchange())
	for i, step := range s.request[:len(s.request)-1] {
		if got[i] != "-5" {
			t.Errorf("%s = %s, want -5", step.function, got[i])
		}
	}
	if last := got[len(got)-1]; last != "0" {
		t.Errorf("log = %s, want 0", last)
	}
}

func TestBodyTooLarge(t *testing.T) {
	h := hookCall{x: newExchange(), phase: abi.InRequest}
	large := make([]byte, abi.MaxBody+1)
	if got := h.respond(200, large); got != abi.TooLarge {
		t.Errorf("respond: got %v, want %v", got, abi.TooLarge)
	}
	if got := h.bodyWrite(request, large); got != abi.WrongPhase { // what is not at hand comes before sizes
		t.Errorf("body_write without the body: got %v, want %v", got, abi.WrongPhase)
	}
	h.wants = abi.HookRequestBody
	if got := h.bodyWrite(request, large); got != abi.TooLarge {
		t.Errorf("body_write: got %v, want %v", got, abi.TooLarge)
	}
}

// everything is a script that writes wherever a hook may.
func everything() []step {
	return []step{
		do("header_set", 1, "x-answer", "new"),
		do("set", 10, "mallory"),
		do("attr_set", "new", "1"),
		do("state_set", "new"),
	}
}

func TestTrapUndoesRequest(t *testing.T) {
	x := newExchange()
	x.SetAttr("consumer", "jo")
	*x.State(0) = append(*x.State(0), "old"...)
	s := script{hooks: abi.HookRequest, request: append(everything(),
		do("set", 3, "evil.example"), do("set", 4, "/evil"), do("set", 5, "evil"), do("header_remove", 0, "accept"),
		do("header_set", 0, "x-api-key", "evil"), do("respond", 200, "evil"), trap)}
	pool, _ := newProbe(t, &s)
	_, err := pool.Filter("test", chain.Deny).Request(x, 0)
	if got := failureOf(t, err); got.Cause != Trap || !strings.Contains(got.Err.Error(), "wasm stack trace") {
		t.Errorf("got %v", got.Err)
	}
	want := newExchange()
	compare(t, []string{x.Req.Host, x.Req.Path, x.Req.Query}, []string{want.Req.Host, want.Req.Path, want.Req.Query})
	compare(t, x.Req.Fields.All(), want.Req.Fields.All())
	compare(t, x.Attrs(), []exchange.Attr{{Name: "consumer", Value: "jo"}})
	compare(t, string(*x.State(0)), "old")
	if x.Resp.Status != 0 || x.Resp.Fields.Len() != 0 || !x.Resp.Body.Empty() {
		t.Errorf("the response is %+v", x.Resp)
	}
}

func TestTrapUndoesResponse(t *testing.T) {
	x := newExchange()
	old := &source{}
	x.Resp.Status = 200
	x.Resp.Fields.Add("Content-Type", "text/html")
	x.Resp.Trailers.Add("x-sum", "1")
	x.Resp.Body = exchange.Body{Length: 10, Held: []byte("first"), Source: old}
	s := script{hooks: abi.HookResponse, response: append(everything(), do("set_status", 500), do("respond", 404, "a"), do("respond", 404, "b"), trap)}
	pool, _ := newProbe(t, &s)
	if got := failureOf(t, pool.Filter("test", chain.Deny).Response(x, 0)); got.Export != "on_response" {
		t.Errorf("got %v", got)
	}
	compare(t, x.Resp.Status, 200)
	compare(t, x.Resp.Fields.All(), []header.Field{{Name: "Content-Type", Value: "text/html"}})
	compare(t, x.Resp.Trailers.Value("x-sum"), "1")
	compare(t, string(x.Resp.Body.Held), "first")
	compare(t, x.Resp.Body.Length, int64(10))
	if x.Resp.Body.Source != old || old.closed != 0 {
		t.Errorf("the body's source is %v, closed %d times", x.Resp.Body.Source, old.closed)
	}
	compare(t, len(x.Attrs()), 0)
	compare(t, len(*x.State(0)), 0)
}

func TestBadResults(t *testing.T) {
	tests := []struct {
		name    string
		results [3]int32
		want    string
	}{
		{"respond without an answer", [3]int32{0, 1, 0}, "returned 1 (respond) without having called respond"},
		{"wait without a fetch", [3]int32{0, 2, 0}, "returned 2 (wait) with nothing under way, or without exporting on_resume"},
		{"unknown", [3]int32{0, 7, 0}, "returned 7, which means nothing"},
		{"negative", [3]int32{0, -1, 0}, "returned -1: what it could not do stands in its log, if anywhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := script{hooks: abi.HookRequest, results: tt.results, request: []step{do("header_set", 0, "x", "y")}}
			pool, _ := newProbe(t, &s)
			x := newExchange()
			_, err := pool.Filter("test", chain.Deny).Request(x, 0)
			if got := failureOf(t, err); got.Cause != BadResult || got.Err.Error() != tt.want {
				t.Errorf("got %v, want %q", got, tt.want)
			}
			if x.Req.Fields.Has("x") {
				t.Error("the field stayed")
			}
		})
	}
}

func TestResponseCannotRespond(t *testing.T) {
	s := script{hooks: abi.HookResponse, results: [3]int32{0, 0, 1}, response: []step{do("respond", 200, "")}}
	pool, _ := newProbe(t, &s)
	if got := failureOf(t, pool.Filter("test", chain.Deny).Response(newExchange(), 0)); got.Cause != BadResult {
		t.Errorf("got %v", got)
	}
}
