package main

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

// requestBody changes the request's content, or says why it cannot: what the steps are to keep away must not come through in a form
// that they do not read.
func (s *settings) requestBody(c context) (sallyport.Verdict, error) {
	r := c.request
	body, err := r.Body.Bytes()
	if err != nil || len(body) == 0 {
		return sallyport.Continue, err
	}
	switch readable(r.Headers) {
	case otherContent:
		if !s.refuseOther {
			return sallyport.Continue, nil
		}
		return refuse.Problem(r, "The content is not JSON", 415, title(415), sallyport.Header{Name: "Accept", Value: "application/json"})
	case otherCharset:
		return refuse.Problem(r, "The content is in another charset than UTF-8", 415, title(415), sallyport.Header{Name: "Accept", Value: "application/json"})
	case encoded:
		return refuse.Problem(r, "The content has an encoding", 415, title(415), sallyport.Header{Name: "Accept-Encoding", Value: "identity"})
	}
	next, err := s.rewriteJSON(body, s.requestJSON, c)
	switch {
	case err == errTooMany || len(next) > longestBody:
		return refuse.Problem(r, "The JSON is too large, or has too many members", 413, title(413))
	case err != nil:
		return refuse.Problem(r, "The JSON cannot be read, or not changed as the steps say", 400, title(400))
	}
	if err := dropDigests(r.Headers); err != nil {
		return sallyport.Continue, err
	}
	return sallyport.Continue, r.Body.Set(next)
}

// longestBody is how many bytes a plugin can write.
const longestBody = 1 << 20

// responseBody changes the response's content. One that is JSON and cannot be read is a failure: it may hold what is to be taken away.
func (s *settings) responseBody(c context) error {
	r := c.response
	form := readable(r.Headers)
	if form == otherContent && r.Status() != 304 {
		return nil
	}
	if err := dropDigests(r.Headers); err != nil {
		return err
	}
	if tag, ok := r.Headers.Lookup("ETag"); ok && !strings.HasPrefix(tag, "W/") {
		if err := r.Headers.Set("ETag", "W/"+tag); err != nil {
			return err
		}
	}
	body, err := r.Body.Bytes()
	switch {
	case err != nil || len(body) == 0:
		return err
	case form == encoded || r.Status() == 206:
		return errors.New("a part of a body, or an encoded one, cannot be changed")
	}
	next, err := s.rewriteJSON(body, s.responseJSON, c)
	if err != nil {
		return err
	}
	return r.Body.Set(next)
}

// askForAll has the upstream send what can be changed: no part of it, and nothing compressed.
func askForAll(h sallyport.Headers) error {
	for _, name := range [...]string{"Range", "If-Range", "Accept-Encoding"} {
		if err := h.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// dropDigests takes away what is no longer true of content that was changed.
func dropDigests(h sallyport.Headers) error {
	for _, name := range [...]string{"Content-MD5", "Digest", "Content-Digest", "Repr-Digest"} {
		if err := h.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

type form uint8

const (
	isJSON form = iota
	otherContent
	otherCharset // JSON that may read otherwise to others: "+AGE-" is "a" in UTF-7
	encoded
)

// readable reports what form content is in. Two types are none.
func readable(h sallyport.Headers) form {
	types := h.Values("Content-Type")
	if len(types) != 1 {
		return otherContent
	}
	name, parameters, _ := strings.Cut(types[0], ";")
	name = strings.Trim(name, " \t")
	suffix := name[strings.LastIndexByte(name, '+')+1:]
	if !field.Equal(name, "application/json") && !(len(suffix) < len(name) && field.Equal(suffix, "json")) {
		return otherContent
	}
	for _, coding := range h.Values("Content-Encoding") {
		if !field.Equal(coding, "identity") {
			return encoded
		}
	}
	if !field.IsUTF8(parameters) {
		return otherCharset
	}
	return isJSON
}

// rewriteJSON returns the document as the steps make it.
func (s *settings) rewriteJSON(body []byte, steps []step, c context) ([]byte, error) {
	d, err := parse(field.View(body))
	if err != nil {
		return nil, err
	}
	for i := range steps {
		if err := s.jsonStep(d, &steps[i], c); err != nil {
			return nil, err
		}
	}
	return d.write(make([]byte, 0, len(body)+64), &d.root), nil
}
