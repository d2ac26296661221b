package main

import (
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

// preflight answers whether a request may follow. What may not is told by 403 and no more: a browser does not look further.
func (s *settings) preflight(r *sallyport.Request) (sallyport.Verdict, error) {
	vary := sallyport.Header{Name: "Vary", Value: s.varyPreflight}
	if why := s.refusesPreflight(); why != "" {
		return refuse.Problem(r, why, 403, "Forbidden", vary)
	}
	origin := "*"
	if !s.any {
		origin = string(s.asked.origin)
	}
	headers := make([]sallyport.Header, 0, 7)
	headers = append(headers, vary, sallyport.Header{Name: "Access-Control-Allow-Origin", Value: origin})
	if s.credentials {
		headers = append(headers, sallyport.Header{Name: "Access-Control-Allow-Credentials", Value: "true"})
	}
	headers = append(headers, sallyport.Header{Name: "Access-Control-Allow-Methods", Value: s.told(s.methodList, s.asked.method)})
	if len(s.asked.headers) > 0 {
		headers = append(headers, sallyport.Header{Name: "Access-Control-Allow-Headers", Value: s.told(s.headerList, s.asked.headers)})
	}
	if s.asked.privateNetwork && s.privateNetwork {
		headers = append(headers, sallyport.Header{Name: "Access-Control-Allow-Private-Network", Value: "true"})
	}
	headers = append(headers, sallyport.Header{Name: "Access-Control-Max-Age", Value: s.maxAge})
	return r.Respond(204, nil, headers...)
}

// otherOrigin is why most requests are refused.
const otherOrigin = "The origin is not allowed"

// refusesPreflight says why what a preflight asks for may not be, or nothing.
func (s *settings) refusesPreflight() (why string) {
	switch {
	case !s.allows():
		return otherOrigin
	case !s.allowsMethod(field.View(s.asked.method)):
		return "The preflight asks for a method that is not allowed"
	case !s.allowsHeaders(field.View(s.asked.headers)):
		return "The preflight asks for a header that is not allowed"
	}
	return ""
}

// told returns what is allowed: the list, or, where that is all, what was asked for. "*" would not do: it covers no Authorization, and
// means nothing with credentials.
func (s *settings) told(list string, asked []byte) string {
	if list == "*" {
		return string(asked)
	}
	return list
}

func (s *settings) allowsMethod(method string) bool {
	if s.methodList == "*" {
		return field.IsToken(method)
	}
	for _, allowed := range s.methods {
		if method == allowed { // methods have a case
			return true
		}
	}
	return method == "GET" || method == "HEAD" || method == "POST" // these the Fetch standard asks nobody for
}

// longest is how many bytes the names may have that a preflight asks for: no browser has more to ask.
const longest = 4096

func (s *settings) allowsHeaders(list string) bool {
	if len(list) > longest {
		return false
	}
	for list != "" {
		var name string
		name, list, _ = strings.Cut(list, ",")
		if name = strings.Trim(name, " \t"); name != "" && !s.allowsHeader(name) {
			return false
		}
	}
	return true
}

func (s *settings) allowsHeader(name string) bool {
	if s.headerList == "*" {
		return field.IsToken(name)
	}
	for _, allowed := range s.headers {
		if field.Equal(name, allowed) {
			return true
		}
	}
	return false
}

// listed reports whether a list that commas separate has an element, whatever its case.
func listed(list, element string) bool {
	for list != "" {
		var one string
		one, list, _ = strings.Cut(list, ",")
		if field.Equal(strings.Trim(one, " \t"), element) {
			return true
		}
	}
	return false
}
