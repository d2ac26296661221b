// Jwt-auth lets requests pass that carry a JSON Web Token which the gateway's keys vouch for, and tells who the client is.
package main

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	return sallyport.Hooks{Request: s.request}, err
}

func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	token, count := s.look(r)
	switch {
	case count > 1:
		return s.refuse(r, twoTokens)
	case count == 0 && s.optional:
		return sallyport.Continue, s.guard.Strip(r.Headers)
	case count == 0:
		return s.refuse(r, noToken)
	}
	wrong, err := s.check(token)
	if err != nil {
		return sallyport.Continue, err
	}
	if wrong == fine {
		wrong = s.gather()
	}
	if wrong != fine {
		return s.refuse(r, wrong)
	}
	if err := errors.Join(s.guard.Strip(r.Headers), s.shown.Remove(r)); err != nil {
		return sallyport.Continue, err
	}
	return sallyport.Continue, s.tell(r)
}

// look returns the token and how many there are.
func (s *settings) look(r *sallyport.Request) (token string, count int) {
	s.shown.Begin()
	s.guard.Begin()
	r.Headers.Each(s.visit)
	s.shown.SeeQuery(r)
	return s.shown.Found()
}

func (s *settings) see(name, value []byte) bool {
	s.shown.See(name, value)
	s.guard.See(name)
	return true
}

// check has the gateway verify the token, and then looks at what it claims. An error says that nobody can tell.
func (s *settings) check(token string) (refusal, error) {
	text, err := sallyport.VerifyJWT(s.keys, token)
	switch err {
	case nil:
		return s.judge(field.View(text)), nil
	case sallyport.ErrInvalid, sallyport.ErrTooLarge:
		return notGenuine, nil
	case sallyport.ErrExpired:
		return expired, nil
	}
	return fine, err
}
