// Key-auth lets requests pass that carry a known API key, and names their consumer.
package main

import (
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	return sallyport.Hooks{Request: s.request}, err
}

func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	who, ok := s.search(r)
	if !ok {
		return r.RespondProblem(401, "Unauthorized", sallyport.Header{Name: "WWW-Authenticate", Value: s.challenge})
	}
	if err := s.guard.Strip(r.Headers); err != nil {
		return sallyport.Continue, err
	}
	if err := s.shown.Remove(r); err != nil {
		return sallyport.Continue, err
	}
	return sallyport.Continue, identity.Tell(r, who.consumer, who.groups)
}

// search returns whose key the request carries. It looks through the headers once, and copies only what it must: each request of
// the rest would else leave something to collect.
func (s *settings) search(r *sallyport.Request) (owner, bool) {
	s.shown.Begin()
	s.guard.Begin()
	r.Headers.Each(s.visit)
	s.shown.SeeQuery(r)
	key, count := s.shown.Found()
	if count != 1 || len(key) > longest {
		return owner{}, false
	}
	return s.keys.find(key)
}

// longest is the length of the longest key, in bytes: a longer one need not be hashed to be wrong.
const longest = 1024

func (s *settings) look(name, value []byte) bool {
	s.shown.See(name, value)
	s.guard.See(name)
	return true
}
