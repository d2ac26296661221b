// Validate lets in only requests whose parameters and bodies are as they should be.
package main

import "github.com/sallyport/sallyport/sdk/go"

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	if err != nil {
		return sallyport.Hooks{}, err
	}
	return sallyport.Hooks{Request: s.request, RequestBody: s.body != nil}, nil
}

// request looks at the parameters first, then at the body. What kind of content it is, and how large, decides before anything in it.
func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	s.faults, s.failed = s.faults[:0], nil
	s.pairs = s.pairs[:0]
	for i := range s.parameters {
		s.parameters[i].found = 0
	}
	s.readQuery(r.Query())
	s.readCookies(r.Headers)
	if s.headers {
		r.Headers.Each(s.visit)
	}
	for i := range s.parameters {
		s.checkParameter(r, &s.parameters[i])
	}
	if s.failed != nil {
		return sallyport.Continue, s.failed
	}
	if s.refuseUnknown {
		s.checkUnknown()
	}
	status := s.status
	if s.body != nil {
		special, err := s.checkBody(r)
		if err != nil {
			return sallyport.Continue, err
		}
		if special != 0 {
			status = special
		}
	}
	if len(s.faults) == 0 {
		return s.pass(r)
	}
	if s.reportOnly {
		return sallyport.Continue, s.report(r)
	}
	return s.refuse(r, status)
}
