package plugin

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport/sallyport/core/plugin/abi"
	"github.com/sallyport/sallyport/core/plugin/meter"
)

// offer makes the modules that plugins import from.
func (h *Host) offer(ctx context.Context) error {
	for _, make := range []func() (wazero.HostModuleBuilder, error){h.nativeModule, h.wasiModule, h.meterModule} {
		builder, err := make()
		if err != nil {
			return err
		}
		if _, err := builder.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) nativeModule() (wazero.HostModuleBuilder, error) {
	b := h.runtime.NewHostModuleBuilder(abi.Module)
	native := nativeFunctions()
	for _, f := range abi.Functions() {
		do := native[f.Name]
		if do == nil {
			return nil, fmt.Errorf("host function %s is offered but not there", f.Name)
		}
		export(b, f.Name, adapt(do, f.Phases, f.Result), f.Signature)
	}
	return b, nil
}

func (h *Host) wasiModule() (wazero.HostModuleBuilder, error) {
	b := h.runtime.NewHostModuleBuilder(wasiModule)
	for _, f := range wasiFunctions() {
		export(b, f.name, adapt(f.do, abi.Everywhere, f.signature.Result), f.signature)
	}
	return b, nil
}

// meterModule has the function that a guest calls at the end of a slice of fuel.
func (h *Host) meterModule() (wazero.HostModuleBuilder, error) {
	b := h.runtime.NewHostModuleBuilder(meter.RefillModule)
	refill := func(ctx context.Context, mod api.Module, _ []uint64) {
		c := ctx.(*call)
		if c.mem == nil {
			c.bind(mod)
		}
		c.tank.refill()
	}
	export(b, meter.RefillName, refill, abi.Signature{})
	return b, nil
}

func export(b wazero.HostModuleBuilder, name string, f api.GoModuleFunc, s abi.Signature) {
	params, results := valueTypes(s)
	b.NewFunctionBuilder().WithGoModuleFunction(f, params, results).Export(name)
}
