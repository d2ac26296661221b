//go:build !wasm && !tinygo.wasm

package sallyporttest

import (
	"errors"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// ErrAborted is what becomes of a body of which the plugin has refused a piece.
var ErrAborted = errors.New("the plugin aborted the exchange")

// RequestChunks has a body stream through the request's chunk hook in the given pieces, and returns what comes out, up to an error: the hook's,
// or ErrAborted.
func (p *Plugin) RequestChunks(x *Exchange, pieces ...string) (string, error) {
	if p.hooks.RequestChunk == nil {
		return strings.Join(pieces, ""), nil
	}
	return p.stream(host.InRequestChunk, calls.RequestChunk, x, pieces)
}

// ResponseChunks does the same with the response's.
func (p *Plugin) ResponseChunks(x *Exchange, pieces ...string) (string, error) {
	if p.hooks.ResponseChunk == nil {
		return strings.Join(pieces, ""), nil
	}
	return p.stream(host.InResponseChunk, calls.ResponseChunk, x, pieces)
}

// stream hands out pieces no larger than the gateway's.
func (p *Plugin) stream(phase host.Phase, call func(sallyport.Hooks, int32, int32) (sallyport.Flow, error), x *Exchange, pieces []string) (string, error) {
	const most = 16 << 10
	var passed strings.Builder
	pieces = slices.Clone(pieces)
	c := &host.Chunk{}
	for rest := pieces; len(rest) > 0; {
		c.Bytes = rest[0][:min(len(rest[0]), most)]
		if rest[0] = rest[0][len(c.Bytes):]; rest[0] == "" {
			rest = rest[1:]
		}
		c.Last = len(rest) == 0
		size, last := int32(len(c.Bytes)), int32(0)
		if c.Last {
			last = 1
		}
		var flow sallyport.Flow
		var err error
		host.RunChunk(phase, c, x, func() { flow, err = call(p.hooks, size, last) })
		if err == nil && flow != sallyport.Pass {
			err = ErrAborted
		}
		if err != nil {
			return passed.String(), err
		}
		passed.WriteString(c.Bytes)
	}
	return passed.String(), nil
}
