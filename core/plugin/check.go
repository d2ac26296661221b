package plugin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/core/plugin/abi"
	"github.com/sallyport/sallyport/core/plugin/meter"
)

// maxProblems is how many of a module's problems are told: they go to logs and screens.
const maxProblems = 20

// checkModule reports all that keeps a module from being a plugin of this gateway, by its imports and exports.
func checkModule(info *meter.Info) error {
	exports := make(map[string]*meter.Export, len(info.Exports))
	for i := range info.Exports {
		exports[info.Exports[i].Name] = &info.Exports[i]
	}
	if exports[abi.ExportABI] == nil {
		return foreignModule(exports)
	}
	errs := checkExports(exports)
	offered := offeredFunctions()
	for i := range info.Imports {
		if err := checkImport(&info.Imports[i], offered); err != nil {
			errs = append(errs, err)
		}
	}
	if more := len(errs) - maxProblems; more > 0 {
		errs = append(errs[:maxProblems], fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

// foreignModule says what a module is that was not built for this ABI.
func foreignModule(exports map[string]*meter.Export) error {
	for name := range exports {
		switch {
		case strings.HasPrefix(name, "proxy_abi_version_"):
			return errors.New("built for proxy-wasm: this release runs plugins of Sallyport's own ABI only (it exports no sallyport_abi)")
		case name == "handle_request":
			return errors.New("built for http-wasm: this release runs plugins of Sallyport's own ABI only (it exports no sallyport_abi)")
		}
	}
	return fmt.Errorf("no Sallyport plugin: it exports no %s %s", abi.ExportABI, abi.Signature{Result: abi.I32})
}

func checkExports(exports map[string]*meter.Export) (errs []error) {
	if m := exports[abi.ExportMemory]; m == nil || m.Kind != meter.KindMemory {
		errs = append(errs, errors.New("exports no memory named memory"))
	}
	for _, want := range abi.Exports() {
		got := exports[want.Name]
		switch {
		case got == nil && want.Required:
			errs = append(errs, fmt.Errorf("exports no %s %s", want.Name, want.Signature))
		case got == nil:
		case got.Kind != meter.KindFunc:
			errs = append(errs, fmt.Errorf("export %s is no function, want %s", want.Name, want.Signature))
		case !matches(want.Signature, got.Params, got.Results):
			errs = append(errs, fmt.Errorf("export %s is %s, want %s",
				want.Name, describe(got.Params, got.Results), want.Signature))
		}
	}
	return errs
}

func checkImport(i *meter.Import, offered map[string]abi.Signature) error {
	if i.Module != abi.Module && i.Module != wasiModule {
		return fmt.Errorf("imports %q from %q: only %q and %q can be imported from", i.Name, i.Module, abi.Module, wasiModule)
	}
	want, known := offered[i.Module+"."+i.Name]
	switch {
	case !known:
		return fmt.Errorf("imports %s.%s, which ABI level %d does not have", i.Module, i.Name, abi.Level)
	case !matches(want, i.Params, i.Results):
		return fmt.Errorf("imports %s.%s as %s, want %s", i.Module, i.Name, describe(i.Params, i.Results), want)
	}
	return nil
}

// offeredFunctions returns the signatures of all host functions, by module and name.
func offeredFunctions() map[string]abi.Signature {
	offered := make(map[string]abi.Signature)
	for _, f := range abi.Functions() {
		offered[abi.Module+"."+f.Name] = f.Signature
	}
	for _, f := range wasiFunctions() {
		offered[wasiModule+"."+f.name] = f.signature
	}
	return offered
}
