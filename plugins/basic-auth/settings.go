package main

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/setting"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at a request works with: an instance has one at a time.
type settings struct {
	passwords string // the set
	challenge string
	optional  bool
	hide      bool
	groups    map[string]string // by user, joined
	guard     identity.Guard
	visit     func(name, value []byte) bool // s.look, made once

	fields         int    // named Authorization
	value          []byte // of the last of them
	decoded        []byte
	user, password string // parts of decoded
}

func readSettings(raw []byte) (*settings, error) {
	s := &settings{hide: true, groups: map[string]string{}}
	s.visit = s.look
	realm := "restricted"
	err := config.Read(raw, func(key string, v *config.Value) error {
		switch key {
		case "passwords":
			return setting.Granted(v, &s.passwords, "passwords")
		case "realm":
			return setting.Quotable(v, &realm)
		case "optional":
			return v.Bool(&s.optional)
		case "hide":
			return v.Bool(&s.hide)
		case "groups":
			return v.Object(s.readGroups)
		}
		return nil
	})
	if err == nil && s.passwords == "" {
		err = errors.New(`/passwords must name the set: the grant "passwords:NAME" without "passwords:"`)
	}
	s.challenge = `Basic realm="` + realm + `", charset="UTF-8"`
	return s, err
}

func (s *settings) readGroups(user string, v *config.Value) error {
	var groups string
	if user == "" {
		return errors.New("must have the name of a user")
	}
	err := identity.ReadGroups(v, &groups)
	s.groups[user] = groups
	return err
}
