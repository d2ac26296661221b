// Basic-auth lets requests pass with the user and password of somebody that the gateway knows (RFC 7617), and names the user.
package main

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	return sallyport.Hooks{Request: s.request, ResumeRequest: s.request}, err
}

// request is also what goes on after a wait: it keeps nothing over it, since another copy may be the one.
func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	s.fields, s.value = 0, s.value[:0]
	s.guard.Begin()
	r.Headers.Each(s.visit)
	encoded, isBasic := afterBasic(s.value)
	if s.optional && s.fields <= 1 && !isBasic {
		return sallyport.Continue, s.guard.Strip(r.Headers)
	}
	switch {
	case s.fields == 0:
		return s.refuse(r, "There are no credentials")
	case s.fields > 1 || !isBasic || !s.decode(encoded):
		return s.refuse(r, "The credentials are malformed, twice, or of another scheme")
	}
	switch err := sallyport.CheckPassword(s.passwords, s.user, s.password); err {
	case nil:
		return sallyport.Continue, s.pass(r)
	case sallyport.ErrPending:
		return r.Wait()
	case sallyport.ErrInvalid:
		return s.refuse(r, "The user or the password is wrong")
	case sallyport.ErrUnavailable, sallyport.ErrTimedOut:
		return refuse.Problem(r, "Too many passwords wait to be checked", 503, "Service Unavailable", sallyport.Header{Name: "Retry-After", Value: "1"})
	default: // the set was not granted
		return sallyport.Continue, err
	}
}

// look looks at one of the request's headers.
func (s *settings) look(name, value []byte) bool {
	s.guard.See(name)
	if field.Equal(name, "Authorization") {
		s.fields++
		s.value = append(s.value[:0], value...)
	}
	return true
}

// pass tells who it is.
func (s *settings) pass(r *sallyport.Request) error {
	err := s.guard.Strip(r.Headers)
	if s.hide {
		err = errors.Join(err, r.Headers.Remove("Authorization"))
	}
	if err != nil {
		return err
	}
	return identity.Tell(r, s.user, s.groups[s.user])
}

// refuse tells the client nothing of what was wrong: missing, malformed, of another scheme, of nobody, or with another password.
func (s *settings) refuse(r *sallyport.Request, why string) (sallyport.Verdict, error) {
	return refuse.Problem(r, why, 401, "Unauthorized", sallyport.Header{Name: "WWW-Authenticate", Value: s.challenge})
}
