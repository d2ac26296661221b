// Transform rewrites requests and responses: headers, query, path, JSON bodies and status codes.
package main

import (
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	if err != nil {
		return sallyport.Hooks{}, err
	}
	var hooks sallyport.Hooks
	if s.hasRequest() {
		hooks.Request, hooks.RequestBody = s.request, len(s.requestJSON) > 0
	}
	if s.hasResponse() {
		hooks.Response, hooks.ResponseBody = s.response, len(s.responseJSON) > 0
	}
	return hooks, nil
}

// request does the steps in the order in which the README names them.
func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	c := context{request: r}
	if len(s.requestHeaders) > 0 {
		s.seeOdd(r.Headers)
		if err := s.headers(r.Headers, s.requestHeaders, c); err != nil {
			return sallyport.Continue, err
		}
	}
	if len(s.query) > 0 {
		if err := s.rewriteQuery(c); err == sallyport.ErrTooLarge {
			return refuse.Problem(r, "The query is too long", 414, "URI Too Long")
		} else if err != nil {
			return sallyport.Continue, err
		}
	}
	if len(s.path) > 0 {
		if status, err := s.rewritePath(c); status != 0 {
			return refuse.Problem(r, "The path that the template makes is none, or too long", status, title(status))
		} else if err != nil {
			return sallyport.Continue, err
		}
	}
	if len(s.responseJSON) > 0 {
		if err := askForAll(r.Headers); err != nil {
			return sallyport.Continue, err
		}
	}
	if len(s.requestJSON) > 0 {
		return s.requestBody(c)
	}
	return sallyport.Continue, nil
}

// response does the steps of the response.
func (s *settings) response(r *sallyport.Response) error {
	c := context{request: r.Request, response: r}
	if len(s.responseJSON) > 0 {
		if err := s.responseBody(c); err != nil {
			return err
		}
	}
	if len(s.responseHeaders) > 0 {
		s.odd = s.odd[:0]
		if err := s.headers(r.Headers, s.responseHeaders, c); err != nil {
			return err
		}
	}
	return s.mapStatus(r)
}

// mapStatus changes the status if it is to be another. An exact code comes before its class.
func (s *settings) mapStatus(r *sallyport.Response) error {
	if len(s.codes) == 0 {
		return nil
	}
	status := r.Status()
	for _, want := range [...]int{status, status / 100} {
		for _, m := range s.codes {
			if m.from == want && status != 304 {
				return r.SetStatus(m.to)
			}
		}
	}
	return nil
}

func title(status int) string {
	switch status {
	case 413:
		return "Content Too Large"
	case 414:
		return "URI Too Long"
	case 415:
		return "Unsupported Media Type"
	}
	return "Bad Request"
}
