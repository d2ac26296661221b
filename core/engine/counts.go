package engine

import "sync/atomic"

// counters are what a Listener counts of its connections.
type counters struct {
	opened, closed         atomic.Uint64
	begunHTTP2, endedHTTP2 atomic.Uint64
	secured, unsecured     atomic.Uint64 // handshakes
}

// Counts are what a Listener has counted since it was made.
type Counts struct {
	Open, OpenHTTP2  uint64 // connections now; those that speak HTTP/2 are among Open
	Accepted         uint64 // connections, without those that were refused
	AcceptedHTTP2    uint64 // of those, the ones that have spoken HTTP/2
	Refused          uint64 // connections closed at once because their client had too many
	Handshakes       uint64 // over TLS, that have succeeded
	HandshakesFailed uint64
	Unserved         uint64 // HTTP/2 streams that ended before they were requests
}

// Counts returns what the Listener has counted. It takes no lock, so that connections do not wait for it.
func (l *Listener) Counts() Counts {
	n := &l.counters
	// What has ended is read first: it has begun, too.
	closed, endedHTTP2 := n.closed.Load(), n.endedHTTP2.Load()
	c := Counts{
		Accepted: n.opened.Load(), AcceptedHTTP2: n.begunHTTP2.Load(), Refused: l.Refused(),
		Handshakes: n.secured.Load(), HandshakesFailed: n.unsecured.Load(), Unserved: l.unserved.Load(),
	}
	c.Open, c.OpenHTTP2 = c.Accepted-closed, c.AcceptedHTTP2-endedHTTP2
	return c
}
