package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// Level is the weight of a line in the log.
type Level int32

// The levels.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Log writes a line to the gateway's log, which adds plugin, route and request id. Lines too many are dropped.
func Log(level Level, text string) { host.Log(int32(level), text) }

// Now returns the time in nanoseconds since 1970 UTC, for time.Unix(0, Now()). Under TinyGo's wasm-unknown target
// time.Now stands still; this does not.
func Now() int64 { return host.Now() }

// Random fills b with cryptographic random bytes, at most 4096 at once.
func Random(b []byte) error { return failure(host.Random(b)) }
