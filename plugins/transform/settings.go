package main

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at an exchange works with: an instance has one at a time.
type settings struct {
	requestHeaders, query, requestJSON []step
	responseHeaders, responseJSON      []step
	path                               template
	codes                              []mapping
	refuseOther                        bool

	odd, found []string
	parameters []parameter
	scratch    []byte
	visitOdd   func(name, value []byte) bool
}

// mapping says what becomes of a status, or of a class of them, by its first digit.
type mapping struct {
	from, to int
}

func readSettings(raw []byte) (*settings, error) {
	s := &settings{refuseOther: true}
	s.visitOdd = s.lookOdd
	err := config.Read(raw, s.read)
	if err == nil && !s.hasRequest() && !s.hasResponse() {
		err = errors.New("must have something to do: request_headers, query, path, request_json, response_headers, response_json or status")
	}
	return s, err
}

func (s *settings) hasRequest() bool {
	return len(s.requestHeaders)+len(s.query)+len(s.path)+len(s.requestJSON)+len(s.responseJSON) > 0
}

func (s *settings) hasResponse() bool {
	return len(s.responseHeaders)+len(s.responseJSON)+len(s.codes) > 0
}

func (s *settings) read(key string, v *config.Value) error {
	switch key {
	case "request_headers":
		return readSteps(v, &s.requestHeaders, ofHeaders, ofRequest)
	case "query":
		return readSteps(v, &s.query, ofParameters, ofRequest)
	case "path":
		return s.readPath(v)
	case "request_json":
		return readSteps(v, &s.requestJSON, ofBody, ofRequest)
	case "refuse_other":
		return v.Bool(&s.refuseOther)
	case "response_json":
		return readSteps(v, &s.responseJSON, ofBody, ofAnswer)
	case "response_headers":
		return readSteps(v, &s.responseHeaders, ofHeaders, ofAnswer)
	case "status":
		return v.Object(s.readMapping)
	}
	return nil
}

// readPath reads the new path, whose literal parts are as they stand in a URL.
func (s *settings) readPath(v *config.Value) error {
	var text string
	err := v.String(&text)
	if err != nil {
		return err
	}
	if s.path, err = parseTemplate(text, ofRequest); err != nil {
		return err
	}
	const form = "must begin with a slash or {{ path }}, and be percent-encoded"
	if len(s.path) == 0 {
		return errors.New(form)
	}
	if first := s.path[0]; first.from == literal && first.name[0] != '/' || first.from != literal && !first.isPath() {
		return errors.New(form)
	}
	for _, p := range s.path {
		if p.from == literal && !isPathText(p.name) {
			return errors.New(form)
		}
	}
	return nil
}

// isPathText reports whether a text can stand in a path as it is.
func isPathText(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c > '~' || strings.IndexByte(`?#\"<>`, c) >= 0 || c == '%' && (i+2 >= len(s) || !isHex(s[i+1:i+3])) {
			return false
		}
	}
	return !strings.Contains(s, "//") && !strings.Contains(s+"/", "/./") && !strings.Contains(s+"/", "/../")
}

func (s *settings) readMapping(from string, v *config.Value) error {
	m := mapping{from: code(from)}
	if len(from) == 3 && from[1:] == "xx" && from[0] >= '2' && from[0] <= '5' {
		m.from = int(from[0] - '0')
	} else if m.from < 200 || m.from > 599 || m.from == 304 {
		return errors.New("must be a status from 200 to 599 other than 304, or a class of them, such as 5xx")
	}
	if err := v.Int(&m.to, 200, 599); err != nil {
		return err
	}
	if m.to == 204 || m.to == 205 || m.to == 304 {
		return errors.New("must be a status that can have content")
	}
	s.codes = append(s.codes, m)
	return nil
}

func code(s string) int {
	if len(s) != 3 || !isDigit(s[0]) || !isDigit(s[1]) || !isDigit(s[2]) {
		return 0
	}
	return int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
}

// checkHeader says what is wrong with a header as the aim of a step.
func checkHeader(name string) error {
	switch {
	case !field.IsToken(name):
		return errors.New("must be the name of a header")
	case field.Belongs(name):
		return errors.New("cannot be changed: it belongs to the connection")
	}
	return nil
}
