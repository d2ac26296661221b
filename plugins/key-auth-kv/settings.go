package main

import (
	"errors"

	"github.com/sallyport/sallyport/plugins/internal/credential"
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/setting"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at a request works with: an instance has one at a time.
type settings struct {
	store, prefix          string
	keepKnown, keepUnknown int // seconds
	shown                  credential.Finder
	guard                  identity.Guard
	challenge              string
	visit                  func(name, value []byte) bool // s.look, made once
	kept                   *[places]answer
	room, text             []byte
}

func readSettings(raw []byte) (*settings, error) {
	s := &settings{prefix: "key:", keepUnknown: 1, kept: &[places]answer{}}
	s.shown.Places = credential.Places{Header: "X-Api-Key", Hide: true}
	s.visit = s.look
	err := config.Read(raw, s.read)
	if err == nil {
		err = s.shown.Check()
	}
	if err == nil && s.store == "" {
		err = setting.Need("kv")
	}
	scheme := s.shown.Scheme
	if scheme == "" {
		scheme = "ApiKey"
	}
	s.challenge = s.shown.Challenge(scheme)
	return s, err
}

func (s *settings) read(key string, v *config.Value) error {
	switch key {
	case "store":
		return setting.Granted(v, &s.store, "kv")
	case "prefix":
		if err := v.String(&s.prefix); err != nil {
			return err
		}
		if len(s.prefix) > 256 {
			return errors.New("must not be longer than 256 bytes")
		}
		return nil
	case "cache_seconds":
		return v.Int(&s.keepKnown, 0, 3600)
	case "cache_unknown_seconds":
		return v.Int(&s.keepUnknown, 0, 3600)
	}
	return s.shown.Read(key, v)
}
