package gateway

import (
	"errors"
	"io"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/grpc"
)

// statusFields are those that tell how a call ended.
var statusFields = [...]string{"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"}

var errCutMessage = errors.New("the answer ended within a message")

// finishCall sees to the end of a response in gRPC's own dialect: its status is noted for the log, a response that breaks off ends
// with a status, and for gRPC-Web the trailers become the body's last frame.
func finishCall(x *exchange.Exchange, web bool) {
	r := &x.Resp
	c := &callBody{x: x, web: web}
	if web {
		r.Fields.Set("Content-Type", grpc.Translate(r.Fields.Value("Content-Type"), grpc.Native, grpc.Web))
		moveStatus(r)
	}
	c.frames.Skip(r.Body.Held)
	if !r.Body.Whole() {
		c.source = r.Body.Source
		r.Body = exchange.Body{Length: exchange.Unknown, Held: r.Body.Held, Source: c}
		return
	}
	err := c.end(io.EOF)
	switch {
	case err != nil:
		fail(x, fault.From(err))
		refuseCall(x)
		finishCall(x, web)
	case web:
		r.Body.Set(append(append([]byte(nil), r.Body.Held...), c.tail...))
	}
}

// moveStatus puts the status of a trailers-only answer where that of others is.
func moveStatus(r *exchange.Response) {
	for _, name := range statusFields {
		if value, ok := r.Fields.Get(name); ok {
			r.Trailers.Set(name, value)
			r.Fields.Remove(name)
		}
	}
}

// callBody is the content of a call's response that is still to come, on its way to the client.
type callBody struct {
	x      *exchange.Exchange
	source exchange.Source
	web    bool
	frames grpc.Frames
	tail   []byte // of gRPC-Web: what of the last frame is not yet read
	ended  bool
}

// Read brings what the source brings, at once, and then the tail.
func (c *callBody) Read(p []byte) (int, error) {
	if c.ended {
		return c.readTail(p)
	}
	n, err := c.source.Read(p)
	c.frames.Skip(p[:n])
	if err == nil {
		return n, nil
	}
	if err := c.end(err); err != nil {
		return n, err
	}
	c.ended = true
	more, err := c.readTail(p[n:])
	return n + more, err
}

func (c *callBody) readTail(p []byte) (int, error) {
	n := copy(p, c.tail)
	c.tail = c.tail[n:]
	if len(c.tail) > 0 {
		return n, nil
	}
	return n, io.EOF
}

// Close lets go of the source.
func (c *callBody) Close() error { return c.source.Close() }

// end makes the trailers say how the call ended. It returns an error when the client cannot be told: then it must see the answer
// cut short. That is so within a message: clients look no further there, and in gRPC-Web what comes is the message's own bytes.
func (c *callBody) end(cause error) error {
	r := &c.x.Resp
	f := asCallFault(cause)
	switch {
	case f == nil && !c.frames.Between():
		return fault.Wrap(fault.BadGateway, fault.Upstream, errCutMessage)
	case f != nil && (f.Kind == fault.ClientGone || !c.frames.Between()):
		return f
	case f != nil:
		c.x.Fail(f)
		r.Trailers.Reset()
		setCallStatus(&r.Trailers, grpc.CodeOfFault(f.Kind), faultMessage(f))
	}
	if _, known := callStatus(r); c.web && !known {
		setCallStatus(&r.Trailers, grpc.Unknown, "the call ended without a status")
	}
	c.x.GRPCStatus, _ = callStatus(r)
	if c.web {
		c.tail = grpc.AppendTrailers(nil, r.Trailers.All())
		r.Trailers.Reset()
	}
	return nil
}

// callStatus returns what the response says of how its call ended.
func callStatus(r *exchange.Response) (status string, known bool) {
	if status, known = r.Trailers.Get("Grpc-Status"); known {
		return status, true
	}
	return r.Fields.Get("Grpc-Status")
}

// asCallFault returns what broke a response off; nil if it came to its end.
func asCallFault(cause error) *fault.Fault {
	var f *fault.Fault
	switch {
	case cause == io.EOF:
		return nil
	case errors.As(cause, &f):
		return f
	}
	return fault.Wrap(fault.BadGateway, fault.Upstream, cause)
}
