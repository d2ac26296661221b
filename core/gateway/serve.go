package gateway

import (
	"strings"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/grpc"
)

// Serve takes one exchange through the gateway: the engine has read the request's head, and writes what is left in x.Resp.
//
//	match a route → run its chain up → let its backend answer → run the chain back
//
// Whatever goes wrong on the way becomes an answer by fail. What gRPC clients get is made gRPC at the very end, whoever answered.
func (g *Gateway) Serve(x *exchange.Exchange) {
	s := g.pin(x)
	stampID(x)
	if x.Asked.Path == "" { // else the engine has told what was asked for by a head that it refuses
		x.Asked = exchange.Asked{Path: x.Req.Path, Query: x.Req.Query}
	}
	client := dialectOf(x)
	x.Duplex = client != grpc.None
	if s.tracing != nil {
		s.tracing.begin(x)
	}
	s.answer(x, client)
	answerCall(x, client)
	if x.Resp.Tunnel != nil && !hasEnd(x) {
		x.CloseSlots() // no hook is left to run, and a tunnel may outlive many generations
		counted := countedAs(x)
		g.unpin(x)
		keepCount(x, counted)
	}
}

// answer fills the response to a client that speaks that dialect of gRPC, or none.
func (s *Snapshot) answer(x *exchange.Exchange, client grpc.Dialect) {
	if x.Fault != nil { // the engine could not make sense of the request
		fail(x, x.Fault)
		return
	}
	if x.HTTPSPort != 0 {
		redirectHTTPS(x)
		return
	}
	r, f := s.match(x)
	if f == nil && r.callsHTTP2 {
		f = takeWebCall(x, client)
	}
	if f != nil {
		if r != nil {
			x.Pinned = (*refusedRoute)(r)
		}
		fail(x, f)
		return
	}
	x.Pinned = r
	if s.tracing != nil {
		s.tracing.enter(x, r)
	}
	if r.chain.Request(x) == chain.Continue {
		x.Times.Chain, x.By = x.Times.Now(), r.answers
		if f := r.backend.Answer(x); f != nil {
			fail(x, f)
		}
	}
	r.chain.Response(x)
}

// End closes the account of an exchange: every one ends here, once, however it went.
func (g *Gateway) End(x *exchange.Exchange) {
	if hasEnd(x) {
		// An answer that was cut short is still open, and a copier may be at the request.
		_ = x.Resp.Body.Close() // the client has got what it gets
		x.Pinned.(*servedRoute).chain.End(x)
	}
	endTrace(x)
	g.count(x)
	g.refusals.note(x)
	g.logAccess(x)
	g.unpin(x)
}

// hasEnd reports whether a filter of the exchange's route wants to hear of its end.
func hasEnd(x *exchange.Exchange) bool {
	r, ok := x.Pinned.(*servedRoute)
	return ok && r.chain.HasEnd()
}

// match finds the exchange's route. With a fault, too, there may be one: it refuses the exchange.
func (s *Snapshot) match(x *exchange.Exchange) (*servedRoute, *fault.Fault) {
	index, allow := s.table.Match(x)
	if index < 0 {
		if allow != "" {
			return nil, &fault.Fault{Kind: fault.MethodNotAllowed, Side: fault.Client, Allow: allow}
		}
		return nil, fault.New(fault.NotFound, fault.Client, "no route for this host and path")
	}
	r := &s.routes[index]
	x.Route, x.Idle, x.Unlogged = r.name, r.idle, r.unlogged
	for _, encoded := range r.rejectEncoded {
		if strings.Contains(x.Req.Path, encoded) {
			return r, fault.New(fault.BadRequest, fault.Client, "the path holds an encoded character that this route refuses: "+encoded)
		}
	}
	return r, nil
}

// pin keeps the current Snapshot for the exchange. Counting first and looking again means that a Snapshot that was
// replaced in between is never used: it may have been closed already.
func (g *Gateway) pin(x *exchange.Exchange) *Snapshot {
	for {
		s := g.current.Load()
		s.pin(x.Shard)
		if g.current.Load() == s {
			x.Pinned = s
			x.Generation = s.Generation
			return s
		}
		s.unpin(x.Shard)
	}
}

// unpin lets go of the exchange's Snapshot, if it still holds one: by itself, or by the route that it found there.
func (g *Gateway) unpin(x *exchange.Exchange) {
	switch pinned := x.Pinned.(type) {
	case *Snapshot:
		pinned.unpin(x.Shard)
	case *servedRoute:
		pinned.snapshot.unpin(x.Shard)
	case *refusedRoute:
		pinned.snapshot.unpin(x.Shard)
	}
	x.Pinned = nil
}
