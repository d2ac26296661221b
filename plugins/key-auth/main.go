// Key-auth lets requests pass that carry a known API key, and names their consumer.
package main

import (
	"unsafe"

	"github.com/sallyport/sallyport/sdk/go"
)

// consumerHeader tells the upstream who the client is. Whatever the client sends under this name, or one that begins
// with it, is taken away.
const consumerHeader = "X-Consumer"

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	return sallyport.Hooks{Request: s.request}, err
}

func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	consumer, ok, forged := s.search(r.Headers)
	if !ok {
		return r.RespondProblem(401, "Unauthorized",
			sallyport.Header{Name: "WWW-Authenticate", Value: `ApiKey header="` + s.header + `"`})
	}
	for _, name := range forged {
		if err := r.Headers.Remove(name); err != nil {
			return sallyport.Continue, err
		}
	}
	return sallyport.Continue, s.identify(r, consumer)
}

// findings are what a look through the request's headers brings.
type findings struct {
	keys     int    // headers that hold a key
	consumer string // of the last of them
	known    bool
	forged   []string // names of headers that pretend to be the gateway's
}

// search returns whose key the request carries, and the names of headers that pretend to be the gateway's. It copies only the
// latter, and works in a place that is kept: each request of the rest would else leave something to collect.
func (s *settings) search(headers sallyport.Headers) (consumer string, ok bool, forged []string) {
	s.found = findings{}
	headers.Each(s.visit)
	if s.found.keys > 1 { // the upstream might take another one than we do
		return "", false, nil
	}
	return s.found.consumer, s.found.known, s.found.forged
}

func (s *settings) look(name, value []byte) bool {
	if equalFold(name, s.header) {
		s.found.consumer, s.found.known = s.keys.consumer(view(value))
		s.found.keys++
	}
	if isForged(name) {
		s.found.forged = append(s.found.forged, string(name))
	}
	return true
}

// view is b as a string, for as long as b does not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// isForged reports whether a name is X-Consumer or begins with X-Consumer-, underscores taken for hyphens, as many
// servers take them.
func isForged(name []byte) bool {
	n := len(consumerHeader)
	if len(name) < n || (len(name) > n && hyphen(name[n]) != '-') {
		return false
	}
	for i := range n {
		if lower(hyphen(name[i])) != lower(consumerHeader[i]) {
			return false
		}
	}
	return true
}

func equalFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func hyphen(c byte) byte {
	if c == '_' {
		return '-'
	}
	return c
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// identify tells filters, log and upstream who the client is.
func (s *settings) identify(r *sallyport.Request, consumer string) error {
	if s.hide {
		if err := r.Headers.Remove(s.header); err != nil {
			return err
		}
	}
	if err := r.SetConsumer(consumer); err != nil {
		return err
	}
	return r.Headers.Set(consumerHeader, consumer)
}
