// Forward-auth has a service of yours decide about every request: whether it may pass, and who it is from.
package main

import (
	"strconv"
	"time"

	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	s, err := readSettings(raw)
	return sallyport.Hooks{Request: s.request, ResumeRequest: s.resume}, err
}

// request takes away what only the service may say, and asks it, unless it is known what it would answer. The question comes first: the
// service is to see what may be taken from the request afterwards.
func (s *settings) request(r *sallyport.Request) (sallyport.Verdict, error) {
	key := s.cacheKey(r)
	d, known := s.recall(key)
	question := sallyport.FetchRequest{Method: s.method, Path: s.path, Authority: s.authority, Timeout: time.Duration(s.timeout) * time.Millisecond}
	if !known {
		question.Headers = s.question(r)
	}
	s.guard.Begin()
	r.Headers.Each(s.visit)
	if err := s.guard.Strip(r.Headers); err != nil {
		return sallyport.Continue, err
	}
	if known {
		return s.apply(r, d)
	}
	_, err := sallyport.StartFetch(s.upstream, question)
	if err != nil {
		return s.unavailable(r, err.Error())
	}
	if key != "" { // another copy may go on
		if err := r.SetState([]byte(key)); err != nil {
			return sallyport.Continue, err
		}
	}
	return r.Wait()
}

// question returns the headers that the service is sent.
func (s *settings) question(r *sallyport.Request) []sallyport.Header {
	uri := r.Path()
	if query := r.Query(); query != "" {
		uri += "?" + query
	}
	headers := append([]sallyport.Header(nil), s.add...)
	headers = append(headers,
		sallyport.Header{Name: "X-Forwarded-Method", Value: r.Method()},
		sallyport.Header{Name: "X-Forwarded-Proto", Value: r.Scheme()},
		sallyport.Header{Name: "X-Forwarded-Host", Value: r.Host()},
		sallyport.Header{Name: "X-Forwarded-Uri", Value: uri},
		sallyport.Header{Name: "X-Forwarded-For", Value: r.ClientAddress()},
	)
	for _, name := range s.send {
		for _, value := range r.Headers.Values(name) {
			headers = append(headers, sallyport.Header{Name: name, Value: value})
		}
	}
	return headers
}

// resume goes on when the service has answered, or has not.
func (s *settings) resume(r *sallyport.Request) (sallyport.Verdict, error) {
	answer, err := sallyport.Fetched(0)
	if err != nil {
		return s.unavailable(r, err.Error())
	}
	d, why := s.decide(answer)
	if why != "" {
		return s.unavailable(r, why)
	}
	s.remember(string(r.State()), d, answer.Headers)
	return s.apply(r, d)
}

// unavailable lets nobody pass, whatever on_error says: that the service cannot be had must open nothing.
func (s *settings) unavailable(r *sallyport.Request, why string) (sallyport.Verdict, error) {
	sallyport.Log(sallyport.Warn, "nobody decides: "+why)
	return refuse.Problem(r, "Nobody decides: "+why, 503, "Service Unavailable")
}

// apply does what was decided.
func (s *settings) apply(r *sallyport.Request, d decision) (sallyport.Verdict, error) {
	if !d.allows() {
		why := "The service answers with " + strconv.Itoa(d.status)
		if !s.body {
			return refuse.Problem(r, why, d.status, title(d.status), d.headers...)
		}
		if err := r.SetAttr(refuse.Attr, why); err != nil {
			return sallyport.Continue, err
		}
		return r.Respond(d.status, []byte(d.body), d.headers...)
	}
	consumer, groups := "", ""
	for _, h := range d.headers {
		switch h.Name {
		case identity.Header:
			consumer = h.Value
		case identity.GroupsHeader:
			groups = h.Value
		default:
			if err := r.Headers.Add(h.Name, h.Value); err != nil {
				return sallyport.Continue, err
			}
		}
	}
	if consumer == "" {
		return sallyport.Continue, nil
	}
	return sallyport.Continue, identity.Tell(r, consumer, groups)
}

func title(status int) string {
	switch status {
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 429:
		return "Too Many Requests"
	}
	return "Refused"
}
