package sallyport

import (
	"io"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// Body is the whole content of a message. The request's is there in the request hook of a plugin with
// Hooks.RequestBody, the response's in the response hook of one with Hooks.ResponseBody; elsewhere every method
// returns ErrWrongPhase. (An answer that the hook has made itself with Respond can be read and written again.) The
// bytes are as they came: a Content-Encoding is not undone. Content-Length is the gateway's business.
type Body struct {
	message uint32
}

var _ io.ReaderAt = Body{}

// bodyRoom is the step by which content grows.
const bodyRoom = 4 << 10

// content receives what Bytes returns. It is not the scratch: reading a header does not take a body away.
var content []byte

// Bytes returns the body without a copy of its own. The bytes may be changed, which changes nothing in the gateway before
// Set. They are valid until the hook returns or Bytes is called again, on any Body.
func (b Body) Bytes() ([]byte, error) {
	n := host.BodyRead(b.message, 0, content)
	if int(n) == len(content) { // there may be more
		if size := host.BodySize(b.message); size > n {
			// One byte more than the body, so that the next one of this size takes a single call.
			content = make([]byte, (int(size)/bodyRoom+1)*bodyRoom)
			n = host.BodyRead(b.message, 0, content)
		}
	}
	if n < 0 {
		return nil, ErrorCode(n)
	}
	return content[:n:n], nil
}

// Copy returns the body in memory of its own, to be kept.
func (b Body) Copy() ([]byte, error) {
	size, err := b.Size()
	if err != nil {
		return nil, err
	}
	whole := make([]byte, size)
	return whole, failure(host.BodyRead(b.message, 0, whole))
}

// Size returns the body's length in bytes.
func (b Body) Size() (int, error) {
	n := host.BodySize(b.message)
	if n < 0 {
		return 0, ErrorCode(n)
	}
	return int(n), nil
}

// ReadAt copies the body from an offset on, as io.ReaderAt says: for those who need a part of it.
func (b Body) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || int64(uint32(off)) != off {
		return 0, ErrInvalid
	}
	n := host.BodyRead(b.message, uint32(off), p)
	switch {
	case n < 0:
		return 0, ErrorCode(n)
	case int(n) < len(p):
		return int(n), io.EOF
	}
	return int(n), nil
}

// Set replaces the body with a copy of data, at most 1 MiB. No header changes: Content-Type, Content-Encoding and ETag
// are the plugin's to set or remove when they are no longer true.
func (b Body) Set(data []byte) error { return failure(host.BodyWrite(b.message, data)) }
