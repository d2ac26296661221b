//go:build !wasm && !tinygo.wasm

package host

// Chunk is a piece of a body as a chunk hook sees and leaves it.
type Chunk struct {
	Bytes string
	Last  bool
	State []byte // of the request's chunks

	phase Phase
}

// message is the handle of the message that the chunk is a piece of.
func (c *Chunk) message() uint32 {
	if c.phase == InRequestChunk {
		return 0
	}
	return 1
}

// RunChunk runs a chunk hook's code over a piece of an exchange's body.
func RunChunk(phase Phase, c *Chunk, x *Exchange, code func()) {
	c.phase = phase
	during(memory{phase: phase, chunk: c, x: x}, code)
}
