package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// Response is the answer on its way back, from the upstream, the gateway or another filter.
type Response struct {
	Exchange
	Headers  Headers
	Body     Body
	Trailers Headers // as Request.Trailers
	Request  *Request
}

var response = Response{
	Headers: Headers{responseMessage}, Body: Body{responseMessage}, Trailers: Headers{responseTrailers}, Request: &request,
}

// Status returns the status code; in the end hook 0 if there was no answer.
func (r *Response) Status() int { return int(max(0, host.Status(responseMessage))) }

// SetStatus changes the status code, 200 to 599; headers and body stay.
func (r *Response) SetStatus(code int) error { return failure(host.SetStatus(int32(code))) }

// Respond replaces status and body, and drops the headers that described the old body, before it sets the given ones.
func (r *Response) Respond(status int, body []byte, headers ...Header) error {
	return respond(status, body, headers)
}

// respond comes before the headers: in a response hook it drops those of the old content.
func respond(status int, body []byte, headers []Header) error {
	if err := failure(host.Answer(int32(status), body)); err != nil {
		return err
	}
	for _, h := range headers {
		if err := response.Headers.Add(h.Name, h.Value); err != nil {
			return err
		}
	}
	return nil
}
