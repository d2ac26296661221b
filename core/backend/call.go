package backend

import (
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/grpc"
	"github.com/sallyport/sallyport/core/upstream"
)

// isCall reports whether the request is a gRPC call.
func isCall(x *exchange.Exchange) bool {
	return x.Req.Method == "POST" && grpc.DialectOf(x.Req.Fields.Value("Content-Type")) == grpc.Native
}

// boundCall makes what the client waits for a bound of the whole call, if the route's own is not shorter, and tells the upstream
// what is left of it.
func boundCall(x *exchange.Exchange, send *upstream.Send) *fault.Fault {
	if text, ok := x.Req.Fields.Get("Grpc-Timeout"); ok {
		timeout, valid := grpc.ParseTimeout(text)
		if !valid {
			return fault.New(fault.BadRequest, fault.Client, "malformed grpc-timeout")
		}
		if deadline := x.Times.Start.Add(timeout); send.Deadline.IsZero() || deadline.Before(send.Deadline) {
			send.Deadline, send.ClientsDeadline = deadline, true
		}
	}
	if send.Deadline.IsZero() {
		return nil
	}
	send.Whole = true
	left := time.Until(send.Deadline)
	if left <= 0 {
		return fault.New(fault.GatewayTimeout, fault.Gateway, "the call's deadline had passed before it could be sent")
	}
	var room [16]byte
	x.Req.Fields.Set("Grpc-Timeout", x.Text.Copy(grpc.AppendTimeout(room[:0], left)))
	return nil
}
