// Cors lets browsers use an API from pages of other origins, as the Fetch standard has it.
package main

import (
	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	return sallyport.Hooks{Request: s.request, Response: s.response}, err
}

// asked is what a request says that concerns us.
type asked struct {
	origins                   int
	origin, method, headers   []byte
	hasMethod, privateNetwork bool
}

// request answers preflights, and remembers for the response what origin the others are from.
func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	s.asked = asked{origin: s.asked.origin[:0], method: s.asked.method[:0], headers: s.asked.headers[:0]}
	r.Headers.Each(s.visit)
	if s.asked.origins == 0 {
		return sallyport.Continue, nil
	}
	if s.asked.hasMethod && s.isOptions(r) {
		return s.preflight(r)
	}
	allowed := s.allows()
	if !allowed && s.refuse {
		return refuse.Problem(r, otherOrigin, 403, "Forbidden", sallyport.Header{Name: "Vary", Value: "Origin"})
	}
	if !allowed || s.any {
		return sallyport.Continue, nil
	}
	return sallyport.Continue, r.SetState(s.asked.origin)
}

func (s *settings) isOptions(r *sallyport.Request) bool {
	method, _ := r.Bytes(sallyport.FieldMethod)
	return string(method) == "OPTIONS"
}

func (s *settings) look(name, value []byte) bool {
	switch {
	case field.Equal(name, "Origin"):
		s.asked.origins++
		s.asked.origin = append(s.asked.origin[:0], value...)
	case field.Equal(name, "Access-Control-Request-Method"):
		s.asked.hasMethod = true
		s.asked.method = append(s.asked.method[:0], value...)
	case field.Equal(name, "Access-Control-Request-Headers"):
		if len(s.asked.headers) > 0 {
			s.asked.headers = append(s.asked.headers, ',')
		}
		s.asked.headers = append(s.asked.headers, value...)
	case field.Equal(name, "Access-Control-Request-Private-Network"):
		s.asked.privateNetwork = string(value) == "true"
	}
	return true
}

// allows reports whether the request's origin is one that is allowed. With two nobody knows which one the upstream would take.
func (s *settings) allows() bool {
	if s.asked.origins != 1 {
		return false
	}
	if s.any {
		return true
	}
	origin := field.View(s.asked.origin)
	for i := range s.origins {
		if s.origins[i].matches(origin) {
			return true
		}
	}
	return false
}

// response makes the headers of an answer ours alone.
func (s *settings) response(r *sallyport.Response) error {
	s.found = s.found[:0]
	r.Headers.Each(s.visitResponse)
	for _, name := range s.found {
		if err := r.Headers.Remove(name); err != nil {
			return err
		}
	}
	if s.any {
		if r.Request.Headers.Has("Origin") {
			return s.write(r.Headers, "*")
		}
		return nil
	}
	if err := s.vary(r.Headers); err != nil {
		return err
	}
	if origin := r.State(); len(origin) > 0 {
		return s.write(r.Headers, string(origin))
	}
	return nil
}

// lookResponse notes what an upstream says of these matters itself: two answers would be none to a browser.
func (s *settings) lookResponse(name, _ []byte) bool {
	if field.Below(name, "Access-Control") {
		s.found = append(s.found, string(name))
	}
	return true
}

func (s *settings) write(h sallyport.Headers, origin string) error {
	if err := h.Set("Access-Control-Allow-Origin", origin); err != nil {
		return err
	}
	if s.credentials {
		if err := h.Set("Access-Control-Allow-Credentials", "true"); err != nil {
			return err
		}
	}
	if s.expose == "" {
		return nil
	}
	return h.Set("Access-Control-Expose-Headers", s.expose)
}

// vary tells caches that the answer depends on the origin, even where there was none.
func (s *settings) vary(h sallyport.Headers) error {
	for _, value := range h.Values("Vary") {
		if listed(value, "*") || listed(value, "Origin") {
			return nil
		}
	}
	return h.Add("Vary", "Origin")
}
