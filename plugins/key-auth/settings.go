package main

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/credential"
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/plugins/internal/sha256"
	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// settings are the filter's config table, and what a look at a request works with: an instance has one at a time.
type settings struct {
	shown     credential.Finder
	guard     identity.Guard
	keys      keys
	challenge string
	visit     func(name, value []byte) bool // s.look, made once
}

func readSettings(raw []byte) (*settings, error) {
	var seed [8]byte
	if err := sallyport.Random(seed[:]); err != nil {
		return nil, err
	}
	s := &settings{keys: newKeys(binary.LittleEndian.Uint64(seed[:]))}
	s.shown.Places = credential.Places{Header: "X-Api-Key", Hide: true}
	s.visit = s.look
	err := config.Read(raw, func(key string, v *config.Value) error {
		if key == "keys" {
			return v.Array(s.readKey)
		}
		return s.shown.Read(key, v)
	})
	if err == nil {
		err = s.shown.Check()
	}
	if err == nil && s.keys.len() == 0 {
		err = errors.New("/keys must name at least one key")
	}
	scheme := s.shown.Scheme
	if scheme == "" {
		scheme = "ApiKey"
	}
	s.challenge = s.shown.Challenge(scheme)
	return s, err
}

// readKey reads one table of keys.
func (s *settings) readKey(v *config.Value) error {
	var plain string
	var hashed sha256.Digest
	var whose owner
	given := 0
	err := v.Object(func(key string, v *config.Value) error {
		switch key {
		case "key":
			given++
			return readPlain(v, &plain)
		case "key_sha256":
			given++
			return readDigest(v, &hashed)
		case "consumer":
			return identity.ReadConsumer(v, &whose.consumer)
		case "groups":
			return identity.ReadGroups(v, &whose.groups)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case given != 1:
		return errors.New("must have either key or key_sha256")
	case whose.consumer == "":
		return errors.New("must have a consumer")
	case plain != "" && !s.keys.addPlain(plain, whose), plain == "" && !s.keys.addDigest(hashed, whose):
		return errors.New("has a key that was there before")
	}
	return nil
}

func readPlain(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	if *dst == "" || *dst != strings.TrimSpace(*dst) {
		return errors.New("must not be empty, nor begin or end with a space")
	}
	if len(*dst) > longest {
		return errors.New("must not be longer than 1024 bytes")
	}
	return nil
}

func readDigest(v *config.Value, dst *sha256.Digest) error {
	var text string
	if err := v.String(&text); err != nil {
		return err
	}
	var ok bool
	if *dst, ok = sha256.Parse(text); !ok {
		return errors.New("must be a SHA-256 as 64 hexadecimal digits or in base64")
	}
	return nil
}
