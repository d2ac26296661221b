package plugin

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

const allBound = abi.HookRequest | abi.HookResponse | abi.HookRequestChunks | abi.HookEnd | abi.LeaseBound

func TestBoundExchangesKeepToTheirInstance(t *testing.T) {
	pool, _ := newProbe(t, &script{hooks: allBound, request: []step{do("exchange")}}) // one instance at most
	filter := pool.Filter("test", chain.Deny)
	a, b := newExchange(), newExchange()
	for _, x := range []*exchange.Exchange{a, b} {
		if _, err := filter.Request(x, 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(pool.seats) != 1 || pool.seats[0].users != 2 || pool.Stats().Idle != 0 {
		t.Errorf("%d seats, stats %+v", len(pool.seats), pool.Stats())
	}
	for _, x := range []*exchange.Exchange{b, a} {
		x.Resp.Status = 200
		if err := filter.Response(x, 0); err != nil {
			t.Fatal(err)
		}
		filter.(chain.Ender).End(x, 0)
	}
	exchanges.Put(a)
	if len(pool.seats) != 1 {
		t.Error("the seat was given up while it was used")
	}
	exchanges.Put(b)
	if stats := pool.Stats(); len(pool.seats) != 0 || stats.Idle != 1 || stats.Calls != 6 {
		t.Errorf("%d seats left, stats %+v", len(pool.seats), stats)
	}
}

func TestBoundInstanceThatFailsEndsAllItsExchanges(t *testing.T) {
	pool, _ := newProbe(t, &script{hooks: allBound, response: []step{trap}})
	filter := pool.Filter("test", chain.Deny)
	a, b := newExchange(), newExchange()
	for _, x := range []*exchange.Exchange{a, b} {
		if _, err := filter.Request(x, 0); err != nil {
			t.Fatal(err)
		}
	}
	if f := failureOf(t, filter.Response(a, 0)); f.Cause != Trap {
		t.Errorf("got %v", f)
	}
	if err := filter.Response(b, 0); !errors.Is(err, errLost) {
		t.Errorf("got %v", err)
	}
	exchanges.Put(a)
	exchanges.Put(b)
	if stats := pool.Stats(); stats.Instances != 0 || len(pool.seats) != 0 {
		t.Errorf("stats %+v, %d seats", stats, len(pool.seats))
	}
	next := newExchange()
	if _, err := filter.Request(next, 0); err != nil {
		t.Errorf("the next exchange: %v", err)
	}
	exchanges.Put(next)
}

func TestBoundHammer(t *testing.T) {
	h, _ := newHost(t)
	pool := configure(t, load(t, h, "probe", Limits{MaxInstances: 4, MaxUses: 50}), (&script{hooks: allBound}).compile(t))
	filter := pool.Filter("test", chain.Deny)
	done := make(chan error)
	const workers, rounds = 16, 50
	for range workers {
		go func() {
			for range rounds {
				x := newExchange()
				x.Req.Body = exchange.Body{Length: exchange.Unknown, Source: inPieces("a", "b")}
				_, err := filter.Request(x, 0)
				copied := make(chan error, 1)
				body := x.Req.Body
				go func() { _, err := io.Copy(io.Discard, &body); copied <- err }()
				x.Resp.Status = 200
				err = errors.Join(err, filter.Response(x, 0), <-copied)
				filter.(chain.Ender).End(x, 0)
				exchanges.Put(x)
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range workers {
		if err := <-done; err != nil && !strings.Contains(err.Error(), errBusy.Error()) {
			t.Error(err)
		}
	}
	if stats := pool.Stats(); len(pool.seats) != 0 || stats.Instances != stats.Idle {
		t.Errorf("%d seats left, stats %+v", len(pool.seats), stats)
	}
}

// One exchange may hold the instance while it waits for a fetch: the others wait for so long, and no longer.
func TestWaitForABoundInstanceIsBounded(t *testing.T) {
	release, begun := make(chan struct{}), make(chan struct{})
	up := &fakeUpstream{serve: func(x *exchange.Exchange, _ time.Time) *fault.Fault {
		close(begun)
		<-release
		x.Resp.Status = 204
		return nil
	}}
	s := &script{hooks: abi.HookRequest | abi.LeaseBound, request: []step{do("fetch", "auth", "", "", 0)}}
	h, _ := newHost(t)
	pool, err := load(t, h, "probe", Limits{MaxInstances: 1, WaitTimeout: time.Millisecond}).
		Configure(s.compile(t), Grants{Upstreams: map[string]Fetcher{"auth": up}})
	if err != nil {
		t.Fatal(err)
	}
	filter := pool.Filter("test", chain.Deny)
	first, second := newExchange(), newExchange()
	done := make(chan error, 1)
	go func() { _, err := filter.Request(first, 0); done <- err }()
	<-begun
	if _, err := filter.Request(second, 0); !errors.Is(err, errBusy) {
		t.Errorf("got %v, want %v", err, errBusy)
	}
	exchanges.Put(second) // its end does not wait for the other's hook
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	exchanges.Put(first)
	if stats := pool.Stats(); len(pool.seats) != 0 || stats.Idle != 1 {
		t.Errorf("%d seats left, stats %+v", len(pool.seats), stats)
	}
}

// One request that makes an instance fail must not shut the plugin for all: those that kept to it have not failed themselves.
func TestLostSeatsDoNotOpenTheBreaker(t *testing.T) {
	pool, _ := newProbe(t, &script{hooks: allBound, response: []step{trap}})
	filter := pool.Filter("test", chain.Deny)
	var list []*exchange.Exchange
	for range 2 * failuresToOpen {
		x := newExchange()
		list = append(list, x)
		if _, err := filter.Request(x, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range list {
		_ = filter.Response(x, 0)
		exchanges.Put(x)
	}
	if pool.breaker.isOpen() {
		t.Error("the breaker is open after one failure")
	}
}
