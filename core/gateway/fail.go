package gateway

import (
	"strconv"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// fail makes the answer to a fault: the one place that does. What a client sees are the kind's title and the
// fault's reason, never its cause.
func fail(x *exchange.Exchange, f *fault.Fault) {
	x.Fail(f)
	x.By = exchange.ByGateway
	if f.Kind == fault.ClientGone {
		x.KeepAlive = false
	}
	answerProblem(x, f.Kind.Status(), f.Kind.Title(), f.Reason)
	if f.Allow != "" {
		x.Resp.Fields.Add("Allow", f.Allow)
	}
	if f.RetryAfter > 0 {
		x.Resp.Fields.Add("Retry-After", strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10))
	}
}

// answerProblem makes a problem document (RFC 9457) the response. The fields of an earlier answer are dropped with it.
func answerProblem(x *exchange.Exchange, status int, title, detail string) {
	x.Resp.Reset()
	x.Resp.Status = status
	x.Resp.Fields.Add("Content-Type", "application/problem+json")
	x.Resp.Fields.Add("Cache-Control", "no-store")
	x.Resp.Body.Set(appendProblem(make([]byte, 0, 192), x.ID, status, title, detail))
}

// appendProblem writes plain text only: titles and reasons are our own words, ids were checked when they were taken.
func appendProblem(b []byte, id string, status int, title, detail string) []byte {
	b = append(b, `{"type":"about:blank","title":`...)
	b = strconv.AppendQuote(b, title)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	if detail != "" {
		b = append(b, `,"detail":`...)
		b = strconv.AppendQuote(b, detail)
	}
	b = append(b, `,"request_id":`...)
	b = strconv.AppendQuote(b, id)
	return append(b, "}\n"...)
}
