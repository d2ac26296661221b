package engine

import (
	"runtime"
	"testing"
	"weak"

	"golang.org/x/net/http2"

	"github.com/sallyport/sallyport/core/exchange"
)

// TestHTTP2GoneLeavesNothing: of a connection whose streams ended before their answers nothing is kept when it is closed.
func TestHTTP2GoneLeavesNothing(t *testing.T) {
	for name, reset := range map[string]bool{"streams reset": true, "connection closed": false} {
		t.Run(name, func(t *testing.T) {
			kept, entered := make(chan weak.Pointer[http2Conn], 1), make(chan struct{})
			l, h := start(t, http2Options, func(x *exchange.Exchange) {
				s := x.Client.(*http2Stream)
				select {
				case kept <- weak.Make(s.conn):
				default:
				}
				entered <- struct{}{}
				<-s.r.Context().Done()
				answer200(x, "for nobody")
			})
			c := dialHTTP2(t, l)
			for id := uint32(1); id < 40; id += 2 {
				c.get(id, "/")
				<-entered
				if reset {
					c.check(c.frames.WriteRSTStream(id, http2.ErrCodeCancel))
				}
			}
			if reset {
				eventually(t, "all have ended", func() bool { return h.open() == 0 })
			}
			c.nc.Close()
			conn := <-kept
			eventually(t, "the connection is forgotten", func() bool { runtime.GC(); return conn.Value() == nil })
		})
	}
}
