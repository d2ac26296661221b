package backend

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/grpc"
	"github.com/sallyport/sallyport/core/upstream"
)

func TestBoundCall(t *testing.T) {
	tests := []struct {
		name, timeout string
		route         time.Duration // 0: no bound
		want          time.Duration // of the whole call; 0: no bound
		fault         fault.Kind
	}{
		{"nothing", "", 0, 0, 0},
		{"the client's", "30S", 0, 30 * time.Second, 0},
		{"the route's", "", time.Minute, time.Minute, 0},
		{"the client's is shorter", "30S", time.Minute, 30 * time.Second, 0},
		{"the route's caps it", "99999999H", time.Minute, time.Minute, 0},
		{"the longest", "99999999H", 0, 1<<63 - 1, 0},
		{"past", "0n", time.Minute, 0, fault.GatewayTimeout},
		{"malformed", "30s", time.Minute, 0, fault.BadRequest},
		{"empty", " ", time.Minute, 0, fault.BadRequest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := &exchange.Exchange{}
			x.Times.Start = time.Now()
			if test.timeout != "" {
				x.Req.Fields.Add("grpc-timeout", test.timeout)
			}
			var send upstream.Send
			if test.route > 0 {
				send.Deadline = x.Times.Start.Add(test.route)
			}
			f := boundCall(x, &send)
			if f != nil || test.fault != 0 {
				if f == nil || f.Kind != test.fault {
					t.Errorf("got %v, want %v", f, test.fault)
				}
				return
			}
			checkBound(t, x, send, test.want)
		})
	}
}

// checkBound: what goes upstream is what is left of the call's bound, never more.
func checkBound(t *testing.T, x *exchange.Exchange, send upstream.Send, want time.Duration) {
	t.Helper()
	if want == 0 {
		if !send.Deadline.IsZero() || send.Whole || x.Req.Fields.Has("Grpc-Timeout") {
			t.Errorf("got %+v, %v, want no bound", send, x.Req.Fields.All())
		}
		return
	}
	if got := send.Deadline.Sub(x.Times.Start); got != want || !send.Whole {
		t.Errorf("got %v (%v), want %v of the whole", got, send.Whole, want)
	}
	passed := time.Since(x.Times.Start) // at least as much as had when it was told
	told, ok := grpc.ParseTimeout(x.Req.Fields.Value("Grpc-Timeout"))
	if !ok || told > want || told < want-want/100-passed || x.Req.Fields.Count("Grpc-Timeout") != 1 {
		t.Errorf("the upstream is told %v, of %v", x.Req.Fields.All(), want)
	}
}

func TestIsCall(t *testing.T) {
	tests := []struct {
		method, contentType string
		want                bool
	}{
		{"POST", "application/grpc", true}, {"GET", "application/grpc", false}, {"POST", "application/grpc-web", false}, {"POST", "", false},
	}
	for _, test := range tests {
		x := &exchange.Exchange{}
		x.Req.Method = test.method
		x.Req.Fields.Add("Content-Type", test.contentType)
		if got := isCall(x); got != test.want {
			t.Errorf("%s %q: got %v, want %v", test.method, test.contentType, got, test.want)
		}
	}
}
