package plugin

import (
	"context"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// call is what host functions know of the guest that calls them. It is the context of every call into its instance,
// so that they find it without a look-up, and never the client's: one that hangs up must not end an instance.
type call struct {
	work hookCall // what the hook does to its exchange

	pool   *Pool
	mem    api.Memory
	tank   tank
	cost   int64         // of the host call under way, beyond the base
	reason string        // what the guest last told with fail
	out    [2]lineBuffer // stdout, stderr
}

var _ context.Context = (*call)(nil)

// Deadline is part of context.Context: there is none, fuel and time are counted otherwise.
func (*call) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is part of context.Context.
func (*call) Done() <-chan struct{} { return nil }

// Err is part of context.Context.
func (*call) Err() error { return nil }

// Value is part of context.Context.
func (*call) Value(any) any { return nil }

// bind finds what the call needs of its instance.
func (c *call) bind(mod api.Module) {
	c.mem = mod.Memory()
	c.tank.bind(mod)
}

// hostFunction is a host function behind the engine's calling convention.
type hostFunction func(c *call, a args) int64

// adapt makes a host function for one signature: outside its phases it is refused, its work is charged.
func adapt(do hostFunction, phases abi.Phases, result abi.Type) api.GoModuleFunc {
	return func(ctx context.Context, mod api.Module, stack []uint64) {
		c := ctx.(*call)
		if c.mem == nil {
			c.bind(mod) // the start function runs before the instance is in our hands
		}
		answer := int64(abi.WrongPhase)
		if phases&c.work.phase != 0 {
			answer = do(c, args{c, stack})
		}
		c.settle()
		switch result {
		case abi.I32:
			stack[0] = uint64(uint32(answer))
		case abi.I64:
			stack[0] = uint64(answer)
		}
	}
}

// settle charges the host call under way.
func (c *call) settle() {
	cost := c.cost
	c.cost = 0
	c.tank.charge(costCall + cost)
}
