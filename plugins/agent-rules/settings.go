package main

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at a request works with: an instance has one at a time.
type settings struct {
	rules  []rule
	status int
	dryRun bool

	seen    []verdicts // by rule
	scratch []byte
	visit   func(name, value []byte) bool
}

// rule is what is asked of a header.
type rule struct {
	header              string
	deny, except, allow patterns
	require             bool
}

func readSettings(raw []byte) (*settings, error) {
	s := &settings{status: 403}
	s.visit = s.look
	err := config.Read(raw, s.read)
	if err == nil && len(s.rules) == 0 {
		err = errors.New("must have rules: user_agent, referer or headers")
	}
	s.seen = make([]verdicts, len(s.rules))
	return s, err
}

func (s *settings) read(key string, v *config.Value) error {
	switch key {
	case "user_agent":
		return s.readRule("User-Agent", v)
	case "referer":
		return s.readRule("Referer", v)
	case "headers":
		return v.Object(func(name string, v *config.Value) error {
			switch {
			case !field.IsToken(name):
				return errors.New("must be the name of a header")
			case field.Belongs(name):
				return errors.New("is never seen: it belongs to the connection")
			}
			return s.readRule(name, v)
		})
	case "status":
		return v.Int(&s.status, 400, 599)
	case "dry_run":
		return v.Bool(&s.dryRun)
	}
	return nil
}

func (s *settings) readRule(header string, v *config.Value) error {
	for i := range s.rules {
		if field.Alike(s.rules[i].header, header) {
			return errors.New("has rules already")
		}
	}
	r := rule{header: header}
	err := v.Object(func(key string, v *config.Value) error {
		switch key {
		case "deny":
			return readPatterns(v, &r.deny)
		case "except":
			return readPatterns(v, &r.except)
		case "allow":
			return readPatterns(v, &r.allow)
		case "require":
			return v.Bool(&r.require)
		}
		return nil
	})
	if err == nil && len(r.deny) == 0 && len(r.allow) == 0 && !r.require {
		err = errors.New("must have deny, allow or require")
	}
	if err == nil && len(r.except) > 0 && len(r.deny) == 0 {
		err = errors.New("must have deny where it has except")
	}
	s.rules = append(s.rules, r)
	return err
}

// longest is how long a pattern may be, and most how many parts it may have.
const (
	longest = 256
	most    = 16
)

func readPatterns(v *config.Value, dst *patterns) error {
	*dst = nil
	return v.Array(func(item *config.Value) error {
		var text string
		if err := item.String(&text); err != nil {
			return err
		}
		p := parsePattern(text)
		switch {
		case strings.Join(p.parts, "") == "" && !(p.from && p.to && len(p.parts) == 1):
			return errors.New("must have more than ^, * and $: it would be met by anything")
		case len(text) > longest || len(p.parts) > most:
			return errors.New("must not have more than 256 bytes, and 15 stars")
		case !field.IsValue(strings.Trim(text, " ")):
			return errors.New("must have no control characters: no header has them")
		}
		*dst = append(*dst, p)
		return nil
	})
}
