package main

import (
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go"
)

// checkBody returns a status if it must be one of its own.
func (s *settings) checkBody(r *sallyport.Request) (status int, err error) {
	size, err := r.Body.Size()
	switch {
	case err != nil:
		return 0, err
	case size == 0:
		if s.body.required {
			s.fault(inBody, "", "is missing")
		}
		return 0, nil
	case !s.body.takes(r.Headers):
		s.fault(inBody, "", "is of a content type or coding that is not taken")
		return 415, nil
	case size > s.body.maxSize:
		s.fault(inBody, "", "is too large")
		return 413, nil
	case s.body.schema == "":
		return 0, nil
	}
	wrong, err := r.Body.Check(s.body.schema)
	switch {
	case err == sallyport.ErrTooLarge:
		s.fault(inBody, "", "is too large, or nested too deep")
		return 413, nil
	case err != nil:
		return 0, err
	case wrong != nil:
		s.faults = append(s.faults, fault{in: inBody, listed: string(wrong)})
	}
	return 0, nil
}

// takes reports whether the content is of a type that is allowed, in UTF-8, and not encoded. Two types are none.
func (c *content) takes(h sallyport.Headers) bool {
	for _, coding := range h.Values("Content-Encoding") {
		if !field.Equal(coding, "identity") {
			return false
		}
	}
	types := h.Values("Content-Type")
	if len(types) != 1 {
		return false
	}
	name, parameters, _ := strings.Cut(types[0], ";")
	name = strings.Trim(name, " \t")
	for _, allowed := range c.types {
		if field.Equal(name, allowed) {
			return !isJSON(allowed) || field.IsUTF8(parameters)
		}
	}
	return false
}

// isJSON reports whether a media type is one of JSON (RFC 6839).
func isJSON(name string) bool {
	return field.Equal(name, "application/json") || len(name) > 5 && field.Equal(name[len(name)-5:], "+json")
}
