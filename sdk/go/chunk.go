package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// Flow is what a chunk hook says.
type Flow int32

// The flows.
const (
	Pass  Flow = iota // the piece goes on, as it now is
	Abort             // the exchange ends: with 400 if its answer has not begun, else the answer is cut short
)

// Chunk is a piece of a body on its way through the gateway, as large as it came, at most 16 KiB: what belongs together may come in
// two. Hooks must not keep it.
//
// In Hooks.RequestChunk nothing else of the exchange can be reached but its Number and a State, which is the request chunks' own and empty at
// first: they run beside the other hooks. In Hooks.ResponseChunk the State is that of the other hooks.
type Chunk struct {
	Exchange
	message uint32
	size    int
	last    bool
}

// chunk is what chunk hooks are called with.
var chunk Chunk

// maxChunk is the size of the largest chunk.
const maxChunk = 16 << 10

// Bytes returns the piece without a copy of its own; it may be empty. The bytes may be changed, which changes nothing in the gateway
// before Set. They are valid until the hook returns or Bytes is called again.
func (c *Chunk) Bytes() []byte {
	if len(content) < c.size {
		content = make([]byte, max(c.size, maxChunk))
	}
	n := max(0, host.BodyRead(c.message, 0, content[:c.size]))
	return content[:n:n]
}

// Set replaces the piece with a copy of data, at most 1 MiB; with nothing, the piece is left out.
func (c *Chunk) Set(data []byte) error {
	err := failure(host.BodyWrite(c.message, data))
	if err == nil {
		c.size = len(data)
	}
	return err
}

// Last reports whether the body ends with this piece, which may be empty. A body that breaks off has no last piece.
func (c *Chunk) Last() bool { return c.last }
