package main

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/setting"
	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at a request works with: an instance has one at a time.
type settings struct {
	parameters    []parameter
	body          *content
	refuseUnknown bool
	removeUnknown bool
	status        int
	reportOnly    bool
	failures      [places]sallyport.Counter

	headers, cookies bool                          // some are parameters
	visit            func(name, value []byte) bool // s.lookForDoubles, made once

	pairs   []pair
	unknown []string // names in the query
	known   []byte   // what is left of the query without what is unknown
	removed bool     // something was
	items   []string
	faults  []fault
	failed  error // what kept a check from being done
}

// content is what bodies may be.
type content struct {
	schema   string
	types    []string
	required bool
	maxSize  int
}

// place is where a parameter stands; the body is one, too.
type place uint8

const (
	inPath place = iota
	inQuery
	inHeader
	inCookie
	inBody
	places
)

func (p place) String() string {
	return [...]string{"path", "query", "header", "cookie", "body"}[p]
}

func readSettings(raw []byte) (*settings, error) {
	s := &settings{status: 400}
	s.visit = s.lookForDoubles
	err := config.Read(raw, s.read)
	if err == nil && len(s.parameters) == 0 && s.body == nil && !s.refuseUnknown && !s.removeUnknown {
		err = errors.New("must have something to check: parameters, body or unknown_query")
	}
	for p := range places {
		s.failures[p] = sallyport.NewCounter("invalid_requests", sallyport.Label{Name: "in", Value: p.String()})
	}
	return s, err
}

func (s *settings) read(key string, v *config.Value) error {
	switch key {
	case "parameters":
		return v.Array(s.readParameter)
	case "body":
		return s.readBody(v)
	case "unknown_query":
		var what string
		err := oneOf(v, &what, "allow", "refuse", "remove")
		s.refuseUnknown, s.removeUnknown = what == "refuse", what == "remove"
		return err
	case "status":
		if err := v.Int(&s.status, 400, 422); err != nil || s.status == 400 || s.status == 422 {
			return err
		}
		return errors.New("must be 400 or 422")
	case "report_only":
		return v.Bool(&s.reportOnly)
	}
	return nil
}

func (s *settings) readBody(v *config.Value) error {
	c := &content{maxSize: 1 << 20}
	s.body = c
	err := v.Object(func(key string, v *config.Value) error {
		switch key {
		case "schema":
			return setting.Granted(v, &c.schema, "schema")
		case "content_types":
			return v.Strings(&c.types)
		case "required":
			return v.Bool(&c.required)
		case "max_size":
			return v.Int(&c.maxSize, 1, 1<<30)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.types == nil {
		c.types = []string{"application/json"}
	}
	for _, name := range c.types {
		switch {
		case !isMediaType(name):
			return errors.New("has a content type that is none: write it as in application/json, without parameters")
		case c.schema != "" && !isJSON(name):
			return errors.New("has a content type that is no JSON: it would pass by the schema")
		}
	}
	return nil
}

func isMediaType(name string) bool {
	for i := range len(name) {
		if name[i] == '/' {
			return field.IsToken(name[:i]) && field.IsToken(name[i+1:])
		}
	}
	return false
}

func oneOf(v *config.Value, dst *string, choice ...string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	list := ""
	for i, c := range choice {
		if *dst == c {
			return nil
		}
		if i > 0 {
			list += ", "
		}
		list += c
	}
	return errors.New("must be one of " + list)
}
