package gateway

import (
	"net/http"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/grpc"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// dialectOf returns how the client calls by gRPC, if it does: calls are always POST, which spares others the look.
func dialectOf(x *exchange.Exchange) grpc.Dialect {
	if x.Req.Method != "POST" {
		return grpc.None
	}
	return grpc.DialectOf(x.Req.Fields.Value("Content-Type"))
}

// takeWebCall makes a gRPC-Web request one of gRPC's own: from here on filters, upstream and log see no difference.
func takeWebCall(x *exchange.Exchange, client grpc.Dialect) *fault.Fault {
	switch client {
	case grpc.Web:
		fields := &x.Req.Fields
		fields.Set("Content-Type", grpc.Translate(fields.Value("Content-Type"), grpc.Web, grpc.Native))
	case grpc.WebText:
		return fault.New(fault.UnsupportedMedia, fault.Client, "grpc-web-text is not taken here, application/grpc-web is")
	}
	return nil
}

// answerCall makes the response one that the client of a gRPC call can read; others it leaves alone. An answer that is none of
// gRPC's, whoever made it, becomes a status without messages.
func answerCall(x *exchange.Exchange, client grpc.Dialect) {
	if client != grpc.Native && client != grpc.Web || x.Unanswered() {
		return
	}
	spoken := answerDialect(&x.Resp)
	if spoken != grpc.Native && spoken != client {
		refuseCall(x)
		spoken = grpc.Native
	}
	if spoken == grpc.Native {
		finishCall(x, client == grpc.Web)
	}
}

// answerDialect returns None for answers that only look like gRPC: clients go by the HTTP status where there is no other.
func answerDialect(r *exchange.Response) grpc.Dialect {
	if r.Status != 200 && !r.Fields.Has("Grpc-Status") {
		return grpc.None
	}
	return grpc.DialectOf(r.Fields.Value("Content-Type"))
}

// refuseCall turns the response into a trailers-only one: the fields that filters have set stay, what was said in the body
// goes. As in a problem document, the client sees titles and reasons only.
func refuseCall(x *exchange.Exchange) {
	r := &x.Resp
	code, message := grpc.CodeOfStatus(r.Status), http.StatusText(r.Status)
	if f := x.Fault; f != nil && f.Kind.Status() == r.Status {
		code, message = grpc.CodeOfFault(f.Kind), faultMessage(f)
	}
	if r.Status == http.StatusOK {
		message = "the answer is none of gRPC's"
	}
	r.Fields.Keep(func(f header.Field) bool { return !http1.DescribesContent(f.Name) })
	r.Trailers.Reset()
	r.Body.Set(nil)
	r.Status = http.StatusOK
	r.Fields.Set("Content-Type", "application/grpc")
	setCallStatus(&r.Fields, code, message)
}

func faultMessage(f *fault.Fault) string {
	if f.Reason == "" {
		return f.Kind.Title()
	}
	return f.Kind.Title() + ": " + f.Reason
}

func setCallStatus(fields *header.Fields, code grpc.Code, message string) {
	fields.Set("Grpc-Status", code.String())
	fields.Set("Grpc-Message", string(grpc.AppendMessage(nil, message)))
}
