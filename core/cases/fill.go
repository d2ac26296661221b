package cases

import (
	"io"
	"net/netip"
	"strings"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// fillRequest makes x what a case says of its request. It reports false for a path that the gateway would refuse.
func fillRequest(x *exchange.Exchange, r *config.CaseRequest) bool {
	path, ok := "*", true
	if r.Path != "*" {
		path, ok = http1.CanonicalPath(r.Path)
	}
	x.Req.Method, x.Req.Scheme, x.Req.Host, x.Req.Path, x.Req.Query = r.Method, r.Scheme, strings.ToLower(r.Host), path, r.Query
	for _, f := range r.Fields {
		x.Req.Fields.Add(f.Name, f.Value)
	}
	x.Req.Body.Set([]byte(r.Body))
	x.ID, x.Route = "request-1", r.Route
	x.Addr = netip.MustParseAddr(r.Client).Unmap() // the reader of the case has parsed it
	x.Peer = netip.AddrPortFrom(x.Addr, 50000)
	x.Asked = exchange.Asked{Path: path, Query: r.Query}
	for _, p := range r.Params {
		x.Params = append(x.Params, exchange.Param{Name: p.Name, Value: p.Value})
	}
	for _, a := range r.Attributes {
		x.SetAttr(a.Name, a.Value)
	}
	return ok
}

// fill makes a response what a case says of it.
func fill(r *exchange.Response, a *config.CaseResponse) {
	r.Status = a.Status
	for _, f := range a.Fields {
		r.Fields.Add(f.Name, f.Value)
	}
	r.Body.Set([]byte(a.Body))
}

// seenRequest is x's request as an upstream would get it. The body is read to its end: hooks on its pieces run then.
func seenRequest(x *exchange.Exchange) (*message, error) {
	body, err := io.ReadAll(&x.Req.Body)
	return &message{
		texts:  map[string]string{"method": x.Req.Method, "host": x.Req.Host, "path": x.Req.Path, "query": x.Req.Query},
		fields: fieldsOf(&x.Req.Fields),
		body:   string(body),
	}, err
}

// seenResponse is x's response as the client would get it.
func seenResponse(x *exchange.Exchange) (*message, error) {
	body, err := io.ReadAll(&x.Resp.Body)
	return &message{status: x.Resp.Status, fields: fieldsOf(&x.Resp.Fields), body: string(body)}, err
}

// fieldsOf copies fields: the exchange's own change on.
func fieldsOf(f *header.Fields) []header.Field { return append([]header.Field(nil), f.All()...) }

// requestOf is a case's request as it would be seen if nothing changed it.
func requestOf(r *config.CaseRequest) *message {
	return &message{
		texts:  map[string]string{"method": r.Method, "host": r.Host, "path": r.Path, "query": r.Query},
		fields: fieldList(r.Fields),
		body:   r.Body,
	}
}

func answerOf(a *config.CaseResponse) *message {
	return &message{status: a.Status, fields: fieldList(a.Fields), body: a.Body}
}

func fieldList(list []config.NameValue) []header.Field {
	fields := make([]header.Field, len(list))
	for i, f := range list {
		fields[i] = header.Field{Name: f.Name, Value: f.Value}
	}
	return fields
}
