package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// Header is one header field.
type Header struct {
	Name, Value string
}

// Headers are the header fields of a message. Names are compared without regard to case. Host is not among them:
// there is Request.Host. Those that belong to the connection or to the framing of the body (Connection,
// Content-Length, …) are never there, and writing them is ErrInvalid.
type Headers struct {
	message uint32
}

// The messages' handles.
const (
	requestMessage   = 0
	responseMessage  = 1
	requestTrailers  = 2
	responseTrailers = 3
)

// Get returns the first value of a header, or "".
func (h Headers) Get(name string) string {
	value, _ := h.Bytes(name)
	return string(value)
}

// Lookup returns the first value of a header, and whether there is one.
func (h Headers) Lookup(name string) (value string, ok bool) {
	b, ok := h.Bytes(name)
	return string(b), ok
}

// Bytes returns the first value of a header without copying it, and whether there is one. The bytes are valid until
// the next call into this package.
func (h Headers) Bytes(name string) (value []byte, ok bool) {
	n := host.HeaderGet(h.message, name, scratch)
	for outgrown(n) {
		n = host.HeaderGet(h.message, name, scratch)
	}
	return held(n)
}

// Each calls visit with every header, in order, without copying, until it returns false. The bytes are valid until the next call into
// this package, so visit must make none.
func (h Headers) Each(visit func(name, value []byte) bool) {
	n := host.HeaderAll(h.message, "", scratch)
	for outgrown(n) {
		n = host.HeaderAll(h.message, "", scratch)
	}
	if b, ok := held(n); ok {
		eachOfList(b, visit)
	}
}

// Has reports whether there is a header of that name.
func (h Headers) Has(name string) bool {
	return host.HeaderGet(h.message, name, nil) >= 0
}

// Values returns every value of a header, in order.
func (h Headers) Values(name string) []string {
	list := h.list(name)
	values := make([]string, len(list))
	for i, field := range list {
		values[i] = field.Value
	}
	return values
}

// All returns every header, in order.
func (h Headers) All() []Header { return h.list("") }

func (h Headers) list(name string) []Header {
	n := host.HeaderAll(h.message, name, scratch)
	for outgrown(n) {
		n = host.HeaderAll(h.message, name, scratch)
	}
	encoded, _ := held(n)
	return decodeList(encoded)
}

// Set makes value the only one of a header.
func (h Headers) Set(name, value string) error {
	return failure(host.HeaderSet(h.message, name, value))
}

// Add appends a header.
func (h Headers) Add(name, value string) error {
	return failure(host.HeaderAdd(h.message, name, value))
}

// Remove deletes every header of that name.
func (h Headers) Remove(name string) error {
	return failure(host.HeaderRemove(h.message, name))
}
