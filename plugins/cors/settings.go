package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at a message works with: an instance has one at a time.
type settings struct {
	any            bool // every origin
	null           bool // among origins
	origins        []origin
	methods        []string
	headers        []string
	methodList     string // as told; "*" for all
	headerList     string // the same
	expose         string
	credentials    bool
	privateNetwork bool
	refuse         bool
	maxAge         string
	varyPreflight  string

	asked         asked
	found         []string
	visit         func(name, value []byte) bool // s.look, made once
	visitResponse func(name, value []byte) bool // s.lookResponse
}

func readSettings(raw []byte) (*settings, error) {
	s := &settings{maxAge: "600", methodList: "GET, HEAD, POST"}
	s.visit, s.visitResponse = s.look, s.lookResponse
	err := config.Read(raw, func(key string, v *config.Value) error {
		switch key {
		case "origins":
			return v.Array(s.readOrigin)
		case "methods":
			return readList(v, &s.methods, &s.methodList, "must be a method, in capitals as a rule")
		case "headers":
			return readList(v, &s.headers, &s.headerList, "must be the name of a header")
		case "expose":
			var names []string
			return readList(v, &names, &s.expose, "must be the name of a header")
		case "credentials":
			return v.Bool(&s.credentials)
		case "private_network":
			return v.Bool(&s.privateNetwork)
		case "refuse":
			return v.Bool(&s.refuse)
		case "max_age":
			seconds := 0
			err := v.Int(&seconds, 0, 86_400)
			s.maxAge = strconv.Itoa(seconds)
			return err
		}
		return nil
	})
	if err == nil {
		err = s.check()
	}
	s.varyPreflight = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	if s.privateNetwork {
		s.varyPreflight += ", Access-Control-Request-Private-Network"
	}
	return s, err
}

// check refuses what would let pages of any origin act as whoever looks at them.
func (s *settings) check() error {
	switch {
	case !s.any && len(s.origins) == 0:
		return errors.New("/origins must name at least one origin")
	case s.any && len(s.origins) > 0:
		return errors.New(`/origins must have no other origin beside "*"`)
	case s.credentials && s.any:
		return errors.New(`/credentials cannot go with the origin "*": any page could act as whoever looks at it`)
	case s.credentials && s.null:
		return errors.New(`/credentials cannot go with the origin "null": any page can have that`)
	case s.credentials && s.expose == "*":
		return errors.New(`/expose cannot be "*" with credentials: browsers take it for the name of a header then`)
	}
	return nil
}

func (s *settings) readOrigin(v *config.Value) error {
	var text string
	if err := v.String(&text); err != nil {
		return err
	}
	if text == "*" {
		s.any = true
		return nil
	}
	o, err := parseOrigin(text)
	s.origins = append(s.origins, o)
	s.null = s.null || text == "null"
	return err
}

// readList reads an array of tokens, and joins them.
func readList(v *config.Value, dst *[]string, list *string, form string) error {
	*dst = nil
	err := v.Array(func(item *config.Value) error {
		var text string
		err := item.String(&text)
		if err == nil && !field.IsToken(text) {
			err = errors.New(form)
		}
		*dst = append(*dst, text)
		return err
	})
	*list = strings.Join(*dst, ", ")
	for _, text := range *dst {
		if err == nil && text == "*" && len(*dst) > 1 {
			err = errors.New(`must have nothing beside "*"`)
		}
	}
	return err
}
