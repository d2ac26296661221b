// Package sdk holds the text of the SDKs, so that the sallyport command can put a copy beside a new plugin.
package sdk

import (
	"embed"
	"io/fs"

	"github.com/sallyport/sallyport/sdk/go"
)

//go:embed rust/Cargo.toml rust/rustfmt.toml rust/src
var rust embed.FS

// Go returns the Go SDK, a module. It embeds itself: files of another module are out of reach of this one.
func Go() fs.FS { return sallyport.Source() }

// Rust returns the Rust SDK, a crate.
func Rust() fs.FS {
	crate, err := fs.Sub(rust, "rust")
	if err != nil {
		panic(err) // the name is a constant, and a valid one
	}
	return crate
}
