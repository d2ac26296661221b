package gateway

import (
	"math/rand/v2"

	"github.com/sallyport/sallyport/core/exchange"
)

// requestIDField carries the request id from a client or an outer gateway, and on to the upstream.
const requestIDField = "X-Request-Id"

// maxRequestID bounds an id taken from a request.
const maxRequestID = 128

// stampID takes the request's id, or makes one, so that log, upstream and error answer name the same.
func stampID(x *exchange.Exchange) {
	if id, ok := x.Req.Fields.Get(requestIDField); ok && validID(id) {
		x.ID = id
		x.Req.Fields.Set(requestIDField, id) // a second one would be another id to who reads the last
		return
	}
	x.ID = newID(&x.Text)
	x.Req.Fields.Set(requestIDField, x.ID)
}

// newID makes 128 random bits in hex. The runtime's generator is a ChaCha8 per thread: not to be guessed, and cheap.
func newID(text *exchange.Text) string {
	var id [32]byte
	putHex(id[:16], rand.Uint64())
	putHex(id[16:], rand.Uint64())
	return text.Copy(id[:])
}

func putHex(dst []byte, v uint64) {
	const digits = "0123456789abcdef"
	for i := range dst {
		dst[i] = digits[v&15]
		v >>= 4
	}
}

// validID keeps out what could forge a log line or confuse whoever reads ids.
func validID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=':
		default:
			return false
		}
	}
	return true
}
