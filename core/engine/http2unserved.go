package engine

import (
	"encoding/binary"
	"sync/atomic"
	"time"
)

// streamCount counts the streams that a client opens.
type streamCount struct {
	n    atomic.Uint64
	last uint32 // of the goroutine that reads
}

// note takes in a frame's head. A client's streams have odd numbers that grow (RFC 9113, section 5.1.1).
func (s *streamCount) note(head *[frameHead]byte) {
	if head[3] != frameHeaders {
		return
	}
	if id := binary.BigEndian.Uint32(head[5:]) &^ (1 << 31); id > s.last && id%2 == 1 {
		s.last = id
		s.n.Add(1)
	}
}

// countUnserved notes how many of a connection's streams never came to the Handler, when that has ended: net/http answers or
// resets by itself what is malformed, far too large or one too many, and what is reset at once may not begin. No line of the
// access log tells of those.
func (l *Listener) countUnserved(h *http2Conn) {
	n := h.wire.opened.n.Load() - h.entered.Load()
	if n == 0 {
		return
	}
	l.unserved.Add(n)
	l.mu.Lock()
	due := l.toldUnserved.note(time.Now(), n)
	l.mu.Unlock()
	if due > 0 {
		l.engine.log.Warn("HTTP/2 streams ended before they were requests", "listener", l.Addr().String(), "client", h.peerText, "streams", due)
	}
}

// Unserved returns how many HTTP/2 streams of closed connections were refused, or given up, before they were requests.
func (l *Listener) Unserved() uint64 { return l.unserved.Load() }
