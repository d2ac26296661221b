package upstream

import (
	"errors"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

var errFull = errors.New("no more connections may be made, and those there are have no room")

// streamGrain is how often somebody who waits for a stream looks whether there is room: a server may make more at any time, and net/http
// tells of a stream's end a little later than the exchange that it was of.
const streamGrain = 2 * time.Millisecond

// isFull reports whether there may be no more connections; the caller holds the lock.
func (m *mux) isFull() bool {
	return m.gate != nil && m.gate.o.MaxConnections > 0 && len(m.conns) >= m.gate.o.MaxConnections
}

// waitForStream lets some time pass, if the exchange may wait for room on the connections there are. Late is zero at first.
func (g *gate) waitForStream(x *exchange.Exchange, deadline time.Time, late *time.Time) *fault.Fault {
	now := time.Now()
	if late.IsZero() {
		*late = earlier(deadline, now.Add(g.o.PendingTimeout))
	}
	defer g.pending.Add(-1)
	switch waiting := g.pending.Add(1); {
	case waiting > int64(g.o.MaxPending), !now.Before(*late):
		f := g.overflow()
		f.Retry, f.Err = true, unconnected{errFull}
		return f
	case isGone(x):
		return fault.Wrap(fault.ClientGone, fault.Client, errGone)
	}
	time.Sleep(min(streamGrain, late.Sub(now)))
	return nil
}
