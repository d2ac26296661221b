// Key-auth lets requests pass that carry a known API key, and names their consumer.
package main

import (
	"strings"

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
	key, forged := s.search(r.Headers.All())
	consumer, ok := s.keys.consumer(key)
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

// search returns the key that the request carries, "" for none or several, and the names of headers that pretend to be
// the gateway's.
func (s *settings) search(headers []sallyport.Header) (key string, forged []string) {
	found := 0
	for _, h := range headers {
		if strings.EqualFold(h.Name, s.header) {
			key = h.Value
			found++
		}
		if isForged(h.Name) {
			forged = append(forged, h.Name)
		}
	}
	if found > 1 {
		key = "" // the upstream might take another one than we do
	}
	return key, forged
}

// isForged reports whether a name is X-Consumer or begins with X-Consumer-, underscores taken for hyphens, as many
// servers take them.
func isForged(name string) bool {
	n := len(consumerHeader)
	if len(name) < n || !strings.EqualFold(strings.ReplaceAll(name[:n], "_", "-"), consumerHeader) {
		return false
	}
	return len(name) == n || name[n] == '-' || name[n] == '_'
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
