//go:build !wasm && !tinygo.wasm

// Package host is the gateway as the plugin sees it. This build of it is an in-memory gateway for tests, which
// follows sdk/ABI.md; in WebAssembly the same functions are the real gateway's.
package host

import "sync"

// memory is what the functions act on during a call of the plugin.
type memory struct {
	phase    Phase
	config   string
	reason   string // that the plugin gave for refusing
	held     bool   // the hook has asked for its message's body
	answered bool
	chunk    *Chunk // in chunk hooks
	x        *Exchange
}

var (
	turn    sync.Mutex // held during a call: like the gateway's, an instance runs one hook at a time
	current memory
)

// during runs the plugin's code over m and returns what became of it.
func during(m memory, code func()) memory {
	turn.Lock()
	defer turn.Unlock()
	current = m
	defer func() { current = memory{} }()
	code()
	return current
}

// Configure runs code that configures the plugin, and returns the reason that it gave for refusing.
func Configure(config string, code func()) (reason string) {
	return during(memory{phase: Configuring, config: config, x: &Exchange{}}, code).reason
}

// Run runs a hook's code over an exchange, and reports whether it has made an answer, now or, with answered, before it waited. With held the
// body of the hook's message is there.
func Run(phase Phase, held, answered bool, x *Exchange, code func()) bool {
	x.begin()
	return during(memory{phase: phase, held: held, answered: answered, x: x}, code).answered
}
