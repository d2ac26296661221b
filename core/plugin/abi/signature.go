package abi

import "strings"

// Type is a WebAssembly value type.
type Type uint8

// The types that the ABI uses. None stands for no result.
const (
	None Type = iota
	I32
	I64
	F64
)

// String returns the type's name in WebAssembly.
func (t Type) String() string {
	return [...]string{"", "i32", "i64", "f64"}[t]
}

// Param is a named parameter of a function.
type Param struct {
	Name string
	Type Type
}

// Signature is what a function takes and returns.
type Signature struct {
	Params []Param
	Result Type
}

// String writes the signature as sdk/ABI.md does: (name i32, …) -> i32.
func (s Signature) String() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, p := range s.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Name + " " + p.Type.String())
	}
	b.WriteByte(')')
	if s.Result != None {
		b.WriteString(" -> " + s.Result.String())
	}
	return b.String()
}

// i32s makes parameters of type i32; a name ending in … stands for a pointer and a length.
func i32s(names ...string) []Param {
	var params []Param
	for _, name := range names {
		if stem, pair := strings.CutSuffix(name, "…"); pair {
			params = append(params, Param{stem, I32}, Param{stem + "_len", I32})
			continue
		}
		params = append(params, Param{name, I32})
	}
	return params
}

func join(lists ...[]Param) []Param {
	var all []Param
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}
