// Agent-rules lets requests pass or refuses them by what the client says of itself: user agent, referer, and other headers.
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
	return sallyport.Hooks{Request: s.request}, err
}

// request looks through the headers once, and decides: deny comes before allow.
func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	for i := range s.seen {
		s.seen[i] = verdicts{}
	}
	r.Headers.Each(s.visit)
	name, refused := s.refuses()
	if !refused {
		return sallyport.Continue, nil
	}
	if s.dryRun {
		sallyport.Log(sallyport.Info, "would refuse a request by its "+name)
		return sallyport.Continue, nil
	}
	return refuse.Problem(r, "By the rule of "+name, s.status, title(s.status))
}

// verdicts are what is known of one header of a request.
type verdicts struct {
	there, denied bool
	others        bool // one of its values is not allowed
}

// look judges one field by the rules of its name.
func (s *settings) look(name, value []byte) bool {
	for i := range s.rules {
		rule := &s.rules[i]
		if !field.Alike(name, rule.header) {
			continue
		}
		v := &s.seen[i]
		v.there = v.there || len(value) > 0 && field.Equal(name, rule.header)
		s.scratch = lowered(s.scratch, value)
		text := field.View(s.scratch)
		v.denied = v.denied || rule.deny.meets(text) && !rule.except.meets(text)
		v.others = v.others || len(rule.allow) > 0 && len(value) > 0 && !rule.allow.meets(text)
	}
	return true
}

// refuses returns by which header the request is refused. What is allowed must be there, and be allowed in each of its values: nobody
// knows which one the upstream would take.
func (s *settings) refuses() (header string, refused bool) {
	for i := range s.rules {
		rule, v := &s.rules[i], &s.seen[i]
		if v.denied || v.others || !v.there && (rule.require || len(rule.allow) > 0) {
			return rule.header, true
		}
	}
	return "", false
}

func title(status int) string {
	switch status {
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 429:
		return "Too Many Requests"
	}
	return "Refused"
}
