package backend

import (
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/filter"
	"github.com/sallyport/sallyport/core/header"
)

// Static gives every request the same answer. It is immutable and shared.
type Static struct {
	Status int
	Fields []header.Field
	Body   []byte
}

// Answer fills the response.
func (s *Static) Answer(x *exchange.Exchange) *fault.Fault {
	x.Resp.Reset()
	x.Resp.Status = s.Status
	for _, field := range s.Fields {
		x.Resp.Fields.Add(field.Name, field.Value)
	}
	x.Resp.Body.Set(s.Body)
	return nil
}

// Redirect answers with another place to go to (RFC 9110, section 15.4). It is immutable and shared.
type Redirect struct {
	Status int
	// To is the Location, with :name and *name for the route's path parameters. The request's query is kept
	// unless To has one.
	To *filter.Template
}

// Answer fills the response.
func (r *Redirect) Answer(x *exchange.Exchange) *fault.Fault {
	location := r.To.Expand(x)
	if x.Req.Query != "" && !strings.Contains(location, "?") {
		location += "?" + x.Req.Query
	}
	x.Resp.Reset()
	x.Resp.Status = r.Status
	x.Resp.Fields.Add("Location", location)
	x.Resp.Body.Set(nil)
	return nil
}
