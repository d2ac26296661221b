package chain

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// answers is a filter that makes an answer, or fails.
type answers struct {
	status int
	limit  string
	err    error
}

func (a answers) Hooks() Hooks { return OnRequest | OnResponse }

func (a answers) Request(x *exchange.Exchange, _ int) (Verdict, error) {
	if a.err != nil || a.status == 0 {
		return Continue, a.err
	}
	x.Resp.Status, x.Limit = a.status, a.limit
	return Respond, nil
}

func (a answers) Response(*exchange.Exchange, int) error { return nil }

func TestWhoAnswered(t *testing.T) {
	tests := []struct {
		name   string
		step   answers
		plugin bool
		want   string
	}{
		{"nobody", answers{}, true, "gateway  "},
		{"native", answers{status: 403}, false, "filter f "},
		{"plugin", answers{status: 200}, true, "plugin f "},
		{"plugin that refuses", answers{status: 403}, true, "plugin f PL"},
		{"plugin's limit", answers{status: 429, limit: "l"}, true, "plugin f RL"},
		{"plugin that refuses beside a limit", answers{status: 403, limit: "l"}, true, "plugin f PL"},
		{"failing", answers{err: errors.New("trap")}, true, "gateway f IE"},
	}
	for _, test := range tests {
		c, err := Compile([]Step{{Name: "f", Filter: test.step, Plugin: test.plugin}}, func(x *exchange.Exchange, f *fault.Fault) { x.Fail(f) })
		if err != nil {
			t.Fatal(err)
		}
		x := &exchange.Exchange{}
		c.Request(x)
		c.Response(x)
		if got := fmt.Sprintf("%s %s %s", x.By, x.Filter, x.Ended()); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if len(x.Took) > 0 {
			t.Errorf("%s: the time was taken: %v", test.name, x.Took)
		}
	}
}

// Each filter has one entry, the same plugin at two places two, whichever way the exchange went.
func TestTimes(t *testing.T) {
	c, err := Compile([]Step{{Name: "a", Filter: answers{}}, {Name: "a", Filter: answers{}}, {Name: "b", Filter: answers{status: 200}}, {Name: "c", Filter: answers{}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Time()
	x := &exchange.Exchange{}
	c.Request(x)
	c.Response(x)
	var got string
	for _, took := range x.Took {
		got += fmt.Sprintf("%s%d ", took.Name, took.Place)
	}
	if want := "a0 a1 b2 "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
