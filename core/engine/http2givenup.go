package engine

import "time"

// maxGivenUp is how many requests a client may give up within floodTime, if they are most of what it asked for: each is as good
// as free to it, and may have cost a connection to an upstream (CVE-2023-44487).
const maxGivenUp = 1000

// waste counts the requests that a client gives up, beside all of its.
type waste struct {
	begun, givenUp int
	since          time.Time // when counting began
}

// note takes in how a request has ended; it reports false when too many were given up.
func (w *waste) note(now time.Time, givenUp bool) bool {
	if now.Sub(w.since) > floodTime {
		*w = waste{since: now}
	}
	w.begun++
	if givenUp {
		w.givenUp++
	}
	return w.givenUp <= maxGivenUp || 2*w.givenUp <= w.begun
}

// leave counts a stream out that enter has counted in. A client that has wasted too many is cut off.
func (h *http2Conn) leave(givenUp bool) {
	defer h.running.Done()
	h.mu.Lock()
	fine := h.waste.note(time.Now(), givenUp)
	if h.open--; h.open == 0 && !h.over {
		h.idle.Reset(h.listener.options.Load().IdleTimeout)
	}
	h.mu.Unlock()
	if !fine {
		_ = h.wire.Close() // it is of no use any more, whatever that says
	}
}
