package plugin

import (
	"encoding/binary"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// eachField visits the fields of a list in the form of sdk/ABI.md, section 10, until visit objects.
func eachField(list []byte, visit func(name, value string) abi.Code) abi.Code {
	const head, lengths = 4, 8
	if len(list) == 0 {
		return ok
	}
	if len(list) < head {
		return abi.Invalid
	}
	count := int64(binary.LittleEndian.Uint32(list))
	switch {
	case count > abi.MaxFields:
		return abi.TooLarge
	case int64(len(list)) < head+lengths*count:
		return abi.Invalid
	}
	texts := list[head+lengths*count:]
	for i := range count {
		at := list[head+lengths*i:]
		name, value := int64(binary.LittleEndian.Uint32(at)), int64(binary.LittleEndian.Uint32(at[4:]))
		if name+value > int64(len(texts)) {
			return abi.Invalid
		}
		if code := visit(string(texts[:name]), string(texts[name:name+value])); code != ok {
			return code
		}
		texts = texts[name+value:]
	}
	if len(texts) != 0 {
		return abi.Invalid
	}
	return ok
}
