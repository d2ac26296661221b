package plugin

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

func TestLanesGoRound(t *testing.T) {
	h := &Host{lanes: make(lanes, 1)}
	first, second := &tank{host: h}, &tank{host: h}
	if first.share() {
		t.Error("waited for a free lane")
	}
	took := make(chan struct{})
	go func() {
		second.share()
		close(took)
		second.leave()
	}()
	for done := false; !done; {
		select {
		case <-took:
			done = true
		default:
			first.share() // whoever waits has the lane in between
		}
	}
	first.leave()
	first.leave()           // it has left
	for len(h.lanes) != 0 { // the second one leaves, too
		runtime.Gosched()
	}
}

// lanesTaken is an upstream that looks, when it is asked, how many lanes are taken.
type lanesTaken struct {
	lanes lanes
	seen  []int
}

func (l *lanesTaken) Fetch(x *exchange.Exchange, _ time.Time) *fault.Fault {
	l.seen = append(l.seen, len(l.lanes))
	return nil
}

func TestWaitingTakesNoLane(t *testing.T) {
	steps := slices.Repeat([]step{do("now")}, 20) // some slices
	s := &script{hooks: abi.HookRequest, request: slices.Concat(steps, []step{do("fetch", "auth", "", "", 0)}, steps)}
	h, _ := newHost(t)
	up := &lanesTaken{lanes: h.lanes}
	p := load(t, h, "probe", Limits{Slice: 1000})
	pool, err := p.Configure(s.compile(t), Grants{Upstreams: map[string]Fetcher{"auth": up}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	compare(t, up.seen, []int{0})
	if len(h.lanes) != 0 {
		t.Error("a lane is left taken")
	}
}
