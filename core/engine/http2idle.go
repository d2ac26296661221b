package engine

import "time"

// watchIdle begins to wait for the first stream.
func (h *http2Conn) watchIdle(limit time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.idle = time.AfterFunc(limit, h.idleOut)
}

// idleOut sends the client away when no stream has been open for long.
func (h *http2Conn) idleOut() {
	h.mu.Lock()
	idle := h.open == 0 && !h.over
	h.mu.Unlock()
	if idle {
		h.drain()
	}
}
