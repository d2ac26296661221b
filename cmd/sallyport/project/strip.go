package project

import (
	"encoding/binary"
	"strings"
)

// stripDebug takes away the custom sections that debuggers read. The names of functions stay. What is no module is returned as it is: the
// gateway has better words for that.
func stripDebug(wasm []byte) []byte {
	const header = 8
	if len(wasm) < header {
		return wasm
	}
	out := append([]byte(nil), wasm[:header]...)
	for rest := wasm[header:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		end := 1 + n + int(size)
		if n <= 0 || size > uint64(len(rest)) || end > len(rest) {
			return wasm
		}
		if rest[0] != 0 || !isDebug(rest[1+n:end]) {
			out = append(out, rest[:end]...)
		}
		rest = rest[end:]
	}
	return out
}

// isDebug looks at the name that a custom section begins with.
func isDebug(section []byte) bool {
	size, n := binary.Uvarint(section)
	if n <= 0 || size > uint64(len(section)-n) {
		return false
	}
	name := string(section[n : n+int(size)])
	return strings.HasPrefix(name, ".debug_") || strings.HasPrefix(name, "reloc..debug_") || name == "sourceMappingURL" || name == "external_debug_info"
}
