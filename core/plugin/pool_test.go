package plugin

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// until waits for a condition that another goroutine brings about.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// lease takes an instance that must be there.
func lease(t *testing.T, p *Pool) *instance {
	t.Helper()
	i, err := p.lease()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestHooksOfAFilter(t *testing.T) {
	for _, tt := range []struct {
		wants abi.Hooks
		want  chain.Hooks
	}{
		{0, 0},
		{abi.HookRequest, chain.OnRequest},
		{abi.HookResponse, chain.OnResponse},
		{abi.HookRequest | abi.HookResponse, chain.OnRequest | chain.OnResponse},
	} {
		s := script{hooks: tt.wants}
		pool, _ := newProbe(t, &s)
		if got := pool.Filter("test", chain.Deny).Hooks(); got != tt.want {
			t.Errorf("Hooks() = %b for %q, want %b", got, tt.wants, tt.want)
		}
	}
}

func TestLastUsedIsFirstTaken(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{})
	a, b := lease(t, pool), lease(t, pool)
	if a == b {
		t.Fatal("one instance lent twice")
	}
	pool.give(a)
	pool.give(b)
	if got := lease(t, pool); got != b {
		t.Error("not the last one given back")
	}
	pool.give(b)
}

func TestWaitEndsUnavailable(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{MaxInstances: 1, WaitTimeout: time.Millisecond})
	i := lease(t, pool)
	if _, err := pool.lease(); !errors.Is(err, errBusy) {
		t.Errorf("got %v, want %v", err, errBusy)
	}
	if s := pool.Stats(); s.TimedOut != 1 || s.Waiting != 0 || s.Instances != 1 {
		t.Errorf("stats are %+v", s)
	}
	pool.give(i)
	pool.give(lease(t, pool))
}

func TestWaiterGetsWhatIsGivenBack(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{MaxInstances: 1, WaitTimeout: time.Minute})
	first := lease(t, pool)
	got := make(chan *instance)
	go func() {
		i, _ := pool.lease()
		got <- i
	}()
	until(t, "a waiter", func() bool { return pool.Stats().Waiting == 1 })
	pool.give(first)
	if second := <-got; second != first {
		t.Errorf("got another instance")
	}
	pool.give(first)
}

func TestWaiterGetsRoomOfAFailedInstance(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{MaxInstances: 1, WaitTimeout: time.Minute})
	first := lease(t, pool)
	got := make(chan *instance)
	go func() {
		i, _ := pool.lease()
		got <- i
	}()
	until(t, "a waiter", func() bool { return pool.Stats().Waiting == 1 })
	pool.drop(first, Trap)
	second := <-got
	if second == nil || second == first {
		t.Fatalf("got %p after %p", second, first)
	}
	pool.give(second)
	if s := pool.Stats(); s.Instances != 1 || s.Idle != 1 || s.Started != 1 {
		t.Errorf("stats are %+v", s)
	}
}

func TestPoolsShareTheBound(t *testing.T) {
	h, _ := newHost(t)
	p := load(t, h, "bare", Limits{MaxInstances: 2, WaitTimeout: time.Minute})
	one := configure(t, p, []byte(`{"n":1}`))
	two := configure(t, p, []byte(`{"n":2}`))

	a, b := lease(t, one), lease(t, one) // the second one takes the room of the other pool's idle instance
	if s := two.Stats(); s.Evicted != 1 || s.Instances != 0 {
		t.Errorf("stats of the other pool are %+v", s)
	}
	got := make(chan *instance)
	go func() {
		i, _ := two.lease()
		got <- i
	}()
	until(t, "a waiter", func() bool { return two.Stats().Waiting == 1 })
	one.give(a) // goes, since the one who waits is of the other configuration
	c := <-got
	if c == nil || c.pool != two {
		t.Fatalf("got an instance of %v", c)
	}
	one.give(b)
	two.give(c)
	if p.fleet.total != 2 || one.Stats().Instances != 1 || two.Stats().Instances != 1 {
		t.Errorf("%d in all, %+v, %+v", p.fleet.total, one.Stats(), two.Stats())
	}
}

func TestCanaryMayGoAboveTheBound(t *testing.T) {
	h, _ := newHost(t)
	p := load(t, h, "bare", Limits{MaxInstances: 1, WaitTimeout: time.Millisecond})
	one := configure(t, p, nil)
	busy := lease(t, one)
	two := configure(t, p, nil)
	if p.fleet.total != 1 || two.Stats().Instances != 0 {
		t.Errorf("%d instances stayed, %+v", p.fleet.total, two.Stats())
	}
	one.give(busy)
	two.give(lease(t, two))
}

func TestRecycledAfterUses(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{MaxUses: 3})
	filter := pool.Filter("test", chain.Deny)
	for range 7 {
		if _, err := filter.Request(newExchange(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if s := pool.Stats(); s.Recycled != 2 || s.Started != 2 || s.Instances != 1 {
		t.Errorf("stats are %+v", s)
	}
}

func TestRecycledWhenGrown(t *testing.T) {
	pool, _ := newPoolOf(t, "greedy", Limits{Memory: 64 * pageSize})
	filter := pool.Filter("test", chain.Deny)
	for n, want := range []int64{0, 1, 1, 2} { // 17 pages, 33: more than half
		if _, err := filter.Request(newExchange(), 0); err != nil {
			t.Fatal(err)
		}
		if got := pool.Stats().Recycled; got != want {
			t.Errorf("%d recycled after %d hooks, want %d", got, n+1, want)
		}
	}
}

func TestSweep(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{})
	var all []*instance
	for range 9 {
		all = append(all, lease(t, pool))
	}
	for _, i := range all {
		pool.give(i)
	}
	for _, want := range []int{9, 4, 2, 1, 1} {
		pool.Sweep() // the first one only finds that all were needed
		if got := pool.Stats().Idle; got != want {
			t.Errorf("%d idle, want %d", got, want)
		}
	}
}

func TestInstancesMustAgree(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{})
	lease(t, pool).pool.wants = abi.HookResponse
	_, err := pool.lease()
	if err == nil || !strings.Contains(err.Error(), `on_configure asked for "response" at first and for "request, response" now`) {
		t.Errorf("got %v", err)
	}
	if s := pool.Stats(); s.StartsFailed != 1 || s.Instances != 1 {
		t.Errorf("stats are %+v", s)
	}
	pool.wants = abi.HookRequest | abi.HookResponse
	pool.plugin.fleet.release(pool) // the instance leased above
}

func TestCloseWaitsForRunningHooks(t *testing.T) {
	pool, _ := newPoolOf(t, "bare", Limits{MaxInstances: 1, WaitTimeout: time.Minute})
	busy := lease(t, pool)
	refused := make(chan error)
	go func() {
		_, err := pool.lease()
		refused <- err
	}()
	until(t, "a waiter", func() bool { return pool.Stats().Waiting == 1 })
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	if err := <-refused; !errors.Is(err, errClosed) {
		t.Errorf("the waiter got %v, want %v", err, errClosed)
	}
	select {
	case <-closed:
		t.Error("closed while a hook was running")
	default:
	}
	pool.give(busy)
	<-closed
	if _, err := pool.lease(); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want %v", err, errClosed)
	}
	pool.Close()
	pool.plugin.Close()
	if _, err := pool.plugin.Configure(nil, Grants{}); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want %v", err, errClosed)
	}
	if total := pool.plugin.fleet.total; total != 0 {
		t.Errorf("%d instances left", total)
	}
}

func TestCloseStopsGuests(t *testing.T) {
	h, _ := newHost(t)
	pool := configure(t, load(t, h, "loop", Limits{Fuel: 1 << 60, TimeLimit: time.Hour}), nil)
	failed := make(chan error)
	go func() {
		_, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0)
		failed <- err
	}()
	until(t, "the guest to run", func() bool { s := pool.Stats(); return s.Idle == 0 })
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if got := failureOf(t, <-failed); got.Cause != Stopped {
		t.Errorf("got %v, want %v", got.Cause, Stopped)
	}
}

// TestHammer runs hooks of two configurations, some of which trap, on more goroutines than there may be instances.
func TestHammer(t *testing.T) {
	h, _ := newHost(t)
	p := load(t, h, "probe", Limits{MaxInstances: 3, WaitTimeout: time.Minute, MaxUses: 20})
	good := script{hooks: abi.HookRequest, request: []step{do("attr_get", "n", buf(8)), do("header_set", 0, "x-good", "1")}}
	bad := script{hooks: abi.HookRequest, request: []step{do("header_set", 0, "x-bad", "1"), do("attr_set", "n", "bad"), trap}}
	pools := []*Pool{configure(t, p, good.compile(t)), configure(t, p, bad.compile(t))}
	const workers, rounds = 8, 60
	var work sync.WaitGroup
	for w := range workers {
		work.Go(func() {
			for n := range rounds {
				hammerOnce(t, pools[(w+n)%2], (w+n)%2 == 1)
				if n%16 == 0 {
					pools[n%2].Sweep()
				}
			}
		})
	}
	work.Wait()
	goodStats, badStats := pools[0].Stats(), pools[1].Stats()
	if goodStats.Calls != workers*rounds/2 || badStats.Failed(Trap) != badStats.Calls {
		t.Errorf("good: %+v\nbad: %+v", goodStats, badStats)
	}
	p.Close()
	if p.fleet.total != 0 || pools[0].live != 0 || pools[1].live != 0 || len(p.fleet.waiting) != 0 {
		t.Errorf("left: %d, %d, %d instances, %d waiters", p.fleet.total, pools[0].live, pools[1].live, len(p.fleet.waiting))
	}
}

func hammerOnce(t *testing.T, pool *Pool, traps bool) {
	x := newExchange()
	defer exchanges.Put(x)
	_, err := pool.Filter("test", chain.Deny).Request(x, 1)
	if (err != nil) != traps {
		t.Errorf("got %v, want a failure: %v", err, traps)
	}
	if got := x.Req.Fields.Has("x-good"); got == traps {
		t.Errorf("x-good is there: %v, want %v", got, !traps)
	}
	if x.Req.Fields.Has("x-bad") || len(x.Attrs()) != 0 {
		t.Error("a trapped hook left something behind")
	}
}
