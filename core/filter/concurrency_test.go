package filter

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
)

// leaving is a client that may have gone.
type leaving struct{ gone atomic.Bool }

func (c *leaving) Gone() bool                      { return c.gone.Load() }
func (*leaving) Interim(int, *header.Fields) error { return nil }

func isTrue(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

// waiting begins a request that has to wait, and returns how it ends.
func waiting(t *testing.T, c *Concurrency, client exchange.Client) chan error {
	t.Helper()
	before := c.State()
	result := make(chan error, 1)
	go func() {
		_, err := c.Request(&exchange.Exchange{Client: client}, 0)
		result <- err
	}()
	isTrue(t, "it waits", func() bool { s := c.State(); return s.Waiting > before.Waiting || s.Shed > before.Shed })
	return result
}

func enter(t *testing.T, c *Concurrency) {
	t.Helper()
	if _, err := c.Request(&exchange.Exchange{}, 0); err != nil {
		t.Fatal(err)
	}
}

func isShed(err error) bool {
	var f *fault.Fault
	return errors.As(err, &f) && f.Kind == fault.Unavailable && f.Side == fault.Gateway && f.RetryAfter >= time.Second
}

func TestConcurrency(t *testing.T) {
	c := NewConcurrency(ConcurrencyOptions{Limit: 2, Queue: 2, Wait: time.Minute})
	enter(t, c)
	enter(t, c)
	first, second := waiting(t, c, nil), waiting(t, c, nil)
	third := waiting(t, c, nil) // the oldest has to go for it
	if err := <-first; !isShed(err) {
		t.Errorf("the oldest: got %v, want it shed", err)
	}
	c.End(nil, 0)
	if err := <-third; err != nil {
		t.Errorf("the newest: got %v, want it served", err)
	}
	c.End(nil, 0)
	if err := <-second; err != nil {
		t.Errorf("the second: got %v, want it served", err)
	}
	c.End(nil, 0)
	c.End(nil, 0)
	if got, want := c.State(), (ConcurrencyState{Limit: 2, Shed: 1}); got != want {
		t.Errorf("at the end: got %+v, want %+v", got, want)
	}
}

func TestConcurrencyWithoutQueue(t *testing.T) {
	c := NewConcurrency(ConcurrencyOptions{Limit: 1, Wait: time.Minute})
	enter(t, c)
	if _, err := c.Request(&exchange.Exchange{}, 0); !isShed(err) {
		t.Errorf("got %v, want it shed", err)
	}
	c.End(nil, 0)
	enter(t, c)
}

func TestConcurrencyWaitsNotForEver(t *testing.T) {
	c := NewConcurrency(ConcurrencyOptions{Limit: 1, Queue: 1, Wait: 5 * time.Millisecond})
	enter(t, c)
	if _, err := c.Request(&exchange.Exchange{}, 0); !isShed(err) {
		t.Errorf("got %v, want it shed", err)
	}
	if got, want := c.State(), (ConcurrencyState{Limit: 1, Active: 1, Shed: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConcurrencyForgetsWhoHasGone(t *testing.T) {
	c, client := NewConcurrency(ConcurrencyOptions{Limit: 1, Queue: 5, Wait: time.Minute}), &leaving{}
	enter(t, c)
	result := waiting(t, c, client)
	client.gone.Store(true)
	var f *fault.Fault
	if err := <-result; !errors.As(err, &f) || f.Kind != fault.ClientGone {
		t.Errorf("got %v, want the client gone", err)
	}
	if got := c.State(); got.Waiting != 0 || got.Active != 1 || got.Shed != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestConcurrencyHammer: never more than the limit, and nothing is left at the end, whoever goes and whoever is late.
func TestConcurrencyHammer(t *testing.T) {
	c, client := NewConcurrency(ConcurrencyOptions{Limit: 4, Queue: 8, Wait: 2 * time.Millisecond}), &leaving{}
	client.gone.Store(true)
	var now, most, served, gone atomic.Int64
	var wait sync.WaitGroup
	for worker := range 32 {
		wait.Go(func() {
			x := &exchange.Exchange{}
			if worker%4 == 0 {
				x.Client = client
			}
			for range 200 {
				if _, err := c.Request(x, 0); err != nil {
					if !isShed(err) {
						gone.Add(1) // on a slow machine it is asked for before it is late
					}
					continue
				}
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				served.Add(1)
				now.Add(-1)
				c.End(x, 0)
			}
		})
	}
	wait.Wait()
	if s := c.State(); s.Active != 0 || s.Waiting != 0 || most.Load() > 4 || served.Load()+int64(s.Shed)+gone.Load() < 32*200 {
		t.Errorf("at the end %+v; at most %d at once, %d served, %d gone", s, most.Load(), served.Load(), gone.Load())
	}
}
