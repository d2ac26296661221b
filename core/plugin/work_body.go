package plugin

import (
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// complete reports whether a message has come to its end, trailers included, as far as this hook may know: -4 if it has not.
func (h *hookCall) complete(p part) abi.Code {
	switch {
	case h.phase == abi.InEnd, p == response && h.phase == abi.InResponseChunk && h.chunk.last:
		return ok
	case h.chunk != nil:
		return abi.WrongPhase
	}
	_, code := h.body(p)
	return code
}

// body returns a message's body if it is at hand whole: in the hook that asked for it, or when this hook has made it.
func (h *hookCall) body(p part) (*exchange.Body, abi.Code) {
	switch {
	case p == request && h.phase == abi.InRequest && h.wants&abi.HookRequestBody != 0:
		return &h.x.Req.Body, ok
	case p == response && h.phase == abi.InResponse && h.wants&abi.HookResponseBody != 0,
		p == response && h.phase&abi.InHead != 0 && h.responded:
		return &h.x.Resp.Body, ok
	case p >= firstFetch:
		return &h.fetches().answer(p).Resp.Body, ok
	case p == requestTrailers || p == responseTrailers:
		return nil, abi.Invalid
	}
	return nil, abi.WrongPhase
}

// content returns the bytes of a body, or of the chunk that is at hand.
func (h *hookCall) content(p part) ([]byte, abi.Code) {
	if h.chunk != nil && p == h.chunk.part() {
		return h.chunk.bytes, ok
	}
	b, code := h.body(p)
	if code != ok {
		return nil, code
	}
	return b.Held, ok
}

// bodySize returns the length of the body.
func (h *hookCall) bodySize(p part) (int, abi.Code) {
	b, code := h.content(p)
	return len(b), code
}

// bodyRead copies what there is from offset on and fits; 0 at the end.
func (h *hookCall) bodyRead(p part, offset uint32, buf []byte) (int, abi.Code) {
	b, code := h.content(p)
	return copy(buf, b[min(int(offset), len(b)):]), code
}

// bodyWrite replaces the body.
func (h *hookCall) bodyWrite(p part, data []byte) abi.Code {
	_, code := h.content(p)
	switch {
	case code != ok:
		return code
	case len(data) > abi.MaxBody:
		return abi.TooLarge
	case h.chunk != nil:
		h.chunk.replace(data)
		return ok
	}
	content := append([]byte(nil), data...)
	if p == request {
		h.saved.replaceRequestBody(h.x, content)
		return ok
	}
	if status := h.x.Resp.Status; h.x.Resp.Tunnel != nil || len(data) > 0 && (status == 204 || status == 304) {
		return abi.Invalid
	}
	h.saved.replaceBody(h.x, content)
	return ok
}
