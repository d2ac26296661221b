package plugin

import (
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// cell is a global without a module.
type cell struct {
	api.MutableGlobal
	v uint64
}

func (c *cell) Get() uint64  { return c.v }
func (c *cell) Set(v uint64) { c.v = v }

// A guest that is kept from its core for long is not one that takes too long; but it is not let go on for ever.
func TestTimeWithoutACoreIsNotTheGuests(t *testing.T) {
	tank := tank{host: &Host{base: time.Now(), lanes: newLanes()}, fuel: &cell{}, slice: 1_000_000}
	tank.fill(1<<40, 99*time.Millisecond)
	granted := 0
	for stopped(&tank, time.Hour) == nil {
		granted++
	}
	if granted != 4 {
		t.Errorf("got %d slices, want 4 of 20 ms each", granted)
	}
}

// stopped ends a slice after some time has passed and returns what stopped the guest.
func stopped(t *tank, passed time.Duration) (reason any) {
	defer func() { reason = recover() }()
	t.looked -= int64(passed)
	t.fuel.Set(0)
	t.refill()
	return nil
}
