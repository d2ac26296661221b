package meter

import (
	"context"
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// errFuel is what the test host panics with when the budget is spent.
var errFuel = fmt.Errorf("fuel spent")

// host is a wazero runtime with the refill function, keeping the contract that the package comment states.
type host struct {
	rt      wazero.Runtime
	cfg     wazero.ModuleConfig
	budget  int64 // 0 is endless
	slice   int64
	granted int64
	refills int

	hasMemory bool // the module under test has one; the engine's answer is never nil
}

func newHost(t testing.TB) *host {
	ctx := context.Background()
	rc := wazero.NewRuntimeConfig().WithDebugInfoEnabled(false).WithMemoryLimitPages(1024)
	h := &host{rt: wazero.NewRuntimeWithConfig(ctx, rc), slice: 1_000_000,
		cfg: wazero.NewModuleConfig().WithName("").WithStartFunctions().WithSysNanotime().WithSysWalltime()}
	t.Cleanup(func() { _ = h.rt.Close(ctx) })
	_, err := h.rt.NewHostModuleBuilder(RefillModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(h.refill), nil, nil).Export(RefillName).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wasi_snapshot_preview1.MustInstantiate(ctx, h.rt)
	return h
}

func (h *host) refill(_ context.Context, mod api.Module, _ []uint64) {
	g := mod.ExportedGlobal(FuelGlobal).(api.MutableGlobal)
	spent := h.granted - int64(g.Get())
	if h.budget > 0 && spent > h.budget {
		panic(errFuel)
	}
	h.refills++
	h.granted = spent + h.slice
	g.Set(uint64(h.slice))
}

// instance is a module under test; fuel and depth are nil if it is not metered.
type instance struct {
	h           *host
	mod         api.Module
	fuel, depth api.MutableGlobal
}

func (h *host) start(wasm []byte) (i *instance, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	h.granted = DefaultLimits().InitialFuel
	mod, err := h.rt.InstantiateWithConfig(context.Background(), wasm, h.cfg)
	if err != nil {
		return nil, err
	}
	i = &instance{h: h, mod: mod}
	i.fuel, _ = mod.ExportedGlobal(FuelGlobal).(api.MutableGlobal)
	i.depth, _ = mod.ExportedGlobal(DepthGlobal).(api.MutableGlobal)
	return i, nil
}

// call runs an export with one slice of fuel and returns what it spent.
func (i *instance) call(name string, args ...uint64) (results []uint64, spent int64, err error) {
	if i.fuel != nil {
		i.h.granted, i.h.refills = i.h.slice, 0
		i.fuel.Set(uint64(i.h.slice - CallUnits))
	}
	f := i.mod.ExportedFunction(name)
	if f == nil {
		return nil, 0, fmt.Errorf("no export %q", name)
	}
	results, err = f.Call(context.Background(), args...)
	if i.fuel != nil {
		spent = i.h.granted - int64(i.fuel.Get())
	}
	return results, spent, err
}

func mustRewrite(t testing.TB, wasm []byte, l Limits) *Module {
	t.Helper()
	m, err := Rewrite(wasm, l)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustStart(t testing.TB, h *host, wasm []byte) *instance {
	t.Helper()
	i, err := h.start(wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.mod.Close(context.Background()) })
	return i
}

// compiles says whether the engine takes the module.
func (h *host) compiles(wasm []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	c, err := h.rt.CompileModule(context.Background(), wasm)
	if err == nil {
		_ = c.Close(context.Background())
	}
	return err
}
