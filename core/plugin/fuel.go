package plugin

import (
	"fmt"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport/sallyport/core/plugin/meter"
)

// What host functions cost, in units of fuel: about what guest code of the same duration would.
const (
	costCall       = 300   // any host call
	costLog        = 5_000 // a line for the log
	costRandom     = 2_000 // a system call
	costRandomByte = 4
	costSubject    = 5_000 // a certificate's subject made text
	costFetch      = 5_000 // a goroutine, and an exchange
	bytesPer       = 8     // bytes moved for one unit
)

// tank is the fuel and the time of an instance. The guest counts its fuel down itself, in a global; below zero it
// comes to refill, as do host functions that charge.
type tank struct {
	host     *Host
	fuel     api.MutableGlobal
	depth    api.Global // stack left to the guest; negative only after it was exhausted
	slice    int64
	budget   int64
	granted  int64 // what was put into the global so far, less what was overdrawn
	looked   int64 // at the clock, by Host.now; notLooked: not yet
	timeLeft int64 // nanoseconds
	inLane   bool  // of Host.lanes
}

// slowestUnit is the longest that a unit of fuel can take, in nanoseconds: a load that misses every cache. A slice that
// took longer has waited for a core, and that is not the guest's doing.
const slowestUnit = 20

const notLooked = -1

// bind finds the globals. It is called before the first use, which may come during the module's start function.
func (t *tank) bind(mod api.Module) {
	t.fuel = mod.ExportedGlobal(meter.FuelGlobal).(api.MutableGlobal)
	t.depth = mod.ExportedGlobal(meter.DepthGlobal)
}

// open begins a budget while the global still has the first slice that the meter compiled in.
func (t *tank) open(budget int64, limit time.Duration) {
	t.budget, t.granted = budget, min(t.slice, budget)+meter.CallUnits
	t.looked, t.timeLeft = t.host.now(), int64(limit)
}

// fill begins a budget with a fresh slice. The clock is not looked at: most hooks end within their first slice, and one that
// does not has the time limit from there on.
func (t *tank) fill(budget int64, limit time.Duration) {
	t.budget, t.granted = budget, min(t.slice, budget)
	t.fuel.Set(uint64(t.granted - meter.CallUnits))
	t.looked, t.timeLeft = notLooked, int64(limit)
}

// used returns the units spent since the budget began.
func (t *tank) used() int64 { return t.granted - int64(t.fuel.Get()) }

// left returns the units that the hook may still spend.
func (t *tank) left() int64 { return t.budget - t.used() }

// charge takes units for a host function's work.
func (t *tank) charge(units int64) {
	left := int64(t.fuel.Get()) - units
	t.fuel.Set(uint64(left))
	if left < 0 {
		t.refill()
	}
}

// refill is the safe point at a slice's end: it grants the next one, or stops the guest.
func (t *tank) refill() {
	spent := t.used()
	now := t.host.now()
	if t.looked != notLooked {
		t.timeLeft -= min(now-t.looked, slowestUnit*t.slice)
	}
	t.looked = now
	switch {
	case spent > t.budget:
		panic(&interrupt{OutOfFuel, fmt.Sprintf("%d units of fuel used up", t.budget)})
	case t.timeLeft < 0:
		panic(&interrupt{OutOfTime, "time limit passed"})
	case t.host.closing.Load():
		panic(&interrupt{Stopped, "the gateway is shutting down"})
	}
	next := min(t.slice, t.budget-spent)
	t.fuel.Set(uint64(next))
	t.granted = spent + next
	if t.share() {
		t.restart()
	}
}

// restart looks at the clock anew after the guest has waited: that is not its work.
func (t *tank) restart() { t.looked = t.host.now() }

// stackGone reports whether the guest exhausted its stack. It means something only after a failed call.
func (t *tank) stackGone() bool { return t.depth != nil && int32(t.depth.Get()) < 0 }
