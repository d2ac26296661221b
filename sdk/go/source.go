//go:build !wasm && !tinygo.wasm

package sallyport

import (
	"embed"
	"io/fs"
)

//go:embed go.mod *.go */*.go */*/*.go
var source embed.FS

// Source returns the text of this SDK, for tools that put a copy beside a plugin. It is not there in WebAssembly.
func Source() fs.FS { return source }
