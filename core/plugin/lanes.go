package plugin

import "runtime"

// lanes are what guests take turns in that need more than a slice: one fewer than there are cores, so that the one left serves everybody else.
// Guests do not yield inside a slice, and with all cores in guests the runtime looks at the network every 10 ms only.
type lanes chan struct{}

func newLanes() lanes {
	return make(lanes, max(1, runtime.GOMAXPROCS(0)-1))
}

// share is called at the end of a slice: whoever waits has the next one, in turn. It reports whether it had to wait.
func (t *tank) share() (waited bool) {
	t.leave()
	select {
	case t.host.lanes <- struct{}{}:
	default:
		t.host.lanes <- struct{}{}
		waited = true
	}
	t.inLane = true
	return waited
}

// leave gives the lane to others: the hook is over, or waits for something. One that goes on afterwards does so until the end of its slice.
func (t *tank) leave() {
	if t.inLane {
		t.inLane = false
		<-t.host.lanes
	}
}

// waits makes a host function that may wait, for something outside of the gateway, one that holds no lane meanwhile.
func waits(do hostFunction) hostFunction {
	return func(c *call, a args) int64 {
		c.tank.leave()
		return do(c, a)
	}
}
