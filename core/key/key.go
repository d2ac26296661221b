// Package key tells requests apart: by who sends them, by what is in them, by what filters have noted of them.
package key

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/limit"
)

// Part is one thing that requests are told apart by. It is immutable.
type Part struct {
	kind string
	name string
}

// alone are the kinds without a name, named those with one.
var (
	alone = []string{"client", "route", "host", "path", "consumer"}
	named = []string{"header", "cookie", "query", "param", "attr"}
)

// Parse reads a part as configs write it: "client", "route", "host", "path", "consumer" (the attribute of that name, which authentication
// sets), "header:NAME", "cookie:NAME", "query:NAME", "param:NAME" or "attr:NAME".
func Parse(text string) (Part, error) {
	kind, name, _ := strings.Cut(text, ":")
	switch {
	case name == "" && kind == "consumer" && text == kind:
		return Part{"attr", "consumer"}, nil
	case name == "" && text == kind && slices.Contains(alone, kind), name != "" && slices.Contains(named, kind):
		return Part{kind, name}, nil
	}
	return Part{}, fmt.Errorf("%q cannot be part of a key", text)
}

// Value returns the part as the request has it, and whether it has it. The client is its address, with IPv6 the /64 that it is in: a
// single customer has at least so many. The string may be kept.
func (p Part) Value(x *exchange.Exchange) (value string, ok bool) {
	switch p.kind {
	case "client":
		return clientText(x), x.Addr.IsValid()
	case "route":
		return x.Route, x.Route != ""
	case "host":
		return x.Req.Host, x.Req.Host != ""
	case "path":
		return x.Req.Path, true
	case "header":
		return x.Req.Fields.Get(p.name)
	case "cookie":
		return http1.Cookie(&x.Req.Fields, p.name)
	case "query":
		return http1.Query(x.Req.Query, p.name)
	case "param":
		return x.Param(p.name)
	}
	return x.Attr(p.name)
}

func clientText(x *exchange.Exchange) string {
	var room [64]byte
	address := x.Addr.Unmap()
	if address.Is4() || !address.IsValid() {
		return x.Text.Copy(address.AppendTo(room[:0]))
	}
	prefix, _ := address.WithZone("").Prefix(64)
	return x.Text.Copy(prefix.AppendTo(room[:0]))
}

// Join adds the part's value to a hash that begins as 0. Requests that lack the part are told from none of their kind. It allocates
// nothing, but for values that have to be decoded.
func (p Part) Join(seed limit.Seed, sum uint64, x *exchange.Exchange) uint64 {
	if p.kind == "client" {
		address := x.Addr.As16()
		if x.Addr.Is4() || x.Addr.Is4In6() {
			return seed.JoinBytes(sum, address[:])
		}
		return seed.JoinBytes(sum, address[:8])
	}
	value, _ := p.Value(x)
	return seed.Join(sum, value)
}
