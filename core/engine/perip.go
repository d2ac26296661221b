package engine

import (
	"net"
	"net/netip"
	"time"
)

// logInterval is the least time between two log lines about refused connections: who makes many must not fill the log, too.
const logInterval = 10 * time.Second

// perIP counts a listener's open connections by client. It has no more entries than there are connections. Its fields are guarded by
// the listener's mu.
type perIP struct {
	open map[netip.Addr]int
}

// clientKey is what an address counts under: an IPv6 client usually has a whole /64 to choose from.
func clientKey(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	network, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return network.Addr()
}

// admit counts c; it reports false when its client has as many connections as it may have.
func (p *perIP) admit(c *conn, o *Options) bool {
	addr := c.peer.Addr()
	if o.ConnectionsPerIP <= 0 || !addr.IsValid() || contains(o.TrustedProxies, addr) {
		return true
	}
	key := clientKey(addr)
	if p.open[key] >= o.ConnectionsPerIP {
		return false
	}
	if p.open == nil {
		p.open = map[netip.Addr]int{}
	}
	p.open[key]++
	c.counted = key
	return true
}

func (p *perIP) release(c *conn) {
	switch n := p.open[c.counted]; {
	case !c.counted.IsValid():
	case n == 1:
		delete(p.open, c.counted)
	default:
		p.open[c.counted] = n - 1
	}
}

// refusals are refused connections, or streams, on their way into the log.
type refusals struct {
	unlogged uint64 // since the last line
	logged   time.Time
}

// note takes in n more; it returns how many a log line is due for, 0 when none is.
func (r *refusals) note(now time.Time, n uint64) (due uint64) {
	r.unlogged += n
	if now.Sub(r.logged) < logInterval {
		return 0
	}
	due, r.unlogged, r.logged = r.unlogged, 0, now
	return due
}

// turnAway closes a connection that is one too many, with a reset: a plain close would keep a trace of it in the kernel.
func (l *Listener) turnAway(c *conn) {
	l.refused.Add(1)
	if tcp, ok := c.nc.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // at worst the close is a plain one
	}
	_ = c.nc.Close() // whatever it says, the connection is gone
	if n := l.told.note(time.Now(), 1); n > 0 {
		l.engine.log.Warn("too many connections from one address", "listener", l.Addr().String(), "client", c.peerText, "closed", n)
	}
}

// Refused returns how many connections were closed at once because their client had too many.
func (l *Listener) Refused() uint64 { return l.refused.Load() }
