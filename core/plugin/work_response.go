package plugin

import (
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

func finalStatus(status uint32) bool { return 200 <= status && status <= 599 }

// status returns the status of the response, or of a fetch's answer.
func (h *hookCall) status(p part) (int, abi.Code) {
	status := h.x.Resp.Status
	if p >= firstFetch {
		status = h.fetches().answer(p).Resp.Status
	}
	if status == 0 {
		return 0, abi.NotFound
	}
	return status, ok
}

// setStatus changes the response's status. One that has become a tunnel cannot be anything else.
func (h *hookCall) setStatus(status uint32) abi.Code {
	if !finalStatus(status) || h.x.Resp.Tunnel != nil {
		return abi.Invalid
	}
	h.saved.keepResponse(h.x)
	h.x.Resp.Status = int(status)
	return ok
}

// respond makes or replaces the response's status and body. In the place of another one's response, the fields that
// describe the old content go with it.
func (h *hookCall) respond(status uint32, body []byte) abi.Code {
	switch {
	case len(body) > abi.MaxBody:
		return abi.TooLarge
	case !finalStatus(status) || len(body) > 0 && (status == 204 || status == 304):
		return abi.Invalid
	}
	h.saved.keepResponse(h.x)
	if h.phase == abi.InResponse {
		h.x.Resp.Fields.Keep(func(f header.Field) bool { return !http1.DescribesContent(f.Name) })
		h.x.Resp.Trailers.Reset()
	}
	h.x.Resp.Status = int(status)
	h.saved.replaceBody(h.x, append([]byte(nil), body...))
	h.responded = true
	return ok
}
