package key

import (
	"encoding/binary"

	"github.com/sallyport/sallyport/core/exchange"
)

// Has reports whether the request has the part.
func (p Part) Has(x *exchange.Exchange) bool {
	if p.kind == "client" {
		return x.Addr.IsValid()
	}
	_, ok := p.Value(x)
	return ok
}

// Append appends the part's value in a form that no two lists of values share, the same in every gateway. It allocates nothing, but for
// values that have to be decoded.
func (p Part) Append(b []byte, x *exchange.Exchange) []byte {
	if p.kind == "client" {
		address := x.Addr.As16()
		if x.Addr.Is4() || x.Addr.Is4In6() {
			return append(b, address[:]...)
		}
		return append(append(b, address[:8]...), 0, 0, 0, 0, 0, 0, 0, 0)
	}
	value, _ := p.Value(x)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
}
