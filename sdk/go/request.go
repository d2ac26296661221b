package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// Request is what the client asked for. Only the request hook can change it.
type Request struct {
	Exchange
	Headers Headers
	Body    Body
	// Trailers are the header fields behind the body. They can only be read, and only where the body is there, and in the
	// end hook; elsewhere they are empty.
	Trailers Headers
}

var request = Request{Headers: Headers{requestMessage}, Body: Body{requestMessage}, Trailers: Headers{requestTrailers}}

// Param returns a path parameter, such as id of the route /orders/:id, decoded; "" if the route has none of that name.
func (r *Request) Param(name string) string {
	n := host.Param(name, scratch)
	for outgrown(n) {
		n = host.Param(name, scratch)
	}
	value, _ := held(n)
	return string(value)
}

// QueryParam returns the first value of a query parameter, decoded, and whether there is one.
func (r *Request) QueryParam(name string) (value string, ok bool) {
	n := host.Query(name, scratch)
	for outgrown(n) {
		n = host.Query(name, scratch)
	}
	b, ok := held(n)
	return string(b), ok
}

// Respond makes the answer. A request hook ends with it: `return r.Respond(403, nil)`. In a response hook the
// request is past answering: use Response.Respond.
func (r *Request) Respond(status int, body []byte, headers ...Header) (Verdict, error) {
	return Respond, respond(status, body, headers)
}

// RespondProblem answers with a problem document (RFC 9457) that has the title, the status and the request id. The
// client sees the title: it should tell nothing that is not the client's business.
func (r *Request) RespondProblem(status int, title string, headers ...Header) (Verdict, error) {
	headers = append(headers, Header{"Content-Type", "application/problem+json"})
	return r.Respond(status, problem(status, title, r.ID()), headers...)
}
