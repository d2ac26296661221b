package upstream

import (
	"sync"
	"time"
)

// pool keeps the unused connections of one endpoint. The last one in is the first one out: it is the likeliest to
// be alive, and those that load does not need grow old and are closed.
type pool struct {
	max     int
	timeout time.Duration

	mu     sync.Mutex
	idle   []*conn // the longest unused first
	closed bool
	sweep  *time.Timer // runs while there is something to grow old
	armed  bool
}

// take returns the connection that was used last, or nil when there is none young enough.
func (p *pool) take(now time.Time) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 || p.tooOld(p.idle[last], now) {
		return nil // the sweep closes what is too old
	}
	c := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return c
}

// put keeps a connection, or closes it when there are enough.
func (p *pool) put(c *conn, now time.Time) {
	c.idleSince = now
	if !p.keep(c) {
		_ = c.Close() // nobody waits for anything on it
	}
}

func (p *pool) keep(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.max {
		return false
	}
	p.idle = append(p.idle, c)
	if !p.armed && p.timeout > 0 {
		p.arm(p.timeout)
	}
	return true
}

// arm makes the sweep run after d; the caller holds the lock.
func (p *pool) arm(d time.Duration) {
	p.armed = true
	if p.sweep == nil {
		p.sweep = time.AfterFunc(d, p.closeOld)
		return
	}
	p.sweep.Reset(d)
}

func (p *pool) tooOld(c *conn, now time.Time) bool {
	return p.timeout > 0 && now.Sub(c.idleSince) >= p.timeout
}

// closeOld closes what is too old and comes back when the next one will be.
func (p *pool) closeOld() {
	now := time.Now()
	p.mu.Lock()
	old := 0
	for old < len(p.idle) && p.tooOld(p.idle[old], now) {
		old++
	}
	closing := append([]*conn(nil), p.idle[:old]...)
	left := copy(p.idle, p.idle[old:])
	clear(p.idle[left:])
	p.idle = p.idle[:left]
	p.armed = false
	if left > 0 && !p.closed {
		p.arm(p.timeout - now.Sub(p.idle[0].idleSince))
	}
	p.mu.Unlock()
	closeAll(closing)
}

// close closes all and keeps nothing from now on.
func (p *pool) close() {
	p.mu.Lock()
	closing := p.idle
	p.idle, p.closed = nil, true
	if p.sweep != nil {
		p.sweep.Stop()
	}
	p.mu.Unlock()
	closeAll(closing)
}

func closeAll(closing []*conn) {
	for _, c := range closing {
		_ = c.Close() // unused: how it ends is of no interest
	}
}

func (p *pool) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}
