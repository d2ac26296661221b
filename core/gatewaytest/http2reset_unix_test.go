//go:build unix

package gatewaytest

import (
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/net/http2"
)

// TestRapidReset has clients open streams and reset them at once, connection after connection, in front of a backend that thinks for
// long: another client is served all the while, and nothing is left over.
func TestRapidReset(t *testing.T) {
	attacks := 50 // with an end: on a machine of few cores the backend would else be left nothing of them
	if raceEnabled {
		attacks = 10
	}
	for _, protocol := range []string{"http/1.1", "h2c"} {
		t.Run(protocol, func(t *testing.T) {
			g, _ := startWith(t, protocol, false, func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					<-r.Context().Done()
				}
			})
			goroutines, open := runtime.NumGoroutine(), descriptors(t)
			client := http2Client(t)
			stop := make(chan struct{})
			var attackers sync.WaitGroup
			for range 2 {
				attackers.Go(func() {
					for range attacks {
						select {
						case <-stop:
							return
						default:
							resetStreams(t, g)
						}
					}
				})
			}
			for range 50 {
				resp, err := client.Get(g.URL + "/")
				if err != nil {
					t.Error(err)
					break
				}
				resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Errorf("got %d", resp.StatusCode)
				}
			}
			close(stop)
			attackers.Wait()
			client.CloseIdleConnections()
			Until(t, "nothing is in flight", func() bool { return g.inFlight() == 0 })
			// Some connections to the backend are kept; one goroutine or two belong to each at its end.
			Until(t, "no connection is left", func() bool { return descriptors(t) <= open+2*g.Status().Upstreams["b"][0].Idle })
			Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+3*g.Status().Upstreams["b"][0].Idle })
		})
	}
}

// resetStreams opens a connection and resets streams on it until the gateway takes no more of them.
func resetStreams(t *testing.T, g *Gateway) {
	nc, err := net.Dial("tcp", g.Addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer nc.Close()
	c := newFrameClient(t, nc)
	block := headBlock(t, ":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/slow")
	for id := uint32(1); id < 1000; id += 2 {
		err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true})
		if err != nil || c.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			return
		}
	}
}
