package plugin

import (
	"fmt"
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// Pool is a plugin with one configuration: the instances that run its hooks. It may be used by many goroutines, and
// by many filters.
type Pool struct {
	plugin  *Plugin
	config  string
	grants  Grants
	wants   abi.Hooks
	level   int32  // of the ABI that it was built for
	talk    bucket // what the plugin says
	alarm   bucket // what is said of its failures
	breaker breaker

	// Guarded by the fleet's lock.
	idle   []*instance // the last one used is the first one taken: its memory is warm
	seats  []*seat     // instances that exchanges keep to
	live   int         // idle, running or being made
	spare  int         // fewest that were idle at once since the last Sweep
	closed bool
	stats  Stats
}

func newPool(p *Plugin, config []byte, g Grants) *Pool {
	if config == nil {
		config = []byte("{}")
	}
	return &Pool{
		plugin: p,
		config: string(config),
		grants: g,
		talk:   newBucket(linesPerSecond, linesAtOnce),
		alarm:  newBucket(failuresPerSecond, failuresAtOnce),
	}
}

// Plugin returns what the pool's instances are copies of.
func (p *Pool) Plugin() *Plugin { return p.plugin }

// lease returns an instance for one hook, to be handed to give or drop.
func (p *Pool) lease() (*instance, error) {
	f := &p.plugin.fleet
	f.mu.Lock()
	if n := len(p.idle) - 1; n >= 0 {
		i := p.idle[n]
		p.idle[n] = nil
		p.idle = p.idle[:n]
		p.spare = min(p.spare, n)
		f.mu.Unlock()
		return i, nil
	}
	if p.closed {
		f.mu.Unlock()
		return nil, errClosed
	}
	return p.leaseBusy()
}

// leaseBusy finds an instance when none is idle: a new one, in the place of another configuration's idle one if need
// be, else the first that becomes free. It is called with the lock held and lets go of it.
func (p *Pool) leaseBusy() (*instance, error) {
	f := &p.plugin.fleet
	var evicted *instance
	if f.total >= f.max {
		evicted = f.evict()
	}
	if f.total < f.max {
		f.take(p)
		f.mu.Unlock()
		if evicted != nil {
			evicted.close()
		}
		return p.grow()
	}
	w := &waiter{p, make(chan handover, 1)}
	f.waiting = append(f.waiting, w)
	f.mu.Unlock()
	if evicted != nil {
		evicted.close()
	}
	return p.wait(w)
}

// wait waits in the queue, for a bounded time.
func (p *Pool) wait(w *waiter) (*instance, error) {
	timeout := time.NewTimer(p.plugin.limits.WaitTimeout)
	defer timeout.Stop()
	var got handover
	select {
	case got = <-w.got:
	case <-timeout.C:
		if p.plugin.fleet.leave(w) {
			return nil, errBusy
		}
		got = <-w.got
	}
	if got.err != nil || got.idle != nil {
		return got.idle, got.err
	}
	return p.grow()
}

// grow makes an instance; its room has been taken.
func (p *Pool) grow() (*instance, error) {
	i, err := startInstance(p)
	if err == nil && i.wants != p.wants {
		err = fmt.Errorf("on_configure asked for %q at first and for %q now", p.wants, i.wants)
		i.close()
	}
	f := &p.plugin.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		p.stats.StartsFailed++
		f.releaseLocked(p)
		return nil, err
	}
	p.stats.Started++
	return i, nil
}

// give takes an instance back after a hook that went well.
func (p *Pool) give(i *instance) {
	used, worn := i.call.tank.used(), i.worn()
	p.plugin.fleet.mu.Lock()
	p.stats.count(used)
	p.shelve(i, worn)
}

// shelve makes an instance idle, unless another will do better without it. It is called with the lock held and lets go of it.
func (p *Pool) shelve(i *instance, worn bool) {
	f := &p.plugin.fleet
	if worn || p.closed || f.total > f.max {
		p.stats.Recycled++
		f.mu.Unlock()
		i.close()
		f.release(p)
		return
	}
	if len(f.waiting) > 0 {
		p.handOver(i)
		return
	}
	p.idle = append(p.idle, i)
	f.mu.Unlock()
}

// handOver gives an instance to the first waiter, or its room when that one waits for another configuration's. It is
// called with the lock held and lets go of it.
func (p *Pool) handOver(i *instance) {
	f := &p.plugin.fleet
	w := f.waiting[0]
	f.waiting = slices.Delete(f.waiting, 0, 1)
	if w.pool == p {
		f.mu.Unlock()
		w.got <- handover{idle: i}
		return
	}
	p.stats.Evicted++
	p.live--
	w.pool.live++
	f.mu.Unlock()
	i.close()
	w.got <- handover{}
}

// drop closes an instance that failed and gives up its room.
func (p *Pool) drop(i *instance, cause Cause) {
	i.close()
	p.noteFailure(i, cause, 0)
	p.plugin.fleet.release(p)
}

// renew closes an instance that failed and makes a fresh one in its room.
func (p *Pool) renew(i *instance, cause Cause) (*instance, error) {
	i.close()
	p.noteFailure(i, cause, 1)
	return p.grow()
}

func (p *Pool) noteFailure(i *instance, cause Cause, retried int64) {
	used := i.call.tank.used()
	f := &p.plugin.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	p.stats.count(used)
	p.stats.Failures[cause]++
	p.stats.Retried += retried
}

// Sweep closes half of the instances that were not needed since the last Sweep; one stays idle at least. It is meant to be
// called every so often, say every ten seconds.
func (p *Pool) Sweep() {
	f := &p.plugin.fleet
	f.mu.Lock()
	n := min((p.spare+1)/2, len(p.idle)-1)
	var swept []*instance
	if n > 0 {
		swept = slices.Clone(p.idle[:n]) // the bottom of the stack: the longest unused
		p.idle = slices.Delete(p.idle, 0, n)
		p.stats.Swept += int64(n)
	}
	p.spare = len(p.idle)
	f.mu.Unlock()
	for _, i := range swept {
		i.close()
		f.release(p)
	}
}

// Close waits for the hooks that run and closes all instances; hooks that come later fail. It may be called more than once.
func (p *Pool) Close() {
	f := &p.plugin.fleet
	f.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	f.dismiss(p)
	f.pools = slices.DeleteFunc(f.pools, func(other *Pool) bool { return other == p })
	f.mu.Unlock()
	for _, i := range idle {
		i.close()
		f.release(p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for p.live > 0 {
		f.left.Wait()
	}
}
