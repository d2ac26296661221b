//go:build !wasm && !tinygo.wasm

package sallyporttest

import (
	"strings"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// Exchange is one request and its answer, as the test prepares it and as the plugin leaves it.
type Exchange = host.Exchange

// Fields are the headers of one message.
type Fields = host.Fields

// NewExchange returns an exchange for a request over plain HTTP from 192.0.2.1, with an empty 200 as its answer.
// The target is a path, perhaps with a query.
func NewExchange(method, target string) *Exchange {
	path, query, _ := strings.Cut(target, "?")
	return &Exchange{
		Method: method, Scheme: "http", Host: "gateway.test", Path: path, Query: query, Protocol: "HTTP/1.1",
		ClientAddress: "192.0.2.1", Route: "test", ID: "request-1", Number: 1, Status: 200,
	}
}
