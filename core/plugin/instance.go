package plugin

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// instance is a running copy of a plugin with its own memory. One goroutine uses it at a time.
type instance struct {
	pool  *Pool
	mod   api.Module
	hooks [hookCount]api.Function
	wants abi.Hooks
	level int32
	call  call
	stack [2]uint64 // of parameters and results

	uses       int64
	startBytes uint32 // of memory, once it was configured
}

// startInstance makes an instance and configures it. An error is a *Failure, a *ConfigError, or says what the plugin did wrong.
func startInstance(p *Pool) (i *instance, err error) {
	i = &instance{pool: p}
	limits := &p.plugin.limits
	c := &i.call
	c.pool = p
	c.work.grants = &p.grants
	c.tank.host, c.tank.slice = p.plugin.host, limits.Slice
	c.work.begin(abi.InConfigure, task{})
	c.tank.open(limits.FuelStart, startTime)
	defer func() {
		c.flush()
		if err != nil {
			i.close()
			i = nil
		}
	}()
	if err := i.instantiate(); err != nil {
		return i, err
	}
	return i, i.configure()
}

// instantiate recovers, as compileOnce does.
func (i *instance) instantiate() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("instantiating panicked: %v", r)
		}
	}()
	p := i.pool.plugin
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	defer i.call.tank.leave()
	mod, err := p.host.runtime.InstantiateModule(&i.call, p.compiled, config)
	if err != nil {
		return newFailure("start", err, i.call.tank.stackGone())
	}
	i.mod = mod
	i.call.bind(mod)
	return nil
}

// configure brings a fresh instance to where it can run hooks.
func (i *instance) configure() error {
	if i.pool.plugin.exports[abi.ExportInitialize] {
		if _, err := i.start(abi.ExportInitialize); err != nil {
			return err
		}
	}
	level, err := i.start(abi.ExportABI)
	if err != nil {
		return err
	}
	if level < 1 || level > abi.Level {
		return fmt.Errorf("built for ABI level %d, this gateway speaks 1 to %d", level, abi.Level)
	}
	i.level = level
	wants, err := i.start(abi.ExportConfigure)
	if err != nil {
		return err
	}
	if wants < 0 {
		return refusal(i.call.reason, wants)
	}
	i.wants = abi.Hooks(wants).Implied()
	i.call.work.wants = i.wants
	i.startBytes = i.call.mem.Size()
	if err := checkHooks(i.wants, i.pool.plugin.exports); err != nil {
		return err
	}
	for h, info := range hooks {
		if i.wants&info.bit != 0 || hook(h) == onResume {
			i.hooks[h] = i.mod.ExportedFunction(info.export) // on_resume is no hook that is asked for: it may be missing
		}
	}
	return nil
}

// start calls a function without parameters, on what is left of the fuel for starting.
func (i *instance) start(export string) (int32, error) {
	return i.invoke(i.mod.ExportedFunction(export), export)
}

func (i *instance) invoke(f api.Function, export string) (int32, error) {
	err := f.CallWithStack(&i.call, i.stack[:])
	i.call.tank.leave()
	if err != nil {
		return 0, newFailure(export, err, i.call.tank.stackGone())
	}
	return int32(i.stack[0]), nil
}

// task is one run of a hook.
type task struct {
	hook  hook
	x     *exchange.Exchange
	place int
	chunk *chunk // of chunk hooks, else nil
	span  int    // its place in the exchange's Recording; 0: none
	seat  *seat  // the instance that the exchange keeps to; nil: any will do
}

// run runs a hook. After an error the exchange is as before, and the instance must be dropped.
func (i *instance) run(t task) (int32, *Failure) {
	i.call.work.begin(hooks[t.hook].phase, t)
	if t.chunk != nil {
		i.stack[0], i.stack[1] = uint64(len(t.chunk.bytes)), t.chunk.isLast()
	}
	return i.finish(t.hook, t.hook)
}

// resume goes on with a hook that waited, perhaps in another instance. After an error the exchange is as before that hook.
func (i *instance) resume(t task) (int32, *Failure) {
	i.call.work.begin(hooks[t.hook].phase, t)
	i.call.work.unpark()
	return i.finish(t.hook, onResume)
}

// finish calls a hook's function on a fresh budget; as is the one that it counts as.
func (i *instance) finish(as, called hook) (int32, *Failure) {
	c := &i.call
	c.tank.fill(i.pool.plugin.limits.Fuel, i.pool.plugin.limits.TimeLimit)
	result, err := i.invoke(i.hooks[called], hooks[called].export)
	if err == nil {
		err = as.judge(result, c.work.responded, result == abi.ResultWait && i.hooks[onResume] != nil && c.work.waits())
	}
	c.flush()
	if err != nil {
		c.work.undo()
		return 0, asFailure(hooks[called].export, err)
	}
	if as.waits(result) {
		c.work.park()
	} else {
		c.work.end(as == onResponse || result == abi.ResultRespond)
	}
	i.uses++
	return result, nil
}

func asFailure(export string, err error) *Failure {
	if f, ok := err.(*Failure); ok {
		return f
	}
	return newFailure(export, err, false)
}

// worn reports whether a fresh instance should take this one's place: it has run its share of hooks, or its memory, which
// never shrinks, has grown well beyond what it started with and what most of its kind need.
func (i *instance) worn() bool {
	limits := &i.pool.plugin.limits
	if limits.MaxUses > 0 && i.uses >= limits.MaxUses {
		return true
	}
	size := int64(i.call.mem.Size())
	return size > limits.Memory/2 && size > 2*int64(i.startBytes)
}

// close lets go of the instance's memory. It may be called on one that was only half made.
func (i *instance) close() {
	if i.mod != nil {
		_ = i.mod.Close(context.Background()) // there are no files or sockets whose closing could fail
	}
}
