//go:build !wasm && !tinygo.wasm

package sallyport

// Calls are how hooks are called. They are for package sallyporttest alone, and not there in WebAssembly.
type Calls struct{}

// Request runs a request hook.
func (Calls) Request(h Hooks, hook func(*Request) (Verdict, error)) (Verdict, error) {
	return callRequest(hook, h.ResumeRequest != nil)
}

// Response runs a response hook, and reports whether it waits.
func (Calls) Response(h Hooks, hook func(*Response) error) (waits bool, err error) {
	return callResponse(hook, h.ResumeResponse != nil)
}

// RequestChunk runs the hook over the chunk at hand.
func (Calls) RequestChunk(h Hooks, size, last int32) (Flow, error) {
	return h.RequestChunk(chunkOf(requestMessage, size, last))
}

// ResponseChunk runs the hook over the chunk at hand.
func (Calls) ResponseChunk(h Hooks, size, last int32) (Flow, error) {
	return h.ResponseChunk(&response, chunkOf(responseMessage, size, last))
}

// End runs the end hook.
func (Calls) End(h Hooks) { h.End(&response) }
