package chain

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// step is a filter that writes down when it was called.
type step struct {
	name    string
	hooks   Hooks
	verdict Verdict
	err     error
	backErr error
	log     *[]string
}

func (s step) Hooks() Hooks { return s.hooks }

func (s step) Request(x *exchange.Exchange, place int) (Verdict, error) {
	*s.log = append(*s.log, fmt.Sprintf("%s>%d", s.name, place))
	return s.verdict, s.err
}

func (s step) Response(x *exchange.Exchange, place int) error {
	*s.log = append(*s.log, fmt.Sprintf("%s<%d", s.name, place))
	return s.backErr
}

func (s step) End(x *exchange.Exchange, place int) {
	*s.log = append(*s.log, fmt.Sprintf("%s.%d", s.name, place))
}

func TestOrder(t *testing.T) {
	const both, all = OnRequest | OnResponse, OnRequest | OnResponse | OnEnd
	trap := errors.New("trap")
	late := fault.New(fault.RequestTimeout, fault.Client, "")
	cut := fault.New(fault.BadGateway, fault.Upstream, "")
	tests := []struct {
		name   string
		steps  []step
		skip   string // names of steps with on_error = skip
		want   string
		status int
	}{
		{"up and back", []step{{name: "a", hooks: both}, {name: "b", hooks: both}}, "", "a>0 b>1 b<1 a<0", 0},
		{"a responding filter does not see its own answer", []step{{name: "a", hooks: both}, {name: "b", hooks: both, verdict: Respond}, {name: "c", hooks: both}}, "", "a>0 b>1 a<0", 0},
		{"hooks not asked for are not called", []step{{name: "a", hooks: OnResponse}, {name: "b", hooks: OnRequest}}, "", "b>1 a<0", 0},
		{"response-only filters behind a responding one have not run", []step{{name: "a", hooks: OnRequest, verdict: Respond}, {name: "b", hooks: OnResponse}}, "", "a>0", 0},
		{"failing denies", []step{{name: "a", hooks: both}, {name: "b", hooks: both, err: trap}, {name: "c", hooks: both}}, "", "a>0 b>1 a<0", 500},
		{"failing and skipped is as if not there", []step{{name: "a", hooks: both}, {name: "b", hooks: both, err: trap}, {name: "c", hooks: both}}, "b", "a>0 b>1 c>2 c<2 a<0", 0},
		{"failing on the way back denies, and the rest still sees it", []step{{name: "a", hooks: both}, {name: "b", hooks: both, backErr: trap}}, "", "a>0 b>1 b<1 a<0", 500},
		{"failing on the way back and skipped", []step{{name: "a", hooks: both}, {name: "b", hooks: both, backErr: trap}}, "b", "a>0 b>1 b<1 a<0", 0},
		{"what the client did cannot be skipped", []step{{name: "a", hooks: both, err: late}, {name: "b", hooks: both}}, "a", "a>0", 408},
		{"what the upstream did cannot be skipped", []step{{name: "a", hooks: both, backErr: cut}}, "a", "a>0 a<0", 502},
		{"end, in reverse", []step{{name: "a", hooks: all}, {name: "b", hooks: OnEnd}, {name: "c", hooks: both}}, "", "a>0 c>2 c<2 a<0 b.1 a.0", 0},
		{"end also of the one that responds", []step{{name: "a", hooks: all}, {name: "b", hooks: all, verdict: Respond}, {name: "c", hooks: all}}, "", "a>0 b>1 a<0 b.1 a.0", 0},
		{"no end of one that failed", []step{{name: "a", hooks: all}, {name: "b", hooks: all, err: trap}}, "", "a>0 b>1 a<0 a.0", 500},
		{"empty", nil, "", "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log []string
			var steps []Step
			for _, s := range test.steps {
				s.log = &log
				onError := Deny
				if strings.Contains(test.skip, s.name) {
					onError = Skip
				}
				steps = append(steps, Step{Name: s.name, Filter: s, OnError: onError})
			}
			c, err := Compile(steps, func(x *exchange.Exchange, f *fault.Fault) { x.Resp.Status = f.Kind.Status() })
			if err != nil {
				t.Fatal(err)
			}
			var x exchange.Exchange
			c.Request(&x)
			c.Response(&x)
			c.End(&x)
			if got := strings.Join(log, " "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if x.Resp.Status != test.status {
				t.Errorf("status: got %d, want %d", x.Resp.Status, test.status)
			}
		})
	}
}

func TestTooManySteps(t *testing.T) {
	steps := make([]Step, MaxSteps+1)
	for i := range steps {
		steps[i].Filter = step{}
	}
	if _, err := Compile(steps, nil); err == nil {
		t.Error("65 steps were taken")
	}
	if _, err := Compile(steps[:MaxSteps], nil); err != nil {
		t.Errorf("64 steps: %v", err)
	}
}

type noop struct{}

func (noop) Hooks() Hooks                                             { return OnRequest | OnResponse }
func (noop) Request(x *exchange.Exchange, place int) (Verdict, error) { return Continue, nil }
func (noop) Response(x *exchange.Exchange, place int) error           { return nil }

func BenchmarkThreeFilters(b *testing.B) {
	steps := make([]Step, 3)
	for i := range steps {
		steps[i].Filter = noop{}
	}
	c, err := Compile(steps, nil)
	if err != nil {
		b.Fatal(err)
	}
	var x exchange.Exchange
	b.ReportAllocs()
	for b.Loop() {
		x.Ran = 0
		c.Request(&x)
		c.Response(&x)
	}
}

// panicking is a filter whose End goes wrong.
type panicking struct{ step }

func (panicking) End(*exchange.Exchange, int) { panic("in End") }

// TestEndAfterPanic: a filter that panics does not keep the others from giving back what they hold.
func TestEndAfterPanic(t *testing.T) {
	var log []string
	c, err := Compile([]Step{
		{Name: "a", Filter: step{name: "a", hooks: OnRequest | OnEnd, log: &log}},
		{Name: "b", Filter: panicking{step{name: "b", hooks: OnRequest | OnEnd, log: &log}}},
		{Name: "c", Filter: step{name: "c", hooks: OnRequest | OnEnd, log: &log}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange.Exchange{}
	c.Request(x)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone: nobody would hear of it")
			}
		}()
		c.End(x)
	}()
	if got, want := strings.Join(log, " "), "a>0 b>1 c>2 c.2 a.0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
