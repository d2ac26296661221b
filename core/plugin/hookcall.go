package plugin

import (
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// ok is the code of what went well.
const ok abi.Code = 0

// part is a message of an exchange; from firstFetch on, the answer of a fetch, in the order of starting.
type part uint8

const firstFetch = part(abi.FirstFetch)

const (
	request part = iota
	response
	requestTrailers
	responseTrailers
)

// hookCall is one hook's work on its exchange: the host functions without their decoding. Strings handed to its methods are
// borrowed, what is kept is copied; strings it returns are valid until its next method or the next host call.
type hookCall struct {
	x         *exchange.Exchange // nil while the instance starts
	place     int                // of the filter in its chain
	phase     abi.Phases
	chunk     *chunk    // in chunk hooks
	wants     abi.Hooks // of the plugin
	grants    *Grants   // likewise
	responded bool
	lasting   bool // something was done that cannot be undone
	fetching  bool // a fetch or a check of a password was started
	saved     savepoint
	scratch   []byte
}

// begin makes the call that of another hook.
func (h *hookCall) begin(phase abi.Phases, t task) {
	h.x, h.place, h.chunk = t.x, t.place, t.chunk
	h.phase, h.responded, h.lasting, h.fetching = phase, false, false, false
}

// state returns what the filter keeps of this exchange. The request's chunks have one of their own: they run beside the rest of the exchange.
func (h *hookCall) state() *[]byte {
	if h.phase == abi.InRequestChunk {
		return &h.chunk.state
	}
	return h.x.State(h.place)
}

// end keeps what the hook did. An answer that a request hook prepared and did not give is dropped.
func (h *hookCall) end(keepResponse bool) {
	if !keepResponse {
		h.saved.undoResponse(h.x)
	}
	h.saved.keep()
	h.forget()
}

// waits reports whether there is something to wait for: fetches and checks that this hook has started, or that are still under way.
func (h *hookCall) waits() bool {
	f := h.fetches()
	return f != nil && (h.fetching || f.pending())
}

// park keeps what the hook has written with the exchange: until it has ended, that may have to be put back.
func (h *hookCall) park() {
	f := h.fetches()
	f.parked, h.saved = h.saved, f.parked
	f.responded = h.responded
	h.forget()
}

// unpark takes it up again.
func (h *hookCall) unpark() {
	f := h.fetches()
	f.parked, h.saved = h.saved, f.parked
	h.responded = f.responded
}

// undo leaves the exchange as it was before the hook.
func (h *hookCall) undo() {
	h.saved.undoState(h.state)
	h.saved.undo(h.x)
	if h.chunk != nil {
		h.chunk.bytes = h.chunk.came
	}
	h.forget()
}

// forget lets go of the exchange: an idle instance keeps nothing of it.
func (h *hookCall) forget() { h.x, h.chunk = nil, nil }

// fields returns a message's fields to read.
func (h *hookCall) fields(p part) *header.Fields {
	switch p {
	case response:
		return &h.x.Resp.Fields
	case requestTrailers:
		return &h.x.Req.Trailers
	case responseTrailers:
		return &h.x.Resp.Trailers
	}
	if p >= firstFetch {
		return &h.fetches().answer(p).Resp.Fields
	}
	return &h.x.Req.Fields
}

// gone reports whether a message is the request after it has gone upstream: it cannot change any more.
func (h *hookCall) gone(p part) bool { return p == request && h.phase != abi.InRequest }

// writable returns a message's fields to change, after keeping a copy.
func (h *hookCall) writable(p part) *header.Fields {
	if p == response {
		h.saved.keepResponse(h.x)
		return &h.x.Resp.Fields
	}
	h.saved.keepRequest(h.x)
	return &h.x.Req.Fields
}

// copy keeps a borrowed string.
func (h *hookCall) copy(s string) string { return h.x.Text.Copy(bytesOf(s)) }
