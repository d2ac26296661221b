// Key-auth-kv lets requests pass that carry an API key which a store knows by its digest, and names its consumer: keys are issued and revoked
// without touching the gateway's configuration.
package main

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/refuse"
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
	switch {
	case count == 0:
		return s.refuse(r, "There is no key")
	case count > 1:
		return s.refuse(r, "There is more than one key")
	case key == "" || len(key) > longest:
		return s.refuse(r, "The key is unknown")
	}
	whose, err := s.find(sha256.Sum(key))
	switch err {
	case nil:
	case errUnknown:
		return s.refuse(r, "The key is unknown")
	case sallyport.ErrUnavailable, sallyport.ErrTimedOut: // not to be passed by a filter that may be skipped
		return refuse.Problem(r, "The store of keys cannot be asked", 503, "Service Unavailable")
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

func (s *settings) refuse(r *sallyport.Request, why string) (sallyport.Verdict, error) {
	return refuse.Problem(r, why, 401, "Unauthorized", sallyport.Header{Name: "WWW-Authenticate", Value: s.challenge})
}
