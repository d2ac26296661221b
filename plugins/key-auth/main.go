// Key-auth lets requests pass that carry a known API key, and names their consumer.
package main

import (
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	return sallyport.Hooks{Request: s.request}, err
}

func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	who, why := s.search(r)
	if why != "" {
		return refuse.Problem(r, why, 401, "Unauthorized", sallyport.Header{Name: "WWW-Authenticate", Value: s.challenge})
	}
	if err := s.guard.Strip(r.Headers); err != nil {
		return sallyport.Continue, err
	}
	if err := s.shown.Remove(r); err != nil {
		return sallyport.Continue, err
	}
	return sallyport.Continue, identity.Tell(r, who.consumer, who.groups)
}

// search returns whose key the request carries, or why it is nobody's. It looks through the headers once, and copies only what it must: each request of
// the rest would else leave something to collect.
func (s *settings) search(r *sallyport.Request) (who owner, why string) {
	s.shown.Begin()
	s.guard.Begin()
	r.Headers.Each(s.visit)
	s.shown.SeeQuery(r)
	key, count := s.shown.Found()
	switch {
	case count == 0:
		return owner{}, "There is no key"
	case count > 1:
		return owner{}, "There is more than one key"
	case len(key) <= longest:
		if who, ok := s.keys.find(key); ok {
			return who, ""
		}
	}
	return owner{}, "The key is unknown"
}

// longest is the length of the longest key, in bytes: a longer one need not be hashed to be wrong.
const longest = 1024

func (s *settings) look(name, value []byte) bool {
	s.shown.See(name, value)
	s.guard.See(name)
	return true
}
