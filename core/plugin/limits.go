package plugin

import (
	"fmt"
	"time"
)

// pageSize is the unit of linear memory.
const pageSize = 64 << 10

// startTime is the most wall time that an instance may take to start: stock Go takes some milliseconds, and a request may be waiting.
const startTime = time.Second

// Limits bound one plugin. A zero takes the default.
type Limits struct {
	Memory       int64         // bytes an instance's linear memory may grow to; default 16 MiB
	Fuel         int64         // units for one hook; default 100 M
	Slice        int64         // units between two safe points; default 1 M
	FuelStart    int64         // units for start, _initialize and on_configure together; default 2 G
	TimeLimit    time.Duration // wall time of one hook; default 100 ms
	WaitTimeout  time.Duration // for an instance when all are busy; default 1 s
	MaxInstances int           // over all configurations of the plugin; default 64
	BufferLimit  int64         // bytes of a body that is held whole for a hook; default 1 MiB
	FetchTimeout time.Duration // for a fetch that names none, and the most for those that do; default 5 s
	MaxWaiting   int           // instances that may wait for a blocking fetch at once; default 16
	MaxUses      int64         // hooks an instance runs before a fresh one takes its place; 0: no bound
}

func (l Limits) withDefaults() Limits {
	orDefault(&l.Memory, 16<<20)
	orDefault(&l.Fuel, 100_000_000)
	orDefault(&l.Slice, 1_000_000)
	orDefault(&l.FuelStart, 2_000_000_000)
	orDefault(&l.TimeLimit, 100*time.Millisecond)
	orDefault(&l.WaitTimeout, time.Second)
	orDefault(&l.MaxInstances, 64)
	orDefault(&l.BufferLimit, 1<<20)
	orDefault(&l.FetchTimeout, 5*time.Second)
	orDefault(&l.MaxWaiting, 16)
	return l
}

func orDefault[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v == 0 {
		*v = otherwise
	}
}

func (l Limits) check() error {
	switch {
	case l.Memory < pageSize || l.Memory > maxMemory:
		return fmt.Errorf("memory limit of %d bytes: must be from %d to %d", l.Memory, pageSize, maxMemory)
	case l.Fuel < 0 || l.Slice < 0 || l.FuelStart < 0 || l.TimeLimit < 0 || l.MaxInstances < 0 || l.MaxUses < 0 || l.BufferLimit < 0 || l.FetchTimeout < 0 || l.MaxWaiting < 0:
		return fmt.Errorf("negative limit in %+v", l)
	}
	return nil
}
