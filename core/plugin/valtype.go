package plugin

import (
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// valueType returns the type's byte in the binary format.
func valueType(t abi.Type) api.ValueType {
	return [...]api.ValueType{abi.I32: api.ValueTypeI32, abi.I64: api.ValueTypeI64, abi.F64: api.ValueTypeF64}[t]
}

// valueTypes returns the bytes of a signature's parameters and results.
func valueTypes(s abi.Signature) (params, results []api.ValueType) {
	for _, p := range s.Params {
		params = append(params, valueType(p.Type))
	}
	if s.Result != abi.None {
		results = append(results, valueType(s.Result))
	}
	return params, results
}

func matches(want abi.Signature, params, results []byte) bool {
	wantParams, wantResults := valueTypes(want)
	return string(wantParams) == string(params) && string(wantResults) == string(results)
}

// describe writes a signature of a module: (i32, i64) -> i32.
func describe(params, results []byte) string {
	text := "(" + typeNames(params) + ")"
	switch len(results) {
	case 0:
		return text
	case 1:
		return text + " -> " + typeNames(results)
	}
	return text + " -> (" + typeNames(results) + ")"
}

func typeNames(types []byte) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = api.ValueTypeName(t)
	}
	return strings.Join(names, ", ")
}
