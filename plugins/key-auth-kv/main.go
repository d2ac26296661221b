// Key-auth-kv lets requests pass that carry an API key which a store knows by its digest, and names its consumer: keys are issued and revoked
// without touching the gateway's configuration.
package main

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/sha256"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	return sallyport.Hooks{Request: s.request}, err
}

// longest is the length of the longest key, in bytes: a longer one need not be hashed to be wrong.
const longest = 1024

func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	s.shown.Begin()
	s.guard.Begin()
	r.Headers.Each(s.visit)
	s.shown.SeeQuery(r)
	key, count := s.shown.Found()
	if count != 1 || key == "" || len(key) > longest {
		return s.refuse(r)
	}
	whose, err := s.find(sha256.Sum(key))
	switch err {
	case nil:
	case errUnknown:
		return s.refuse(r)
	case sallyport.ErrUnavailable, sallyport.ErrTimedOut: // not to be passed by a filter that may be skipped
		return r.RespondProblem(503, "Service Unavailable")
	default: // the store was not granted
		return sallyport.Continue, err
	}
	if err := errors.Join(s.guard.Strip(r.Headers), s.shown.Remove(r)); err != nil {
		return sallyport.Continue, err
	}
	return sallyport.Continue, identity.Tell(r, whose.consumer, whose.groups)
}

func (s *settings) look(name, value []byte) bool {
	s.shown.See(name, value)
	s.guard.See(name)
	return true
}

func (s *settings) refuse(r *sallyport.Request) (sallyport.Verdict, error) {
	return r.RespondProblem(401, "Unauthorized", sallyport.Header{Name: "WWW-Authenticate", Value: s.challenge})
}
