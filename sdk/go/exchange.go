package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// Exchange is what request, response and their chunks have in common: one request and its answer.
type Exchange struct{}

// Number tells exchanges apart that are open at the same time; it is never 0.
func (Exchange) Number() uint64 { return host.Number() }

// State returns what this filter has stored for the exchange; empty at first.
func (Exchange) State() []byte {
	n := host.StateGet(scratch)
	for outgrown(n) {
		n = host.StateGet(scratch)
	}
	value, _ := held(n)
	return append([]byte(nil), value...)
}

// SetState stores up to 64 KiB for the exchange, to be read by this filter's later hooks.
func (Exchange) SetState(data []byte) error { return failure(host.StateSet(data)) }

// Attr returns an attribute, and whether it is set. Attributes are shared by all filters of the exchange, and seen
// by access log and rate limits.
func (Exchange) Attr(name string) (value string, ok bool) {
	n := host.AttrGet(name, scratch)
	for outgrown(n) {
		n = host.AttrGet(name, scratch)
	}
	b, ok := held(n)
	return string(b), ok
}

// SetAttr sets an attribute.
func (Exchange) SetAttr(name, value string) error { return failure(host.AttrSet(name, value)) }
